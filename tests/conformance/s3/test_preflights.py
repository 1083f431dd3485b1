"""What browsers ask before a request, and what they are told."""
import urllib.error
import urllib.request
import xml.etree.ElementTree as xml

import pytest

ORIGIN = "https://shop.example.com"


@pytest.fixture(scope="module")
def s3(daemon):
    return daemon.client("s3", s3={"addressing_style": "path"})


def ask(daemon, bucket, path="/", method="OPTIONS", **headers):
    """To the bucket as a host name."""
    request = urllib.request.Request(daemon.url + path, method=method,
                                     headers={"Host": f"{bucket}.s3.localhost.localstack.cloud", **{k.replace("_", "-"): v for k, v in headers.items()}})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def refusal(answer):
    return {element.tag: element.text for element in xml.fromstring(answer[2])}


def test_without_a_configuration(daemon, s3):
    s3.create_bucket(Bucket="no-cors")
    answer = ask(daemon, "no-cors")
    assert answer[0] == 400 and refusal(answer)["Message"] == "Insufficient information. Origin request header needed."
    answer = ask(daemon, "no-cors", Origin=ORIGIN, Access_Control_Request_Method="PUT")
    assert answer[0] == 403 and answer[1]["Server"] == "AmazonS3" and answer[1]["x-amz-request-id"]
    told = refusal(answer)
    assert told["Code"] == "AccessForbidden" and told["Message"] == "CORSResponse: CORS is not enabled for this bucket."
    assert told["Method"] == "PUT" and told["ResourceType"] == "BUCKET" and told["RequestId"] == answer[1]["x-amz-request-id"]
    answer = ask(daemon, "nobody-has-this", Origin=ORIGIN)
    assert answer[0] == 403 and refusal(answer)["Message"] == "CORSResponse: Bucket not found" and refusal(answer)["Method"] == "OPTIONS"


def test_rules_decide(daemon, s3):
    s3.create_bucket(Bucket="with-cors")
    s3.put_object(Bucket="with-cors", Key="key", Body=b"data")
    s3.put_bucket_cors(Bucket="with-cors", CORSConfiguration={"CORSRules": [
        {"AllowedOrigins": [ORIGIN], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-amz-*"], "MaxAgeSeconds": 3000}]})
    status, headers, _ = ask(daemon, "with-cors", "/key", Origin=ORIGIN, Access_Control_Request_Method="GET",
                             Access_Control_Request_Headers="X-Amz-Date,x-amz-request-payer")
    assert status == 200 and headers["Access-Control-Allow-Origin"] == ORIGIN and headers["Access-Control-Max-Age"] == "3000"
    assert headers["Access-Control-Allow-Headers"] == "x-amz-date, x-amz-request-payer"
    answer = ask(daemon, "with-cors", "/key", Origin=ORIGIN, Access_Control_Request_Method="PUT")
    assert answer[0] == 403 and refusal(answer)["ResourceType"] == "OBJECT"
    answer = ask(daemon, "with-cors", "/key", Origin=ORIGIN, Access_Control_Request_Method="GET", Access_Control_Request_Headers="authorization")
    assert answer[0] == 403
    assert ask(daemon, "with-cors", "/key", "GET", Origin=ORIGIN)[1]["Access-Control-Allow-Origin"] == ORIGIN
    assert ask(daemon, "with-cors", "/key", "GET", Origin="https://other.example.com")[1]["Access-Control-Allow-Origin"] is None
