"""Integrations of HTTP APIs that change what they hand on and hand back, and those that call a service themselves."""
import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from support import function_package, wait_for

ECHO = """exports.handler = async e => ({statusCode: e.headers['x-fail'] ? 500 : 200, headers: {'x-inner': 'secret', 'x-kept': 'k'},
  body: JSON.stringify({one: e.headers['x-one'] || null, two: e.headers['x-two'] || null, query: e.rawQueryString, code: 418})})"""


@pytest.fixture
def api(daemon):
    gateway = daemon.client("apigatewayv2")
    gateway.id = gateway.create_api(Name="mapped", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=gateway.id, StageName="$default", AutoDeploy=True, StageVariables={"env": "dev"})

    def add(route, **integration):
        made = gateway.create_integration(ApiId=gateway.id, **integration)["IntegrationId"]
        gateway.create_route(ApiId=gateway.id, RouteKey=route, Target=f"integrations/{made}")
    gateway.add = add
    yield gateway
    gateway.delete_api(ApiId=gateway.id)


def call(daemon, api, path, body=None, headers=None):
    request = urllib.request.Request(f"{daemon.url}{path}", data=body and body.encode(), headers={"Host": f"{api.id}.execute-api.us-east-1.localhost", **(headers or {})})
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, dict(reply.headers), reply.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, dict(refused.headers), refused.read().decode()


def test_requests_and_replies_are_changed(daemon, api):
    functions = daemon.client("lambda")
    arn = functions.create_function(FunctionName="mapped", Runtime="nodejs20.x", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r",
                                    Code={"ZipFile": function_package(ECHO)})["FunctionArn"]
    api.add("ANY /orders/{id}", IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0",
            RequestParameters={"overwrite:header.x-one": "order ${request.path.id} in ${stageVariables.env}", "remove:header.x-two": "''", "append:querystring.from": "$request.body.who.name"},
            ResponseParameters={"200": {"remove:header.x-inner": "''", "overwrite:header.x-code": "$response.body.code"}, "500": {"overwrite:statuscode": "503"}})
    status, headers, text = call(daemon, api, "/orders/7?a=b", json.dumps({"who": {"name": "ann & bob"}}), {"x-one": "mine", "x-two": "gone"})
    assert (status, json.loads(text)) == (200, {"one": "order 7 in dev", "two": None, "query": "a=b&from=ann%20%26%20bob", "code": 418})
    assert headers["x-code"] == "418" and headers["x-kept"] == "k" and "x-inner" not in headers
    assert call(daemon, api, "/orders/7", "{}", {"x-fail": "yes"})[0] == 503
    functions.delete_function(FunctionName="mapped")


def test_a_queue_is_sent_to_and_read_from(daemon, api):
    sqs = daemon.client("sqs")
    url = sqs.create_queue(QueueName="from-api")["QueueUrl"]
    api.add("POST /send", IntegrationType="AWS_PROXY", IntegrationSubtype="SQS-SendMessage", PayloadFormatVersion="1.0", CredentialsArn="arn:aws:iam::000000000000:role/r",
            RequestParameters={"QueueUrl": url, "MessageBody": "$request.body", "MessageAttributes": '{"who": {"DataType": "String", "StringValue": "${request.header.x-who}"}}'})
    api.add("GET /receive", IntegrationType="AWS_PROXY", IntegrationSubtype="SQS-ReceiveMessage", PayloadFormatVersion="1.0", CredentialsArn="arn:aws:iam::000000000000:role/r",
            RequestParameters={"QueueUrl": url, "MaxNumberOfMessages": "1"})
    status, headers, text = call(daemon, api, "/send", '{"item": "lamp"}', {"x-who": "ann"})
    assert status == 200 and "xml" in headers["Content-Type"] and "<SendMessageResponse" in text and "<MessageId>" in text
    message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]
    assert message["Body"] == '{"item": "lamp"}' and message["MessageAttributes"]["who"]["StringValue"] == "ann"
    assert "<Body>{&quot;item&quot;: &quot;lamp&quot;}</Body>" in call(daemon, api, "/receive")[2]
    sqs.delete_queue(QueueUrl=url)
    status, _, text = call(daemon, api, "/send", "late", {"x-who": "ann"})
    assert status == 400 and "NonExistentQueue" in text


def test_events_are_put(daemon, api):
    sqs, events = daemon.client("sqs"), daemon.client("events")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    events.put_rule(Name="heard", EventPattern='{"source": ["web"]}')
    events.put_targets(Rule="heard", Targets=[{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:000000000000:heard"}])
    api.add("POST /", IntegrationType="AWS_PROXY", IntegrationSubtype="EventBridge-PutEvents", PayloadFormatVersion="1.0", CredentialsArn="arn:aws:iam::000000000000:role/r",
            RequestParameters={"Detail": "$request.body.Detail", "DetailType": "Ordered", "Source": "web"})
    status, _, text = call(daemon, api, "/", json.dumps({"Detail": {"item": "lamp"}}))
    assert status == 200 and json.loads(text)["FailedEntryCount"] == 0 and json.loads(text)["Entries"][0]["EventId"]
    heard = wait_for(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), what="the event")
    assert json.loads(heard[0]["Body"])["detail"] == {"item": "lamp"}
    assert call(daemon, api, "/", "{}")[0] == 400   # no Detail
    events.remove_targets(Rule="heard", Ids=["q"])
    events.delete_rule(Name="heard")
    sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize("integration, code, message", [
    ({"IntegrationSubtype": "StepFunctions-StartExecution", "RequestParameters": {"Input": "{}"}}, "NotImplemented", "StepFunctions-StartExecution is not supported"),
    ({"IntegrationSubtype": "SQS-SendMessage", "RequestParameters": {"QueueUrl": "u"}}, "BadRequestException", "MessageBody"),
    ({"IntegrationUri": "arn:aws:lambda:us-east-1:000000000000:function:f", "RequestParameters": {"append:header.authorization": "x"}}, "BadRequestException", "Operations on header authorization are restricted"),
])
def test_what_cannot_be_is_refused(api, integration, code, message):
    with pytest.raises(ClientError) as refused:
        api.add("GET /x", IntegrationType="AWS_PROXY", PayloadFormatVersion="1.0", **integration)
    assert refused.value.response["Error"]["Code"] == code and message in refused.value.response["Error"]["Message"]
