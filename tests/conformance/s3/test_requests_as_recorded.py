"""Small things that S3 was recorded to say of requests."""
import base64
import urllib.error
import urllib.request

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(daemon):
    client = daemon.client("s3", s3={"addressing_style": "path"})
    client.create_bucket(Bucket="as-recorded")
    client.put_object(Bucket="as-recorded", Key="a key", Body=b"text")
    return client


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]


def test_the_expected_owner_is_an_account(s3):
    told = refusal(s3.list_objects_v2, Bucket="as-recorded", ExpectedBucketOwner="abcd")
    assert told["Code"] == "InvalidBucketOwnerAWSAccountID" and told["Message"].endswith("must be an AWS Account ID... [abcd]")
    assert refusal(s3.list_objects_v2, Bucket="as-recorded", ExpectedBucketOwner="111111111111")["Code"] == "AccessDenied"


def test_digests_that_are_none(s3):
    told = refusal(s3.put_object, Bucket="as-recorded", Key="b", Body=b"text", ContentMD5="MTIz")
    assert told["Code"] == "InvalidDigest" and told["Content-MD5"] == "MTIz"
    told = refusal(s3.put_object, Bucket="as-recorded", Key="b", Body=b"text", ContentMD5=base64.b64encode(b"0123456789abcdef").decode())
    assert told["Code"] == "BadDigest" and told["ExpectedDigest"] == b"0123456789abcdef".hex()
    told = refusal(s3.put_object, Bucket="as-recorded", Key="b", Body=b"text", ChecksumCRC32="dGVzdA=")
    assert told["Code"] == "InvalidRequest" and told["Message"] == "Value for x-amz-checksum-crc32 header is invalid."


def test_where_copies_come_from(s3, daemon):
    told = refusal(s3.copy_object, Bucket="as-recorded", Key="c", CopySource="nowhere")
    assert told["Message"] == "Invalid copy source object key" and told["ArgumentValue"] == "x-amz-copy-source"
    request = AWSRequest("PUT", f"{daemon.url}/as-recorded/plain", headers={"x-amz-copy-source": "as-recorded%2Fa+key", "Content-Length": "0"})
    S3SigV4Auth(Credentials("test", "test"), "s3", "us-east-1").add_auth(request)
    with urllib.request.urlopen(urllib.request.Request(request.url, method="PUT", headers=dict(request.headers))) as answer:
        assert b"CopyObjectResult" in answer.read()
    assert s3.get_object(Bucket="as-recorded", Key="plain")["Body"].read() == b"text"


def test_a_presigned_url_brings_headers(daemon, s3):
    def put(**parameters):
        request = AWSRequest("PUT", f"{daemon.url}/as-recorded/signed", params=parameters)
        S3SigV4QueryAuth(Credentials("test", "test"), "s3", "us-east-1").add_auth(request)
        try:
            with urllib.request.urlopen(urllib.request.Request(request.prepare().url, b"signed", method="PUT", headers={"Content-Type": ""})) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
    assert put(**{"If-None-Match": "*", "x-amz-meta-who": "me"}) == 200
    assert s3.head_object(Bucket="as-recorded", Key="signed")["Metadata"] == {"who": "me"}
    assert put(**{"If-None-Match": "*"}) == 412
