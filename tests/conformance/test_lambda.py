"""Lambda through boto3: what functions do, and what goes wrong in AWS's words."""
import base64
import io
import json
import time
import urllib.error
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/lambda"
ECHO = "exports.handler = async (e, c) => ({e, v: c.functionVersion, arn: c.invokedFunctionArn})"


@pytest.fixture(scope="module")
def functions(daemon):
    return daemon.client("lambda", read_timeout=70)


@pytest.fixture(scope="module")
def queues(daemon):
    return daemon.client("sqs")


def zip_of(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name.replace("__", "/").replace("_dot_", "."))
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, text)
    return buffer.getvalue()


@pytest.fixture
def make(functions):
    made = []

    def create(text, runtime="nodejs20.x", name=None, **kwargs):
        name = name or f"f-{time.monotonic_ns()}"
        file = "index_dot_py" if runtime.startswith("python") else "bootstrap" if runtime.startswith("provided") else "index_dot_js"
        functions.create_function(FunctionName=name, Runtime=runtime, Role=ROLE, Handler="index.handler", Code={"ZipFile": zip_of(**{file: text})}, **kwargs)
        made.append(name)
        return name
    yield create
    for name in made:
        try:
            functions.delete_function(FunctionName=name)
        except functions.exceptions.ResourceNotFoundException:
            pass


def eventually(check, seconds=15):
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)


def invoke(functions, name, payload=None, **kwargs):
    reply = functions.invoke(FunctionName=name, Payload=json.dumps(payload or {}), **kwargs)
    return json.loads(reply["Payload"].read() or b"null"), reply


def fails(code, call, *args, **kwargs):
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response


def test_runtimes(functions, make):
    assert invoke(functions, make(ECHO), {"a": 1})[0]["e"] == {"a": 1}
    assert invoke(functions, make("def handler(e, c):\n  return e", "python3.11"), {"a": 1})[0] == {"a": 1}
    bootstrap = """#!/bin/sh
exec /usr/bin/python3 -u -c '
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
  api.request("GET", "/2018-06-01/runtime/invocation/next"); r = api.getresponse(); body = r.read()
  api.request("POST", "/2018-06-01/runtime/invocation/%s/response" % r.headers["Lambda-Runtime-Aws-Request-Id"], body); api.getresponse().read()
'"""
    assert invoke(functions, make(bootstrap, "provided.al2023"), {"a": 1})[0] == {"a": 1}
    for runtime in ("java21", "ruby3.3"):
        assert runtime in fails("InvalidParameterValueException", make, ECHO, runtime)["Error"]["Message"]


def test_environment_log_tail_and_errors(functions, make):
    name = make("exports.handler = async (e) => { console.log('seen', process.env.NAME); if (e.fail) throw new RangeError('bad'); return process.env.NAME }",
                Environment={"Variables": {"NAME": "value"}})
    body, reply = invoke(functions, name, LogType="Tail")
    assert body == "value" and reply["ExecutedVersion"] == "$LATEST" and "FunctionError" not in reply
    tail = base64.b64decode(reply["LogResult"]).decode()
    assert tail.startswith("START RequestId: ") and "INFO\tseen value\n" in tail and "\nREPORT RequestId: " in tail
    body, reply = invoke(functions, name, {"fail": True})
    assert reply["FunctionError"] == "Unhandled" and body["errorType"] == "RangeError" and body["errorMessage"] == "bad"
    name = make("exports.handler = async () => new Promise(r => setTimeout(r, 9000))", Timeout=1)
    body, reply = invoke(functions, name)
    assert reply["FunctionError"] == "Unhandled" and body["errorMessage"].endswith("Task timed out after 1.00 seconds")
    fails("InvalidRequestContentException", functions.invoke, FunctionName=name, Payload=b"{")
    fails("ResourceNotFoundException", functions.invoke, FunctionName="absent")
    fails("ResourceConflictException", make, ECHO, name=name)
    fails("InvalidParameterValueException", functions.create_function, FunctionName="x1", Runtime="nodejs20.x", Role=ROLE, Handler="i.h", Code={"ZipFile": b"no zip"})
    fails("InvalidParameterValueException", make, ECHO, Environment={"Variables": {"AWS_REGION": "x"}})


def test_versions_aliases_and_updates(functions, make):
    name = make("exports.handler = async (e, c) => 'one ' + c.functionVersion", Publish=True)
    assert invoke(functions, name, Qualifier="1")[0] == "one 1"
    assert functions.publish_version(FunctionName=name)["Version"] == "1"
    functions.update_function_code(FunctionName=name, ZipFile=zip_of(index_dot_js="exports.handler = async (e, c) => 'two ' + c.functionVersion"))
    assert invoke(functions, name)[0] == "two $LATEST"
    assert invoke(functions, name + ":1")[0] == "one 1"
    assert functions.publish_version(FunctionName=name, Description="d")["Version"] == "2"
    alias = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert alias["AliasArn"].endswith(f":{name}:live")
    assert invoke(functions, alias["AliasArn"])[0] == "one 1"
    functions.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    seen = {invoke(functions, name, Qualifier="live")[1]["ExecutedVersion"] for _ in range(40)}
    assert seen == {"1", "2"}
    fails("ResourceConflictException", functions.delete_function, FunctionName=name, Qualifier="1")
    functions.delete_alias(FunctionName=name, Name="live")
    fails("ResourceNotFoundException", functions.invoke, FunctionName=name, Qualifier="live")
    functions.delete_function(FunctionName=name, Qualifier="1")
    assert [v["Version"] for v in functions.list_versions_by_function(FunctionName=name)["Versions"]] == ["$LATEST", "2"]
    revision = functions.get_function_configuration(FunctionName=name)["RevisionId"]
    functions.update_function_configuration(FunctionName=name, Timeout=7, Environment={"Variables": {"KEY": "v"}}, RevisionId=revision)
    fails("PreconditionFailedException", functions.update_function_configuration, FunctionName=name, Timeout=8, RevisionId=revision)
    config = functions.get_function_configuration(FunctionName=name)
    assert config["Timeout"] == 7 and config["Environment"]["Variables"] == {"KEY": "v"} and config["LastUpdateStatus"] == "Successful"
    fails("ValidationException", functions.update_function_configuration, FunctionName=name, Timeout=901)


def test_layers(functions, make):
    layer = functions.publish_layer_version(LayerName="greeting", Content={"ZipFile": zip_of(nodejs__node_modules__greet__index_dot_js="module.exports = () => 'hi from layer'")}, CompatibleRuntimes=["nodejs20.x"])
    other = functions.publish_layer_version(LayerName="data", Content={"ZipFile": zip_of(data_dot_txt="42")})
    name = make("const greet = require('greet'); exports.handler = async () => greet() + ' ' + require('fs').readFileSync('/opt/data.txt')", Layers=[layer["LayerVersionArn"], other["LayerVersionArn"]])
    assert invoke(functions, name)[0] == "hi from layer 42"
    assert functions.get_layer_version_by_arn(Arn=layer["LayerVersionArn"])["Version"] == layer["Version"]
    assert any(one["LayerName"] == "greeting" for one in functions.list_layers()["Layers"])
    fails("InvalidParameterValueException", functions.update_function_configuration, FunctionName=name, Layers=[layer["LayerArn"] + ":99"])
    functions.delete_layer_version(LayerName="greeting", VersionNumber=layer["Version"])
    assert invoke(functions, name)[0] == "hi from layer 42"


def test_reserved_concurrency(functions, make):
    name = make(ECHO)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    error = fails("TooManyRequestsException", functions.invoke, FunctionName=name)
    assert error["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded" and error["ResponseMetadata"]["HTTPStatusCode"] == 429
    functions.delete_function_concurrency(FunctionName=name)
    assert invoke(functions, name)[1]["StatusCode"] == 200
    fails("InvalidParameterValueException", functions.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=950)


def test_permissions_and_tags(functions, make):
    name = make(ECHO, Tags={"a": "1"})
    statement = json.loads(functions.add_permission(FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::b")["Statement"])
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"} and statement["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}
    fails("ResourceConflictException", functions.add_permission, FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="*")
    assert [s["Sid"] for s in json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]] == ["s3"]
    functions.remove_permission(FunctionName=name, StatementId="s3")
    fails("ResourceNotFoundException", functions.get_policy, FunctionName=name)
    arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    functions.tag_resource(Resource=arn, Tags={"b": "2"})
    functions.untag_resource(Resource=arn, TagKeys=["a"])
    assert functions.list_tags(Resource=arn)["Tags"] == {"b": "2"}


def test_function_url(functions, make, daemon):
    name = make("""exports.handler = async (e) => e.rawPath === '/plain' ? {hello: 'world'} :
        ({statusCode: 201, headers: {'X-Seen': e.requestContext.http.method}, cookies: ['a=b'], body: JSON.stringify({path: e.rawPath, q: e.queryStringParameters, body: e.body})})""")
    url = functions.create_function_url_config(FunctionName=name, AuthType="NONE", Cors={"AllowOrigins": ["*"]})["FunctionUrl"]
    host = url.split("/")[2]

    def get(path, data=None, headers=None):
        return urllib.request.urlopen(urllib.request.Request(daemon.url + path, data=data, headers={"Host": host, **(headers or {})}))
    reply = get("/x/y?a=1&a=2", b'{"k":1}', {"Content-Type": "application/json", "Origin": "http://site"})
    assert reply.status == 201 and reply.headers["X-Seen"] == "POST" and reply.headers["Set-Cookie"] == "a=b" and reply.headers["Access-Control-Allow-Origin"] == "*"
    assert json.loads(reply.read()) == {"path": "/x/y", "q": {"a": "1,2"}, "body": '{"k":1}'}
    assert json.loads(get("/plain").read()) == {"hello": "world"}
    functions.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    with pytest.raises(urllib.error.HTTPError) as caught:
        get("/")
    assert caught.value.code == 403


def test_streaming(functions, make, daemon):
    name = make("""exports.handler = awslambda.streamifyResponse(async (e, stream) => {
        stream = awslambda.HttpResponseStream.from(stream, {statusCode: 202, headers: {'content-type': 'text/plain'}});
        for (let i = 0; i < 3; i++) { stream.write('part' + i + ' '); await new Promise(r => setTimeout(r, 20)); }
        stream.end(); })""")
    reply = functions.invoke_with_response_stream(FunctionName=name, Payload=b"{}", LogType="Tail")
    events = list(reply["EventStream"])
    assert b"".join(e["PayloadChunk"]["Payload"] for e in events if "PayloadChunk" in e).endswith(b"part0 part1 part2 ")
    assert "REPORT" in base64.b64decode(events[-1]["InvokeComplete"]["LogResult"]).decode()
    url = functions.create_function_url_config(FunctionName=name, AuthType="NONE", InvokeMode="RESPONSE_STREAM")["FunctionUrl"]
    reply = urllib.request.urlopen(urllib.request.Request(daemon.url + "/", headers={"Host": url.split("/")[2]}))
    assert reply.status == 202 and reply.headers["content-type"] == "text/plain" and reply.read() == b"part0 part1 part2 "


def queue(queues, name, **attributes):
    url = queues.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(queues, url):
    return queues.receive_message(QueueUrl=url, WaitTimeSeconds=10, MessageAttributeNames=["All"]).get("Messages", [])


def test_asynchronous_retries_destinations_and_dead_letters(functions, queues, make, daemon):
    failed_url, failed = queue(queues, "async-failed")
    ok_url, ok = queue(queues, "async-ok")
    dead_url, dead = queue(queues, "async-dead")
    name = make("exports.handler = async (e) => { if (e.fail) throw new Error('no'); return {done: true} }", DeadLetterConfig={"TargetArn": dead})
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=2, DestinationConfig={"OnSuccess": {"Destination": ok}, "OnFailure": {"Destination": failed}})
    assert functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')["StatusCode"] == 202
    record = json.loads(receive(queues, ok_url)[0]["Body"])
    assert record["requestContext"]["condition"] == "Success" and record["requestPayload"] == {"n": 1} and record["responsePayload"] == {"done": True}
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"fail": true}')
    time.sleep(0.5)
    daemon.advance(61)
    time.sleep(0.5)
    daemon.advance(121)
    record = json.loads(receive(queues, failed_url)[0]["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted" and record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorMessage"] == "no" and record["responseContext"]["functionError"] == "Unhandled"
    message = receive(queues, dead_url)[0]
    assert json.loads(message["Body"]) == {"fail": True} and message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no"


def test_event_source_mapping(functions, queues, make):
    url, arn = queue(queues, "source", VisibilityTimeout="5")
    out_url, out = queue(queues, "out")
    name = make("""exports.handler = async (e) => ({batchItemFailures: e.Records.filter(r => JSON.parse(r.body).bad && r.attributes.ApproximateReceiveCount < 2).map(r => ({itemIdentifier: r.messageId}))})""")
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    mapping = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=5, FunctionResponseTypes=["ReportBatchItemFailures"],
                                                    FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"kind": ["order"]}})}]})
    assert mapping["State"] == "Creating" and functions.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Enabled"
    for i in range(12):
        queues.send_message(QueueUrl=url, MessageBody=json.dumps({"kind": "order" if i % 3 else "other", "n": i, "bad": i == 4}))

    def left():
        counts = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])
    assert eventually(lambda: left() == 1, 5) or left() <= 1
    assert eventually(lambda: left() == 0, 15)
    fails("ResourceConflictException", functions.create_event_source_mapping, EventSourceArn=arn, FunctionName=name)
    fails("InvalidParameterValueException", functions.create_event_source_mapping, EventSourceArn=arn[:-6] + "absent", FunctionName=name)
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    assert functions.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Disabled"
    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    fails("ResourceNotFoundException", functions.get_event_source_mapping, UUID=mapping["UUID"])


def test_functions_reach_the_system(functions, queues, make):
    url, _ = queue(queues, "reached")
    name = make("""const http = require('http');
exports.handler = async () => new Promise((resolve, reject) => {
  const body = JSON.stringify({QueueUrl: '%s', MessageBody: 'from inside'});
  const request = http.request(process.env.AWS_ENDPOINT_URL, {method: 'POST', headers: {'X-Amz-Target': 'AmazonSQS.SendMessage', 'Content-Type': 'application/x-amz-json-1.0', 'Content-Length': body.length}}, r => { r.resume(); r.on('end', () => resolve(r.statusCode)) });
  request.on('error', reject);
  request.end(body);
});""" % url)
    assert invoke(functions, name)[0] == 200
    assert receive(queues, url)[0]["Body"] == "from inside"


def test_survives_a_kill(functions, queues, make, daemon):
    url, arn = queue(queues, "after-kill")
    name = make("exports.handler = async (e) => 'still here ' + e.n", Publish=True)
    functions.put_function_event_invoke_config(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}})
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 7}')
    daemon.kill()
    daemon.start()
    functions.delete_function_concurrency(FunctionName=name)
    assert invoke(functions, name, {"n": 1})[0] == "still here 1"
    daemon.advance(600)
    assert json.loads(receive(queues, url)[0]["Body"])["responsePayload"] == "still here 7"


EXTENSION = """#!/usr/bin/python3
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, headers, body=None):
    api.request(method, "/2020-01-01/extension/" + path, body, headers)
    reply = api.getresponse()
    return reply, json.loads(reply.read())
reply, about = call("POST", "register", {"Lambda-Extension-Name": "ext"}, json.dumps({"events": ["INVOKE", "SHUTDOWN"]}))
own = {"Lambda-Extension-Identifier": reply.headers["Lambda-Extension-Identifier"]}
print("registered for " + about["functionName"], flush=True)
while True:
    _, event = call("GET", "event/next", own)
    print("extension saw " + event["eventType"] + " " + event.get("shutdownReason", ""), flush=True)
    if event["eventType"] == "SHUTDOWN":
        break
"""


def test_extensions(functions, make, daemon):
    layer = functions.publish_layer_version(LayerName="extension", Content={"ZipFile": zip_of(extensions__ext=EXTENSION)})
    name = make("exports.handler = async (e) => e", Layers=[layer["LayerVersionArn"]])
    assert invoke(functions, name, {"n": 1})[0] == {"n": 1}
    assert invoke(functions, name, {"n": 2})[0] == {"n": 2}
    functions.update_function_configuration(FunctionName=name, Timeout=4)
    logs = daemon.client("logs")

    def lines():
        return [e["message"].strip() for e in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
    assert eventually(lambda: "extension saw SHUTDOWN spindown" in lines(), 5), lines()
    assert lines().count("extension saw INVOKE") == 2 and f"registered for {name}" in lines()


def test_fifo_groups_stay_in_order(functions, queues, make, daemon):
    url, arn = queue(queues, "ordered.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    name = make("exports.handler = async (e) => { for (const r of e.Records) { console.log('got', r.attributes.MessageGroupId, r.body); await new Promise(f => setTimeout(f, Math.random() * 20)) } }")
    for i in range(30):
        queues.send_message(QueueUrl=url, MessageBody=str(i), MessageGroupId=f"g{i % 3}")
    functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=3)

    def left():
        counts = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])
    assert eventually(lambda: left() == 0, 15)
    seen = {}
    for event in daemon.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}", filterPattern="got")["events"]:
        _, group, body = event["message"].strip().rsplit(" ", 2)
        seen.setdefault(group, []).append(int(body))
    assert seen == {f"g{g}": list(range(g, 30, 3)) for g in range(3)}
