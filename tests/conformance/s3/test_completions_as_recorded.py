"""What completes an upload in parts, and what S3 was recorded to say when something does not."""
import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(daemon):
    client = daemon.client("s3", request_checksum_calculation="when_required")
    client.create_bucket(Bucket="parts")
    return client


class Upload:
    def __init__(self, s3, key, body=b"abc", **options):
        self.s3 = s3
        self.it = {"Bucket": "parts", "Key": key}
        self.it["UploadId"] = s3.create_multipart_upload(**self.it, **options)["UploadId"]
        self.part = s3.upload_part(**self.it, PartNumber=1, Body=body)

    def complete(self, part=None, **options):
        return self.s3.complete_multipart_upload(**self.it, MultipartUpload={"Parts": [{"ETag": self.part["ETag"], "PartNumber": 1, **(part or {})}]}, **options)

    def refusal(self, part=None, **options):
        with pytest.raises(ClientError) as refused:
            self.complete(part, **options)
        return refused.value.response["Error"]


def test_parts_that_are_not_there(s3):
    upload = Upload(s3, "not-there")
    told = upload.refusal({"PartNumber": 2})
    assert told["Code"] == "InvalidPart" and told["PartNumber"] == "2" and told["UploadId"] == upload.it["UploadId"]
    assert told["ETag"] == upload.part["ETag"].strip('"')
    with pytest.raises(ClientError) as refused:
        s3.complete_multipart_upload(**upload.it, MultipartUpload={"Parts": []})
    assert refused.value.response["Error"] == {"Code": "InvalidRequest", "Message": "You must specify at least one part"}
    assert upload.refusal(MpuObjectSize=5)["Message"] == "The provided 'x-amz-mp-object-size' header value 5 does not match what was computed: 3"
    upload.complete(MpuObjectSize=3)


def test_checksums_of_parts(s3):
    composite = Upload(s3, "composite", ChecksumAlgorithm="CRC32")
    assert composite.refusal()["Message"] == ("The upload was created using a crc32 checksum. The complete request must include the checksum for each part. "
                                              "It was missing for part 1 in the request.")
    assert composite.refusal(ChecksumType="FULL_OBJECT")["Message"] == (
        "The upload was created using the COMPOSITE checksum mode. The complete request must use the same checksum mode.")
    value = composite.part["ChecksumCRC32"]
    composite.complete({"ChecksumCRC32": value})
    got = s3.get_object(Bucket="parts", Key="composite", PartNumber=1, ChecksumMode="enabled")
    assert got["ChecksumCRC32"] == value and got["ChecksumType"] == "COMPOSITE"
    told = s3.get_object_attributes(Bucket="parts", Key="composite", ObjectAttributes=["Checksum", "ObjectParts"])
    assert "-" not in told["Checksum"]["ChecksumCRC32"] and told["ObjectParts"]["Parts"][0]["ChecksumCRC32"] == value

    plain = Upload(s3, "plain")
    assert plain.refusal({"ChecksumCRC32": value})["Code"] == "InvalidPart"
    assert "created using the null checksum mode" in plain.refusal(ChecksumType="FULL_OBJECT")["Message"]
    plain.complete()
    assert s3.get_object_attributes(Bucket="parts", Key="plain", ObjectAttributes=["ObjectParts"])["ObjectParts"] == {"TotalPartsCount": 1}


def test_what_was_written_meanwhile_wins(s3):
    s3.put_object(Bucket="parts", Key="raced", Body=b"one")
    upload = Upload(s3, "raced")
    etag = s3.put_object(Bucket="parts", Key="raced", Body=b"two")["ETag"]
    assert upload.refusal(IfMatch=etag) == {
        "Code": "ConditionalRequestConflict", "Condition": "If-Match", "Key": "raced",
        "Message": "The conditional request cannot succeed due to a conflicting operation against this resource."}
    assert s3.get_object(Bucket="parts", Key="raced")["Body"].read() == b"two"
    Upload(s3, "raced").complete(IfMatch=etag)
