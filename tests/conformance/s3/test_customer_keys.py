"""Objects encrypted with keys that come with each request (SSE-C): what is on the disk, and who gets it back."""
import base64
import hashlib
import os
import pathlib

import pytest
from botocore.exceptions import ClientError

KEY, OTHER = b"1234567890abcdef1234567890abcdef", b"abcdef1234567890abcdef1234567890"
SECRET = b"nobody reads this on the disk. "


@pytest.fixture(scope="module")
def s3(daemon):
    client = daemon.client("s3")
    client.create_bucket(Bucket="bucket")
    return client


def keyed(key, prefix="SSECustomer"):
    return {prefix + "Algorithm": "AES256", prefix + "Key": base64.b64encode(key).decode(),
            prefix + "KeyMD5": base64.b64encode(hashlib.md5(key).digest()).decode()}


def of_source(key):
    return keyed(key, "CopySourceSSECustomer")


def error(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


MISSING = (400, "InvalidRequest", "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
WRONG = (403, "AccessDenied", "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.")


@pytest.mark.parametrize("size", [0, 20, 5000, 16384, 16385, 1_000_003])
def test_any_size_and_any_range(s3, size):
    body = (SECRET * (size // len(SECRET) + 1))[:size]
    put = s3.put_object(Bucket="bucket", Key=f"of-{size}", Body=body, **keyed(KEY))
    assert put["SSECustomerAlgorithm"] == "AES256" and "ServerSideEncryption" not in put
    it = {"Bucket": "bucket", "Key": f"of-{size}"}
    got = s3.get_object(**it, **keyed(KEY))
    assert got["Body"].read() == body and got["ETag"] == put["ETag"] and got["SSECustomerKeyMD5"] == keyed(KEY)["SSECustomerKeyMD5"]
    assert "ServerSideEncryption" not in got and got["ContentLength"] == size
    if size:
        assert put["ETag"].strip('"') != hashlib.md5(body).hexdigest()
        for first, last in ((0, 0), (1, 17), (15, 16), (size // 2, size - 1)):
            if last < size:
                assert s3.get_object(**it, **keyed(KEY), Range=f"bytes={first}-{last}")["Body"].read() == body[first:last + 1]
    assert error(s3.get_object, **it) == MISSING
    assert error(s3.get_object, **it, **keyed(OTHER)) == WRONG
    assert error(s3.head_object, **it, **keyed(OTHER))[0] == 403 and error(s3.head_object, **it)[0] == 400
    assert s3.head_object(**it, **keyed(KEY))["ContentLength"] == size
    assert error(s3.get_object_attributes, **it, ObjectAttributes=["ETag"]) == MISSING


def test_nothing_readable_on_the_disk(daemon, s3):
    for name, size in (("small", 3000), ("large", 200_000)):
        s3.put_object(Bucket="bucket", Key=name, Body=(SECRET * 10_000)[:size], **keyed(KEY))
    s3.put_object(Bucket="bucket", Key="open", Body=b"this one is not hidden. " * 10)
    found_open = False
    for path in pathlib.Path(daemon.data).rglob("*"):
        if path.is_file():
            bytes_ = path.read_bytes()
            assert SECRET not in bytes_ and KEY not in bytes_ and base64.b64encode(KEY) not in bytes_, path
            found_open = found_open or b"this one is not hidden" in bytes_
    assert found_open


def test_headers(s3):
    put = lambda **kwargs: error(s3.put_object, Bucket="bucket", Key="bad", Body=b"1", **kwargs)
    good = keyed(KEY)
    assert put(**good, ServerSideEncryption="AES256")[1:] == (
        "InvalidArgument", "Server Side Encryption with Customer provided key is incompatible with the encryption method specified")
    assert put(**{**good, "SSECustomerAlgorithm": "KMS"})[1:] == (
        "InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.")
    assert put(SSECustomerAlgorithm="AES256", SSECustomerKeyMD5=good["SSECustomerKeyMD5"])[2] == (
        "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.")
    assert put(**keyed(KEY[:10]))[2] == "The secret key was invalid for the specified algorithm."
    assert put(**{**good, "SSECustomerKeyMD5": keyed(OTHER)["SSECustomerKeyMD5"]})[2] == "The calculated MD5 hash of the key did not match the hash that was provided."
    s3.put_object(Bucket="bucket", Key="open", Body=b"1")
    assert error(s3.get_object, Bucket="bucket", Key="open", **good)[1] == "InvalidRequest"
    body = b"checked"
    s3.put_object(Bucket="bucket", Key="checked", Body=body, ContentMD5=base64.b64encode(hashlib.md5(body).digest()).decode(), **good)
    assert put(**good, ContentMD5=base64.b64encode(hashlib.md5(b"other").digest()).decode())[1] == "BadDigest"


def test_copies(s3):
    body = os.urandom(100_000)
    s3.put_object(Bucket="bucket", Key="source", Body=body, **keyed(KEY))
    copy = lambda **kwargs: s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/source", **kwargs)
    assert error(copy)[:2] == (400, "InvalidRequest") and error(copy, **of_source(OTHER)) == WRONG
    assert copy(**of_source(KEY))["ServerSideEncryption"] == "AES256"
    assert s3.get_object(Bucket="bucket", Key="copy")["Body"].read() == body
    assert copy(**of_source(KEY), **keyed(OTHER))["SSECustomerAlgorithm"] == "AES256"
    assert error(s3.get_object, Bucket="bucket", Key="copy", **keyed(KEY)) == WRONG
    assert s3.get_object(Bucket="bucket", Key="copy", **keyed(OTHER))["Body"].read() == body
    # Over itself, with another key.
    s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/copy", **of_source(OTHER), **keyed(KEY))
    assert s3.get_object(Bucket="bucket", Key="copy", **keyed(KEY))["Body"].read() == body


def test_uploads_in_parts(s3):
    source = os.urandom(70_000)
    s3.put_object(Bucket="bucket", Key="part-source", Body=source, **keyed(OTHER))
    upload = s3.create_multipart_upload(Bucket="bucket", Key="parts", **keyed(KEY))
    assert upload["SSECustomerAlgorithm"] == "AES256" and "ServerSideEncryption" not in upload
    it = {"Bucket": "bucket", "Key": "parts", "UploadId": upload["UploadId"]}
    assert error(s3.upload_part, **it, PartNumber=1, Body=b"1")[2] == (
        "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.")
    assert error(s3.upload_part, **it, PartNumber=1, Body=b"1", **keyed(OTHER))[2] == "The provided encryption parameters did not match the ones used originally."
    first = os.urandom(5 << 20)
    etags = [s3.upload_part(**it, PartNumber=1, Body=first, **keyed(KEY))["ETag"],
             s3.upload_part_copy(**it, PartNumber=2, CopySource="bucket/part-source", CopySourceRange="bytes=10-60009", **of_source(OTHER),
                                 **keyed(KEY))["CopyPartResult"]["ETag"]]
    s3.complete_multipart_upload(**it, MultipartUpload={"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]})
    whole = first + source[10:60_010]
    assert s3.get_object(Bucket="bucket", Key="parts", **keyed(KEY))["Body"].read() == whole
    middle = 5 << 20
    got = s3.get_object(Bucket="bucket", Key="parts", Range=f"bytes={middle - 37}-{middle + 41}", **keyed(KEY))
    assert got["Body"].read() == whole[middle - 37:middle + 42]
    assert s3.get_object(Bucket="bucket", Key="parts", PartNumber=2, **keyed(KEY))["Body"].read() == source[10:60_010]
    assert error(s3.get_object, Bucket="bucket", Key="parts") == MISSING
