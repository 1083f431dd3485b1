"""Confirms orders: reads them from the queue and updates the table. An item that cannot be used is reported, so that
only it comes back, and ends in the dead letter queue."""
import datetime
import functools
import hashlib
import hmac
import http.client
import json
import os
import urllib.parse

REGION = os.environ.get("AWS_REGION", "us-east-1")
_connection = None


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@functools.lru_cache(maxsize=4)
def _signing_key(secret, date):
    """Good for a day: derived once, not for each call."""
    key = ("AWS4" + secret).encode()
    for part in (date, REGION, "dynamodb", "aws4_request"):
        key = _hmac(key, part)
    return key


def dynamodb(operation, request):
    """One signed call, over a connection that is kept."""
    global _connection
    base = urllib.parse.urlsplit(os.environ.get("AWS_ENDPOINT_URL") or f"https://dynamodb.{REGION}.amazonaws.com")
    body = json.dumps(request).encode()
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": base.netloc,
        "x-amz-date": now,
        "x-amz-target": f"DynamoDB_20120810.{operation}",
    }
    if os.environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = os.environ["AWS_SESSION_TOKEN"]
    if os.environ.get("_X_AMZN_TRACE_ID"):  # as the AWS SDKs do: the trace of this invocation goes along
        headers["x-amzn-trace-id"] = os.environ["_X_AMZN_TRACE_ID"]
    names = sorted(headers)
    canonical = "\n".join(["POST", "/", "", *(f"{n}:{headers[n]}" for n in names), "", ";".join(names), hashlib.sha256(body).hexdigest()])
    scope = f"{now[:8]}/{REGION}/dynamodb/aws4_request"
    signature = _hmac(_signing_key(os.environ.get("AWS_SECRET_ACCESS_KEY", ""), now[:8]), f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    for attempt in (1, 2):
        if _connection is None:
            kind = http.client.HTTPConnection if base.scheme == "http" else http.client.HTTPSConnection
            _connection = kind(base.hostname, base.port, timeout=5)
        try:
            _connection.request("POST", "/", body, headers)
            response = _connection.getresponse()
            text = response.read()
            break
        except (http.client.HTTPException, OSError):
            _connection = None
            if attempt == 2:
                raise
    if response.status >= 300:
        raise RuntimeError(f"dynamodb answered {response.status}: {text.decode()}")
    return json.loads(text)


def confirm(order_id):
    dynamodb("UpdateItem", {
        "TableName": os.environ["TABLE"],
        "Key": {"id": {"S": order_id}},
        "UpdateExpression": "SET #s = :confirmed",
        "ConditionExpression": "attribute_exists(id)",
        "ExpressionAttributeNames": {"#s": "status"},
        "ExpressionAttributeValues": {":confirmed": {"S": "CONFIRMED"}},
    })


def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            confirm(json.loads(record["body"])["id"])
            print(f"confirmed {record['body']}")
        except Exception as error:  # whatever is wrong with one order must not hold up the others
            print(f"failed {record['messageId']}: {error}")
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
