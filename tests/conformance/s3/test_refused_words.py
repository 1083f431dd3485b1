"""Values of headers that S3 does not know are refused in its words."""
import pytest
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def s3(daemon):
    client = daemon.client("s3")
    client.create_bucket(Bucket="refused-words")
    client.put_object(Bucket="refused-words", Key="o", Body=b"x")
    return client


@pytest.mark.parametrize("words", [
    ("InvalidStorageClass", "The storage class you specified is not valid", {"StorageClass": "FOO"}),
    ("InvalidArgument", "The encryption method specified is not supported", {"ServerSideEncryption": "DES"})])
def test_of_new_objects(s3, words):
    code, message, given = words
    for call in (lambda: s3.put_object(Bucket="refused-words", Key="n", Body=b"x", **given), lambda: s3.create_multipart_upload(Bucket="refused-words", Key="n", **given),
                 lambda: s3.copy_object(Bucket="refused-words", Key="n", CopySource="refused-words/o", **given)):
        with pytest.raises(ClientError) as error:
            call()
        assert (error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]) == (code, message)


@pytest.mark.parametrize("given, message", [({"MetadataDirective": "NO"}, "Unknown metadata directive."), ({"TaggingDirective": "NO"}, "Unknown tagging directive.")])
def test_of_copies(s3, given, message):
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket="refused-words", Key="n", CopySource="refused-words/o", **given)
    assert (error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]) == ("InvalidArgument", message)
