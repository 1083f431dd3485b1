"""S3 through boto3 and plain HTTP."""
import base64
import hashlib
import io
import json
import os
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from support import wait_for


@pytest.fixture(scope="module")
def s3(daemon):
    return daemon.client("s3")


@pytest.fixture
def bucket(s3, request):
    name = "b-" + hashlib.md5(request.node.name.encode()).hexdigest()
    s3.create_bucket(Bucket=name)
    yield name
    s3.delete_bucket_policy(Bucket=name)
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
            s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=name)


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def fetch(url, method="GET", data=None, **headers):
    request = urllib.request.Request(url, method=method, data=data, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as reply:
        return reply.code, reply.headers, reply.read()


def test_objects_keep_bytes_headers_and_metadata(s3, bucket):
    key = "a/b c+d%é.txt"
    put = s3.put_object(Bucket=bucket, Key=key, Body=b"hello world", ContentType="text/plain", CacheControl="max-age=1",
                        Metadata={"Foo": "Bar"}, Tagging="k=v")
    assert put["ETag"] == '"5eb63bbbe01eeed093cb22bb8f5acdc3"'
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == b"hello world" and got["Metadata"] == {"foo": "Bar"} and got["TagCount"] == 1
    head = s3.head_object(Bucket=bucket, Key=key)
    assert (head["ContentLength"], head["ContentType"], head["CacheControl"]) == (11, "text/plain", "max-age=1")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]


@pytest.mark.parametrize("size", [0, 1, 16 * 1024, 16 * 1024 + 1, 3 * 1024 * 1024 + 17])
def test_sizes_and_ranges(s3, bucket, size):
    body = os.urandom(size)
    assert s3.put_object(Bucket=bucket, Key="k", Body=body)["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
    if size > 10:
        part = s3.get_object(Bucket=bucket, Key="k", Range="bytes=2-5")
        assert part["Body"].read() == body[2:6] and part["ContentRange"] == f"bytes 2-5/{size}"
        assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=-3")["Body"].read() == body[-3:]
        assert s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={size - 2}-")["Body"].read() == body[-2:]
    assert error_of(s3.get_object, Bucket=bucket, Key="k", Range=f"bytes={size}-") == "InvalidRange"


def test_conditional_requests(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=etag) == "304"
    assert error_of(s3.get_object, Bucket=bucket, Key="k", IfMatch='"x"') == "PreconditionFailed"
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfMatch='"x"') == "PreconditionFailed"
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)


@pytest.mark.parametrize("algorithm, value", [("CRC32", "y/Q5Jg=="), ("SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
                                              ("SHA256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=")])
def test_checksums(s3, bucket, algorithm, value):
    s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", ChecksumAlgorithm=algorithm)
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["Checksum" + algorithm] == value
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"x", **{"Checksum" + algorithm: value}) == "BadDigest"


def test_streamed_upload_with_a_trailing_checksum(s3, bucket, daemon):
    status, headers, _ = fetch(f"{daemon.url}/{bucket}/k", "PUT", b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
                               Content_Encoding="aws-chunked", X_Amz_Content_Sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                               X_Amz_Decoded_Content_Length="5", X_Amz_Trailer="x-amz-checksum-crc32")
    assert status == 200 and headers["x-amz-checksum-crc32"] == "NhCmhg=="
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"hello" and "ContentEncoding" not in got


def test_copies(s3, bucket):
    body = os.urandom(50_000)
    s3.put_object(Bucket=bucket, Key="from", Body=body, Metadata={"a": "1"}, Tagging="k=v")
    s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from"})
    s3.delete_object(Bucket=bucket, Key="from")
    got = s3.get_object(Bucket=bucket, Key="to")
    assert got["Body"].read() == body and got["Metadata"] == {"a": "1"}
    assert s3.get_object_tagging(Bucket=bucket, Key="to")["TagSet"] == [{"Key": "k", "Value": "v"}]
    assert error_of(s3.copy_object, Bucket=bucket, Key="to", CopySource=f"{bucket}/to") == "InvalidRequest"
    s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/to", MetadataDirective="REPLACE", Metadata={"b": "2"})
    assert s3.head_object(Bucket=bucket, Key="to")["Metadata"] == {"b": "2"}
    assert error_of(s3.copy_object, Bucket=bucket, Key="x", CopySource=f"{bucket}/absent") == "NoSuchKey"


def test_listings(s3, bucket):
    for key in ("l/1", "l/2", "l/d/1", "l/d/2", "l/e/1", "l/z", "m"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    pages = [([entry["Key"] for entry in page.get("Contents", [])], [group["Prefix"] for group in page.get("CommonPrefixes", [])])
             for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="l/", Delimiter="/", PaginationConfig={"PageSize": 2})]
    assert pages == [(["l/1", "l/2"], []), ([], ["l/d/", "l/e/"]), (["l/z"], [])]
    older = [([entry["Key"] for entry in page.get("Contents", [])], [group["Prefix"] for group in page.get("CommonPrefixes", [])])
             for page in s3.get_paginator("list_objects").paginate(Bucket=bucket, Prefix="l/", Delimiter="/", PaginationConfig={"PageSize": 2})]
    assert older == pages
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, StartAfter="l/e")["Contents"]] == ["l/e/1", "l/z", "m"]
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "l/1"}, {"Key": "absent"}]})["Deleted"]
    assert [entry["Key"] for entry in deleted] == ["l/1", "absent"]


def test_uploads_in_parts(s3, bucket):
    first, last = os.urandom(5 << 20), b"tail"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ContentType="x/y")["UploadId"]
    etags = [s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=n, Body=body)["ETag"] for n, body in ((1, first), (2, last))]
    assert [part["Size"] for part in s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]] == [5 << 20, 4]
    assert [one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["k"]
    parts = [{"PartNumber": n + 1, "ETag": etag} for n, etag in enumerate(etags)]
    complete = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    assert error_of(s3.complete_multipart_upload, **complete, MultipartUpload={"Parts": parts[::-1]}) == "InvalidPartOrder"
    assert error_of(s3.complete_multipart_upload, **complete, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"0"'}]}) == "InvalidPart"
    done = s3.complete_multipart_upload(**complete, MultipartUpload={"Parts": parts})
    digests = hashlib.md5(hashlib.md5(first).digest() + hashlib.md5(last).digest()).hexdigest()
    assert done["ETag"] == f'"{digests}-2"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == first + last and got["ContentType"] == "x/y"
    assert s3.get_object(Bucket=bucket, Key="k", PartNumber=2)["Body"].read() == last
    assert s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts"])["ObjectParts"]["TotalPartsCount"] == 2
    assert error_of(s3.list_parts, Bucket=bucket, Key="k", UploadId=upload) == "NoSuchUpload"
    small = s3.create_multipart_upload(Bucket=bucket, Key="s")["UploadId"]
    etags = [s3.upload_part(Bucket=bucket, Key="s", UploadId=small, PartNumber=n, Body=b"x")["ETag"] for n in (1, 2)]
    assert error_of(s3.complete_multipart_upload, Bucket=bucket, Key="s", UploadId=small, MultipartUpload={
        "Parts": [{"PartNumber": n + 1, "ETag": etag} for n, etag in enumerate(etags)]}) == "EntityTooSmall"
    s3.abort_multipart_upload(Bucket=bucket, Key="s", UploadId=small)


def test_transfers_of_large_files(s3, bucket):
    body = os.urandom(20 << 20)
    s3.upload_fileobj(io.BytesIO(body), bucket, "large")
    back = io.BytesIO()
    s3.download_fileobj(bucket, "large", back)
    assert back.getvalue() == body
    assert s3.head_object(Bucket=bucket, Key="large", ChecksumMode="ENABLED")["ChecksumCRC32"].endswith("-3")


def test_versions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"v0")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"v1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"v2")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] and error_of(s3.get_object, Bucket=bucket, Key="k") == "NoSuchKey"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"v1"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"v0"
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1}))
    assert [version["VersionId"] for page in pages for version in page.get("Versions", [])] == [second, first, "null"]
    assert error_of(s3.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"v2"


@pytest.mark.parametrize("operation, code", [
    ("get_bucket_policy", "NoSuchBucketPolicy"), ("get_bucket_cors", "NoSuchCORSConfiguration"),
    ("get_bucket_website", "NoSuchWebsiteConfiguration"), ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
    ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
    ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"), ("get_bucket_tagging", "NoSuchTagSet")])
def test_absent_configurations_have_codes_of_their_own(s3, bucket, operation, code):
    assert error_of(getattr(s3, operation), Bucket=bucket) == code


def test_configurations_come_back_as_they_were(s3, bucket):
    cors = [{"AllowedOrigins": ["http://x.test"], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 30}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": cors})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == cors
    rules = [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "l/"}, "Expiration": {"Days": 3}}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "i.html"}})
    assert s3.get_bucket_website(Bucket=bucket)["IndexDocument"] == {"Suffix": "i.html"}
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0][
        "ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_cross_origin_requests(s3, bucket, daemon):
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": ["http://x.test"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"]}]})
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    url = f"{daemon.url}/{bucket}/k"
    status, headers, _ = fetch(url, "OPTIONS", Origin="http://x.test", Access_Control_Request_Method="PUT", Access_Control_Request_Headers="x-a")
    assert status == 200 and headers["Access-Control-Allow-Methods"] == "GET, PUT" and headers["Access-Control-Allow-Headers"] == "x-a"
    assert fetch(url, "OPTIONS", Origin="http://y.test", Access_Control_Request_Method="PUT")[0] == 403
    assert fetch(url, Origin="http://x.test")[1]["Access-Control-Allow-Origin"] == "http://x.test"
    assert fetch(url + "-absent", Origin="http://x.test")[1]["Access-Control-Allow-Origin"] == "http://x.test"


def test_presigned_urls(s3, bucket):
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    assert fetch(url, "PUT", b"signed")[0] == 200
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k", "ResponseContentType": "a/b"})
    status, headers, body = fetch(url)
    assert (status, headers["content-type"], body) == (200, "a/b", b"signed")


def test_events_reach_queues(s3, bucket, daemon):
    sqs = daemon.client("sqs")
    url = sqs.create_queue(QueueName=bucket)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    configure = s3.put_bucket_notification_configuration
    assert error_of(configure, Bucket=bucket, NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn + "-absent", "Events": ["s3:ObjectCreated:*"]}]}) == "InvalidArgument"
    configure(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [
        {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
         "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}}]})
    s3.put_object(Bucket=bucket, Key="in/a b", Body=b"1")
    s3.put_object(Bucket=bucket, Key="out/a", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="in/a b")
    bodies = []

    def receive():
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            bodies.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(bodies) >= 3

    wait_for(receive, what="three messages")
    assert bodies[0]["Event"] == "s3:TestEvent"
    events = {body["Records"][0]["eventName"]: body["Records"][0]["s3"]["object"]["key"] for body in bodies[1:]}
    assert events == {"ObjectCreated:Put": "in/a+b", "ObjectRemoved:Delete": "in/a+b"}


def test_buckets(s3, bucket):
    assert bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert error_of(s3.head_bucket, Bucket=bucket, ExpectedBucketOwner="111111111111") == "403"
    s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="000000000000")
    assert error_of(s3.create_bucket, Bucket="Bad_Name") == "InvalidBucketName"
    assert error_of(s3.head_bucket, Bucket="absent") == "404" and error_of(s3.list_objects_v2, Bucket="absent") == "NoSuchBucket"
    assert error_of(s3.put_object, Bucket=bucket, Key="k", Body=b"", ContentMD5=base64.b64encode(b"0" * 16).decode()) == "BadDigest"


def test_objects_survive_kill(new_daemon):
    one = new_daemon()
    s3 = one.client("s3")
    s3.create_bucket(Bucket="kept")
    bodies = {f"k{i}": os.urandom(10 if i % 2 else 30_000) for i in range(40)}
    for key, body in bodies.items():
        s3.put_object(Bucket="kept", Key=key, Body=body)
    one.kill()
    one.start()
    s3 = one.client("s3")
    assert {key: s3.get_object(Bucket="kept", Key=key)["Body"].read() for key in bodies} == bodies
