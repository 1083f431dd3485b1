"""Object Lock: what is retained or held stays, as AWS answers it."""
import datetime
import json

import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(daemon):
    return daemon.client("s3")


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response


def code(call, **arguments):
    answer = refusal(call, **arguments)
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def later(**kwargs):
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(**kwargs)


DENIED = (403, "AccessDenied")


def test_configuration(s3):
    s3.create_bucket(Bucket="existing")
    assert code(s3.get_object_lock_configuration, Bucket="existing") == (404, "ObjectLockConfigurationNotFoundError")
    enabled = {"ObjectLockEnabled": "Enabled"}
    assert refusal(s3.put_object_lock_configuration, Bucket="existing", ObjectLockConfiguration=enabled)["Error"] == {
        "Code": "InvalidBucketState", "Message": "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"}
    s3.put_bucket_versioning(Bucket="existing", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(Bucket="existing", ObjectLockConfiguration=enabled)
    assert s3.get_object_lock_configuration(Bucket="existing")["ObjectLockConfiguration"] == enabled
    assert refusal(s3.put_bucket_versioning, Bucket="existing", VersioningConfiguration={"Status": "Suspended"})["Error"] == {
        "Code": "InvalidBucketState",
        "Message": "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."}
    s3.put_bucket_versioning(Bucket="existing", VersioningConfiguration={"Status": "Enabled"})
    rule = lambda **kept: {**enabled, "Rule": {"DefaultRetention": kept}}
    for bad in ({}, {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}, {**enabled, "Rule": {}}, rule(), rule(Mode="GOVERNANCE"),
                rule(Mode="OTHER", Days=1), rule(Mode="GOVERNANCE", Days=1, Years=1)):
        assert code(s3.put_object_lock_configuration, Bucket="existing", ObjectLockConfiguration=bad) == (400, "MalformedXML"), bad
    for bad in (rule(Mode="GOVERNANCE", Days=0), rule(Mode="GOVERNANCE", Years=101)):
        assert code(s3.put_object_lock_configuration, Bucket="existing", ObjectLockConfiguration=bad) == (400, "InvalidArgument"), bad


@pytest.fixture(scope="module")
def locked(s3):
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    assert s3.get_bucket_versioning(Bucket="locked")["Status"] == "Enabled"
    return "locked"


def test_governance(s3, locked):
    version = s3.put_object(Bucket=locked, Key="g", Body=b"1")["VersionId"]
    it = {"Bucket": locked, "Key": "g", "VersionId": version}
    assert code(s3.get_object_retention, **it) == (404, "NoSuchObjectLockConfiguration")
    until = later(days=10).replace(microsecond=0)
    s3.put_object_retention(**it, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    assert s3.get_object_retention(**it)["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    head = s3.head_object(Bucket=locked, Key="g")
    assert head["ObjectLockMode"] == "GOVERNANCE" and head["ObjectLockRetainUntilDate"] == until
    assert refusal(s3.delete_object, **it)["Error"] == {"Code": "AccessDenied", "Message": "Access Denied because object protected by object lock."}
    several = s3.delete_objects(Bucket=locked, Delete={"Objects": [{"Key": "g", "VersionId": version}, {"Key": "not there"}]})
    assert [(one["Key"], one["Code"]) for one in several["Errors"]] == [("g", "AccessDenied")] and len(several["Deleted"]) == 1
    retain = lambda **kwargs: dict(it, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": later(**kwargs)})
    assert code(s3.put_object_retention, **retain(days=9)) == DENIED
    assert code(s3.put_object_retention, **it, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later(days=20)}) == DENIED
    assert code(s3.put_object_retention, **it, Retention={}) == DENIED
    past = refusal(s3.put_object_retention, **it, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": datetime.datetime(2020, 7, 1)})["Error"]
    assert past == {"Code": "InvalidArgument", "Message": "The retain until date must be in the future!", "ArgumentName": "RetainUntilDate",
                    "ArgumentValue": "Tue Jun 30 17:00:00 PDT 2020"}
    s3.put_object_retention(**retain(days=11))
    s3.put_object_retention(**retain(days=1), BypassGovernanceRetention=True)
    # A delete marker may always be put over it.
    marker = s3.delete_object(Bucket=locked, Key="g")
    assert marker["DeleteMarker"]
    assert code(s3.get_object_retention, Bucket=locked, Key="g", VersionId=marker["VersionId"]) == (405, "MethodNotAllowed")
    s3.delete_object(**it, BypassGovernanceRetention=True)
    assert code(s3.head_object, **it)[0] == 404


def test_compliance_ends_with_its_time(new_daemon):
    daemon = new_daemon()
    s3 = daemon.client("s3")
    s3.create_bucket(Bucket="strict", ObjectLockEnabledForBucket=True)
    version = s3.put_object(Bucket="strict", Key="c", Body=b"x" * 50_000, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=later(days=2))["VersionId"]
    it = {"Bucket": "strict", "Key": "c", "VersionId": version}
    assert code(s3.delete_object, **it, BypassGovernanceRetention=True) == DENIED
    for mode, days in (("COMPLIANCE", 1), ("GOVERNANCE", 3)):
        assert code(s3.put_object_retention, **it, Retention={"Mode": mode, "RetainUntilDate": later(days=days)}, BypassGovernanceRetention=True) == DENIED
    s3.put_object_retention(**it, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later(days=3)})
    assert code(s3.delete_bucket, Bucket="strict") == (409, "BucketNotEmpty")
    daemon.advance(2.5 * 86400)
    assert code(s3.delete_object, **it) == DENIED
    daemon.kill()
    daemon.start()
    assert code(s3.delete_object, **it) == DENIED
    daemon.advance(86400)
    s3.delete_object(**it)
    assert code(s3.head_object, **it)[0] == 404


def test_legal_hold(s3, locked):
    version = s3.put_object(Bucket=locked, Key="h", Body=b"1", ObjectLockLegalHoldStatus="ON")["VersionId"]
    it = {"Bucket": locked, "Key": "h", "VersionId": version}
    assert s3.get_object_legal_hold(**it)["LegalHold"] == {"Status": "ON"}
    assert code(s3.delete_object, **it, BypassGovernanceRetention=True) == DENIED
    s3.put_object_legal_hold(**it, LegalHold={"Status": "OFF"})
    assert s3.head_object(**it)["ObjectLockLegalHoldStatus"] == "OFF"
    assert code(s3.put_object_legal_hold, **it, LegalHold={"Status": "MAYBE"}) == (400, "MalformedXML")
    assert code(s3.put_object_legal_hold, Bucket=locked, Key="none", LegalHold={"Status": "ON"}) == (404, "NoSuchKey")
    s3.delete_object(**it)


def test_headers(s3, locked):
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="k", Body=b"1")
    put = lambda **kwargs: refusal(s3.put_object, Bucket=locked, Key="bad", Body=b"1", **kwargs)["Error"]
    both = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
    assert put(ObjectLockMode="GOVERNANCE") == {"Code": "InvalidArgument", "Message": both, "ArgumentName": "x-amz-object-lock-retain-until-date"}
    assert put(ObjectLockRetainUntilDate=later(days=1)) == {"Code": "InvalidArgument", "Message": both, "ArgumentName": "x-amz-object-lock-mode"}
    unknown = {"Code": "InvalidArgument", "Message": "Unknown wormMode directive.", "ArgumentName": "x-amz-object-lock-mode", "ArgumentValue": "BAD"}
    assert put(ObjectLockMode="BAD", ObjectLockRetainUntilDate=later(days=1)) == unknown
    assert refusal(s3.create_multipart_upload, Bucket=locked, Key="bad", ObjectLockMode="BAD", ObjectLockRetainUntilDate=later(days=1))["Error"] == unknown
    assert put(ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=later(days=-1))["Message"] == "The retain until date must be in the future!"
    missing = {"Code": "InvalidRequest", "Message": "Bucket is missing Object Lock Configuration"}
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": later(days=1)}
    assert refusal(s3.put_object, Bucket="plain", Key="k", Body=b"1", **lock)["Error"] == missing
    assert refusal(s3.get_object_retention, Bucket="plain", Key="k")["Error"] == missing
    assert refusal(s3.put_object_legal_hold, Bucket="plain", Key="k", LegalHold={"Status": "ON"})["Error"] == missing
    assert code(s3.delete_object, Bucket="plain", Key="k", BypassGovernanceRetention=True) == (400, "InvalidArgument")
    # A copy has the lock that its request asks for, and not its source's.
    s3.put_object(Bucket=locked, Key="source", Body=b"1", ObjectLockLegalHoldStatus="ON", **lock)
    s3.copy_object(Bucket=locked, Key="copy", CopySource=f"{locked}/source")
    assert "ObjectLockMode" not in s3.head_object(Bucket=locked, Key="copy")
    s3.copy_object(Bucket=locked, Key="copy", CopySource=f"{locked}/source", **lock)
    assert s3.head_object(Bucket=locked, Key="copy")["ObjectLockMode"] == "GOVERNANCE"
    upload = s3.create_multipart_upload(Bucket=locked, Key="parts", **lock)["UploadId"]
    etag = s3.upload_part(Bucket=locked, Key="parts", UploadId=upload, PartNumber=1, Body=b"1")["ETag"]
    version = s3.complete_multipart_upload(Bucket=locked, Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})["VersionId"]
    assert code(s3.delete_object, Bucket=locked, Key="parts", VersionId=version) == DENIED


def test_default_retention_of_a_stack(daemon, s3):
    stacks = daemon.client("cloudformation")
    template = lambda days: json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {
        "BucketName": "kept-by-a-stack", "ObjectLockEnabled": True, "VersioningConfiguration": {"Status": "Enabled"},
        "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": days}}}}}}})
    stacks.create_stack(StackName="lock", TemplateBody=template(2))
    stacks.get_waiter("stack_create_complete").wait(StackName="lock", WaiterConfig={"Delay": 1})
    version = s3.put_object(Bucket="kept-by-a-stack", Key="k", Body=b"1")["VersionId"]
    head = s3.head_object(Bucket="kept-by-a-stack", Key="k")
    assert head["ObjectLockMode"] == "GOVERNANCE"
    assert abs(head["ObjectLockRetainUntilDate"] - later(days=2)) < datetime.timedelta(minutes=2)
    assert code(s3.delete_object, Bucket="kept-by-a-stack", Key="k", VersionId=version) == DENIED
    stacks.update_stack(StackName="lock", TemplateBody=template("3"))
    stacks.get_waiter("stack_update_complete").wait(StackName="lock", WaiterConfig={"Delay": 1})
    rule = s3.get_object_lock_configuration(Bucket="kept-by-a-stack")["ObjectLockConfiguration"]["Rule"]
    assert rule == {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
