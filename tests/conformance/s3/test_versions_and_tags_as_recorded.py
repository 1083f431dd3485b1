"""What S3 says of versions that are gone or never were, of delete markers, and of tags it does not take."""
import datetime

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(daemon):
    return daemon.client("s3", s3={"addressing_style": "path"})


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response


def versioned(s3, name):
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def test_versions_are_paged_past_a_marker_that_is_gone(s3):
    bucket = versioned(s3, "gone-marker")
    versions = [s3.put_object(Bucket=bucket, Key="key", Body=b"%d" % i)["VersionId"] for i in range(5)][::-1]
    page = s3.list_object_versions(Bucket=bucket, MaxKeys=2)
    assert [v["VersionId"] for v in page["Versions"]] == versions[:2]
    s3.delete_object(Bucket=bucket, Key="key", VersionId=versions[1])
    page = s3.list_object_versions(Bucket=bucket, KeyMarker=page["NextKeyMarker"], VersionIdMarker=page["NextVersionIdMarker"])
    assert [v["VersionId"] for v in page["Versions"]] == versions[2:]
    assert not page["Versions"][0]["IsLatest"]
    s3.delete_object(Bucket=bucket, Key="key", VersionId=versions[0])
    page = s3.list_object_versions(Bucket=bucket, KeyMarker="key", VersionIdMarker=versions[1])
    assert page["Versions"][0]["IsLatest"]


def test_a_delete_marker_has_no_tags(s3):
    bucket = versioned(s3, "marked")
    s3.put_object(Bucket=bucket, Key="key")
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    for which in ({}, {"VersionId": marker}):
        for method, call, more in (("PUT", s3.put_object_tagging, {"Tagging": {"TagSet": []}}), ("GET", s3.get_object_tagging, {}),
                                   ("DELETE", s3.delete_object_tagging, {})):
            answer = refusal(call, Bucket=bucket, Key="key", **which, **more)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 405 and answer["Error"]["Code"] == "MethodNotAllowed"
            assert answer["Error"]["Method"] == method and answer["Error"]["ResourceType"] == "DeleteMarker"
            assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert refusal(s3.get_object_acl, Bucket=bucket, Key="key")["Error"]["Code"] == "NoSuchKey"
    assert refusal(s3.put_object_acl, Bucket=bucket, Key="key", ACL="private")["Error"]["Code"] == "MethodNotAllowed"
    assert refusal(s3.get_object, Bucket=bucket, Key="key", VersionId=marker)["ResponseMetadata"]["HTTPHeaders"]["allow"] == "DELETE"


def test_a_version_that_never_was_is_an_invalid_argument(s3):
    s3.create_bucket(Bucket="plain")
    version = s3.put_object(Bucket=versioned(s3, "with-versions"), Key="key")["VersionId"]
    misspelt = version[:-4] + ("AAAA" if not version.endswith("AAAA") else "BBBB")
    for bucket, wrong in (("plain", version), ("with-versions", misspelt)):
        answer = refusal(s3.delete_object, Bucket=bucket, Key="key", VersionId=wrong)
        assert answer["Error"] == {"Code": "InvalidArgument", "Message": "Invalid version id specified", "ArgumentName": "versionId",
                                   "ArgumentValue": wrong}
        several = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "key", "VersionId": wrong}]})
        assert [e["Code"] for e in several["Errors"]] == ["NoSuchVersion"]
    s3.delete_object(Bucket="with-versions", Key="key", VersionId=version)
    assert refusal(s3.get_object, Bucket="with-versions", Key="key", VersionId=version)["Error"]["Code"] == "NoSuchVersion"


def test_tags_are_checked(s3):
    s3.create_bucket(Bucket="tagged")
    s3.put_object(Bucket="tagged", Key="key", Tagging="a=1&&b")
    assert sorted(t["Key"] for t in s3.get_object_tagging(Bucket="tagged", Key="key")["TagSet"]) == ["a", "b"]
    for wrong in ("a=1&a=2", "a=1,b=2"):
        answer = refusal(s3.put_object, Bucket="tagged", Key="key", Tagging=wrong)["Error"]
        assert answer["Code"] == "InvalidArgument" and answer["ArgumentValue"] == wrong
    for tags, said in (([("k,k", "v")], {"TagKey": "k,k"}), ([("k", "v,v")], {"TagKey": "k", "TagValue": "v,v"}), ([("k", "1"), ("k", "2")], {"TagKey": "k"})):
        tagging = {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}
        answer = refusal(s3.put_bucket_tagging, Bucket="tagged", Tagging=tagging)["Error"]
        assert answer["Code"] == "InvalidTag" and said.items() <= answer.items()
    s3.put_bucket_tagging(Bucket="tagged", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.put_bucket_tagging(Bucket="tagged", Tagging={"TagSet": []})
    assert refusal(s3.get_bucket_tagging, Bucket="tagged")["Error"]["Code"] == "NoSuchTagSet"


def test_configurations_that_are_not_supported_say_their_names(s3):
    s3.create_bucket(Bucket="configured")
    for name in ("Analytics", "Inventory", "IntelligentTiering"):
        operation = f"List{'Bucket' + name}Configurations"
        snake = {"IntelligentTiering": "intelligent_tiering"}.get(name, name.lower())
        answer = refusal(getattr(s3, f"list_bucket_{snake}_configurations"), Bucket="configured")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501 and operation in answer["Error"]["Message"]
        answer = refusal(getattr(s3, f"get_bucket_{snake}_configuration"), Bucket="configured", Id="x")
        assert f"GetBucket{name}Configuration" in answer["Error"]["Message"]


def test_uploads_of_a_key_are_listed_as_they_began(s3):
    s3.create_bucket(Bucket="begun")
    ids = [s3.create_multipart_upload(Bucket="begun", Key="key")["UploadId"] for _ in range(6)]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket="begun")["Uploads"]] == ids


def test_a_time_to_come_is_no_condition(s3):
    s3.create_bucket(Bucket="conditions")
    s3.put_object(Bucket="conditions", Key="key", Body=b"x")
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    copied = s3.copy_object(Bucket="conditions", Key="copy", CopySource="conditions/key", CopySourceIfModifiedSince=later)
    assert "ChecksumType" not in copied["CopyObjectResult"]
