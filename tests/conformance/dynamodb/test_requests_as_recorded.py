"""What DynamoDB's parser says of values of a wrong kind, and which of several faults it names."""
import json
import urllib.error
import urllib.request

import pytest

SIGNED = ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, "
          "Signature=0000000000000000000000000000000000000000000000000000000000000000")


def ask(daemon, operation, body):
    request = urllib.request.Request(daemon.url, json.dumps(body).encode(), method="POST", headers={
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}", "Authorization": SIGNED})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    return json.loads(refused.value.read())


@pytest.mark.parametrize("body, text", [
    ({"TableName": 34.5}, "DECIMAL_VALUE cannot be converted to String"),
    ({"TableName": 34}, "NUMBER_VALUE cannot be converted to String"),
    ({"ConsistentRead": "maybe"}, "Unexpected token received from parser"),
    ({"Key": []}, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"),
    ({"ExpressionAttributeNames": []}, "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>"),
    ({"Key": {"a": "text"}}, "Unexpected value type in payload"),
    ({"Key": {"a": {"N": 1e3}}}, "DECIMAL_VALUE cannot be converted to String"),
    ({"Key": {"a": {"B": []}}}, "Unrecognized collection type class java.nio.ByteBuffer"),
    ({"Key": {"a": {"B": "+/+="}}}, "Invalid last non-pad Base64 character dectected"),
    ({"Key": {"a": {"B": "23456"}}}, "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
    ({"Key": {"a": {"L": {}}}}, "Start of structure or map found where not expected"),
])
def test_a_value_of_a_wrong_kind(daemon, body, text):
    answer = ask(daemon, "GetItem", body)
    assert answer == {"__type": "com.amazon.coral.service#SerializationException", "Message": text}


def test_flags_may_be_words(daemon):
    answer = ask(daemon, "GetItem", {"TableName": "nowhere", "ConsistentRead": "yes", "Key": {"a": {"NULL": "no"}}})
    assert answer["message"] == "One or more parameter values were invalid: Null attribute value types must have the value of true"


def test_a_bad_number_counts_before_a_second_type(daemon):
    answer = ask(daemon, "GetItem", {"TableName": "nowhere", "Key": {"a": {"S": "a", "N": "b"}}})
    assert answer["message"] == "The parameter cannot be converted to a numeric value: b"
    answer = ask(daemon, "GetItem", {"TableName": "nowhere", "Key": {"a": {"S": "a", "N": "1"}}})
    assert answer["message"].startswith("Supplied AttributeValue has more than one datatypes set")


def test_enumerations_are_listed_in_the_order_of_aws(daemon):
    answer = ask(daemon, "GetItem", {"TableName": "nowhere", "Key": {"a": {"S": "a"}}, "ReturnConsumedCapacity": "hi"})
    assert "[INDEXES, TOTAL, NONE]" in answer["message"]
    answer = ask(daemon, "DeleteItem", {"TableName": "nowhere", "Key": {"a": {"S": "a"}}, "ReturnValues": "hi"})
    assert "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]" in answer["message"]
