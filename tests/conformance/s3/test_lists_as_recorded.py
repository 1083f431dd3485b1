"""Details of S3's lists that clients page by."""
import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(daemon):
    return daemon.client("s3", s3={"addressing_style": "path"})


def test_uploads_page_by_key_and_upload_and_pass_over_groups(s3):
    s3.create_bucket(Bucket="uploads")
    empty = s3.list_multipart_uploads(Bucket="uploads")
    assert empty["NextKeyMarker"] == "" and empty["NextUploadIdMarker"] == ""
    ids = {key: s3.create_multipart_upload(Bucket="uploads", Key=key)["UploadId"] for key in ("dir/sub/a", "dir/file", "other")}
    every = s3.list_multipart_uploads(Bucket="uploads")
    assert every["NextKeyMarker"] == "other" and every["NextUploadIdMarker"] == ids["other"] and not every["IsTruncated"]
    first = s3.list_multipart_uploads(Bucket="uploads", Prefix="dir/", Delimiter="/", MaxUploads=1)
    assert [u["Key"] for u in first["Uploads"]] == ["dir/file"] and first["IsTruncated"]
    after = s3.list_multipart_uploads(Bucket="uploads", Prefix="dir/", Delimiter="/", KeyMarker="dir/sub/")
    assert "CommonPrefixes" not in after and "Uploads" not in after
    with pytest.raises(ClientError) as refused:
        s3.list_multipart_uploads(Bucket="uploads", KeyMarker="other", UploadIdMarker=ids["dir/file"])
    assert refused.value.response["Error"]["Message"] == "Invalid uploadId marker"


def test_parts_show_checksums_only_when_the_upload_asked_for_them(s3):
    s3.create_bucket(Bucket="parts")
    for asked, shown in ((None, False), ("CRC32", True)):
        more = {"ChecksumAlgorithm": asked} if asked else {}
        upload = s3.create_multipart_upload(Bucket="parts", Key="key", **more)["UploadId"]
        s3.upload_part(Bucket="parts", Key="key", UploadId=upload, PartNumber=1, Body=b"data")
        assert ("ChecksumCRC32" in s3.list_parts(Bucket="parts", Key="key", UploadId=upload)["Parts"][0]) == shown


def test_times_have_whole_seconds_and_regions_are_checked(s3):
    s3.create_bucket(Bucket="details")
    s3.put_object(Bucket="details", Key="key")
    listed = s3.list_objects(Bucket="details")["Contents"][0]
    assert listed["LastModified"].microsecond == 0 and listed["Owner"]["DisplayName"]
    with pytest.raises(ClientError) as refused:
        s3.list_buckets(BucketRegion="eu-east-1")
    assert refused.value.response["Error"]["Message"] == "Argument value eu-east-1 is not a valid AWS Region"


def test_objects_without_a_checksum_get_the_service_s_own(daemon):
    quiet = daemon.client("s3", s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    quiet.create_bucket(Bucket="checksums")
    quiet.put_object(Bucket="checksums", Key="key", Body=b"")
    head = quiet.head_object(Bucket="checksums", Key="key", ChecksumMode="ENABLED")
    assert head["ChecksumCRC64NVME"] == "AAAAAAAAAAA=" and head["ChecksumType"] == "FULL_OBJECT"
