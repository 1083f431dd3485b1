"""Uploads by an HTML form: what boto3's generate_presigned_post signs, posted as a browser would."""
import base64
import hashlib
import urllib.error
import urllib.request
import xml.etree.ElementTree as xml

import pytest
from support import wait_for


@pytest.fixture(scope="module")
def bucket(daemon):
    s3 = daemon.client("s3", signature_version="s3v4", s3={"addressing_style": "path"})
    s3.create_bucket(Bucket="forms")
    return s3


class Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def post(daemon, fields, content=b"content", file_name="photo.txt", kind="multipart/form-data; boundary=line"):
    parts = [f'--line\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    parts.append(f'--line\r\nContent-Disposition: form-data; name="file"; filename="{file_name}"\r\n\r\n'.encode() + content + b"\r\n--line--\r\n")
    request = urllib.request.Request(f"{daemon.url}/forms", b"".join(parts), method="POST", headers={"Content-Type": kind})
    try:
        with urllib.request.build_opener(Unfollowed).open(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def refusal(answer):
    return answer[0], {element.tag: element.text for element in xml.fromstring(answer[2])}


def test_a_file_is_stored_with_what_the_form_says(daemon, bucket):
    fields = {"x-amz-meta-Author": "me", "Content-Type": "text/plain", "success_action_status": "201",
              "tagging": "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"}
    form = bucket.generate_presigned_post("forms", "in/${filename}", Fields=fields, Conditions=[{name: value} for name, value in fields.items()])
    status, headers, body = post(daemon, form["fields"], file_name="C:\\photos\\photo.txt")
    stored = bucket.get_object(Bucket="forms", Key="in/photo.txt")
    assert stored["Body"].read() == b"content" and stored["ContentType"] == "text/plain" and stored["Metadata"] == {"author": "me"}
    assert bucket.get_object_tagging(Bucket="forms", Key="in/photo.txt")["TagSet"] == [{"Key": "a", "Value": "b"}]
    told = {element.tag: element.text for element in xml.fromstring(body)}
    assert status == 201 and told["Key"] == "in/photo.txt" and told["ETag"] == headers["ETag"] == stored["ETag"]
    assert headers["Location"] == told["Location"] == f"{daemon.url}/forms/in/photo.txt"


def test_where_the_browser_goes_next(daemon, bucket):
    form = bucket.generate_presigned_post("forms", "next", Fields={"success_action_redirect": "http://example.com/done?x=1"},
                                          Conditions=[["starts-with", "$success_action_redirect", "http://example.com/"]])
    status, headers, _ = post(daemon, form["fields"])
    assert status == 303 and headers["Location"].startswith("http://example.com/done?x=1&bucket=forms&key=next&etag=%22")
    status, _, body = post(daemon, bucket.generate_presigned_post("forms", "next")["fields"])
    assert status == 204 and not body


def test_what_the_policy_does_not_allow(daemon, bucket):
    form = bucket.generate_presigned_post("forms", "small", Conditions=[["content-length-range", 1, 3]])["fields"]
    status, told = refusal(post(daemon, form))
    assert (status, told["Code"], told["MaxSizeAllowed"], told["ProposedSize"]) == (400, "EntityTooLarge", "3", "7")
    assert post(daemon, form, content=b"abc")[0] == 204
    status, told = refusal(post(daemon, {**form, "acl": "private"}, content=b"abc"))
    assert (status, told["Message"]) == (403, "Invalid according to Policy: Extra input fields: acl")
    status, told = refusal(post(daemon, bucket.generate_presigned_post("forms", "late", ExpiresIn=-5)["fields"]))
    assert (status, told["Message"]) == (403, "Invalid according to Policy: Policy expired.")


def test_a_form_must_be_signed_and_whole(daemon, bucket):
    form = bucket.generate_presigned_post("forms", "unsigned")["fields"]
    status, told = refusal(post(daemon, {name: value for name, value in form.items() if name in ("key", "policy")}))
    assert (status, told["Code"]) == (403, "AccessDenied")
    status, told = refusal(post(daemon, {name: value for name, value in form.items() if name != "x-amz-signature"}))
    assert (status, told["ArgumentName"]) == (400, "X-Amz-Signature")
    status, told = refusal(post(daemon, {name: value for name, value in form.items() if name != "key"}))
    assert (status, told["ArgumentName"]) == (400, "key")
    status, told = refusal(post(daemon, form, kind="text/plain"))
    assert (status, told["Condition"]) == (412, "Bucket POST must be of the enclosure-type multipart/form-data")


def test_the_signature_of_a_key_that_is_known_is_checked(daemon, bucket):
    iam = daemon.client("iam")
    iam.create_user(UserName="poster")
    key = iam.create_access_key(UserName="poster")["AccessKey"]
    own = daemon.client("s3", key=key["AccessKeyId"], secret=key["SecretAccessKey"], signature_version="s3v4", s3={"addressing_style": "path"})
    form = own.generate_presigned_post("forms", "signed")["fields"]
    assert post(daemon, form)[0] == 204
    status, told = refusal(post(daemon, {**form, "x-amz-signature": "0" * 64}))
    assert (status, told["Code"], told["StringToSign"]) == (403, "SignatureDoesNotMatch", form["policy"])


def test_forms_signed_in_the_old_way(daemon, bucket):
    old = daemon.client("s3", signature_version="s3", s3={"addressing_style": "path"})
    form = old.generate_presigned_post("forms", "old")["fields"]
    assert "AWSAccessKeyId" in form and post(daemon, form)[0] == 204
    status, told = refusal(post(daemon, {name: value for name, value in form.items() if name != "signature"}))
    assert (status, told["ArgumentName"], told["ArgumentValue"]) == (400, "Signature", None)


def test_a_file_under_a_customers_key(daemon, bucket):
    key = b"k" * 32
    headers = {"x-amz-server-side-encryption-customer-algorithm": "AES256",
               "x-amz-server-side-encryption-customer-key": base64.b64encode(key).decode(),
               "x-amz-server-side-encryption-customer-key-MD5": base64.b64encode(hashlib.md5(key).digest()).decode()}
    bucket.put_bucket_metrics_configuration(Bucket="forms", Id="of-forms", MetricsConfiguration={"Id": "of-forms", "Filter": {"Prefix": "hid"}})
    form = bucket.generate_presigned_post("forms", "hidden", Fields=headers, Conditions=[{name: value} for name, value in headers.items()])
    status, answered, _ = post(daemon, form["fields"], b"hidden content")
    assert status == 204 and answered["x-amz-server-side-encryption-customer-algorithm"] == "AES256"
    with pytest.raises(bucket.exceptions.ClientError):
        bucket.get_object(Bucket="forms", Key="hidden")
    assert bucket.get_object(Bucket="forms", Key="hidden", SSECustomerAlgorithm="AES256", SSECustomerKey=key)["Body"].read() == b"hidden content"
    wait_for(lambda: "PostRequests" in [metric["MetricName"] for metric in daemon.client("cloudwatch").list_metrics(
        Namespace="AWS/S3", Dimensions=[{"Name": "FilterId", "Value": "of-forms"}])["Metrics"]], 10, "the form to be counted")
