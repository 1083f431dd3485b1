import http.server
import json
import threading
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from support import function_package, wait_for

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def events(daemon):
    return daemon.client("events")


@pytest.fixture(scope="module")
def sqs(daemon):
    return daemon.client("sqs")


def error_of(caught):
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def make_queue(sqs, name, **attributes):
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(sqs, url, count=1):
    """Exactly so many bodies; what comes is deleted."""
    bodies = []
    while len(bodies) < count:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=10, MessageAttributeNames=["All"]).get("Messages", [])
        assert messages, f"{len(bodies)} of {count} came"
        for message in messages:
            bodies.append(message)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert len(bodies) == count
    return bodies


def is_empty(sqs, url):
    return "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)


def entry(detail, source="orders", kind="placed", **more):
    return {"Source": source, "DetailType": kind, "Detail": json.dumps(detail), **more}


def test_events_reach_the_queue_of_a_rule_that_matches(events, sqs):
    url, arn = make_queue(sqs, "first")
    rule = events.put_rule(Name="first", EventPattern=json.dumps({"source": ["orders"], "detail": {"total": [{"numeric": [">", 100]}]}}))
    assert rule["RuleArn"] == f"arn:aws:events:us-east-1:{ACCOUNT}:rule/first"
    assert events.put_targets(Rule="first", Targets=[{"Id": "1", "Arn": arn}])["FailedEntryCount"] == 0
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    sent = events.put_events(Entries=[entry({"total": 101}, Time=when, Resources=["arn:a"]), entry({"total": 99})])
    assert sent["FailedEntryCount"] == 0
    event = json.loads(receive(sqs, url)[0]["Body"])
    assert event == {"version": "0", "id": sent["Entries"][0]["EventId"], "detail-type": "placed", "source": "orders", "account": ACCOUNT,
                     "time": "2026-01-02T03:04:05Z", "region": "us-east-1", "resources": ["arn:a"], "detail": {"total": 101}}
    assert is_empty(sqs, url)
    events.disable_rule(Name="first")
    events.put_events(Entries=[entry({"total": 102})])
    events.enable_rule(Name="first")
    events.put_events(Entries=[entry({"total": 103})])
    assert json.loads(receive(sqs, url)[0]["Body"])["detail"] == {"total": 103}


def test_entries_fail_one_by_one(events):
    reply = events.put_events(Entries=[{"DetailType": "t", "Detail": "{}"}, {"Source": "s", "Detail": "{}"}, {"Source": "s", "DetailType": "t"},
                                       {"Source": "s", "DetailType": "t", "Detail": "{"}, {"Source": "aws.ec2", "DetailType": "t", "Detail": "{}"},
                                       {"Source": "s", "DetailType": "t", "Detail": "{}"}])
    assert reply["FailedEntryCount"] == 5
    assert [one.get("ErrorCode") for one in reply["Entries"]] == ["InvalidArgument"] * 3 + ["MalformedDetail", "NotAuthorizedForSourceException", None]
    assert reply["Entries"][0]["ErrorMessage"] == "Parameter Source is not valid. Reason: Source is a required argument."
    with pytest.raises(ClientError) as caught:
        events.put_events(Entries=[entry({})] * 11)
    assert "Member must have length less than or equal to 10" in error_of(caught)[1]
    with pytest.raises(ClientError) as caught:
        events.put_events(Entries=[entry({"x": "y" * 1_100_000})])
    assert error_of(caught) == ("ValidationException", "Total size of the entries in the request is over the limit.")


def test_patterns_are_checked(events):
    with pytest.raises(ClientError) as caught:
        events.put_rule(Name="bad", EventPattern=json.dumps({"source": "aws.s3"}))
    code, message = error_of(caught)
    assert code == "InvalidEventPatternException"
    assert message.startswith('Event pattern is not valid. Reason: "source" must be an object or an array')
    with pytest.raises(ClientError) as caught:
        events.put_rule(Name="bad")
    assert error_of(caught) == ("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
    event = {"id": "1", "account": ACCOUNT, "source": "orders", "time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": [], "detail-type": "t", "detail": {"a": [1, 2]}}
    assert events.test_event_pattern(EventPattern='{"detail":{"a":[2]}}', Event=json.dumps(event))["Result"] is True
    assert events.test_event_pattern(EventPattern='{"detail":{"a":[3]}}', Event=json.dumps(event))["Result"] is False


def test_rules_are_described_and_listed(events, sqs):
    url, arn = make_queue(sqs, "listed")
    for name in ("list-a", "list-b", "list-c"):
        events.put_rule(Name=name, EventPattern='{"source":["s"]}', Description="d", Tags=[{"Key": "k", "Value": name}])
        events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn}])
    assert events.describe_rule(Name="list-a") | {"ResponseMetadata": 0} == {
        "Name": "list-a", "Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/list-a", "EventPattern": '{"source":["s"]}', "State": "ENABLED",
        "Description": "d", "EventBusName": "default", "CreatedBy": ACCOUNT, "ResponseMetadata": 0}
    page = events.list_rules(NamePrefix="list-", Limit=2)
    assert [rule["Name"] for rule in page["Rules"]] == ["list-a", "list-b"]
    assert [rule["Name"] for rule in events.list_rules(NamePrefix="list-", NextToken=page["NextToken"])["Rules"]] == ["list-c"]
    assert {"list-a", "list-b", "list-c"} <= set(events.list_rule_names_by_target(TargetArn=arn)["RuleNames"])
    assert events.list_targets_by_rule(Rule="list-a")["Targets"] == [{"Id": "q", "Arn": arn}]
    rule_arn = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/list-a"
    assert events.list_tags_for_resource(ResourceARN=rule_arn)["Tags"] == [{"Key": "k", "Value": "list-a"}]
    events.tag_resource(ResourceARN=rule_arn, Tags=[{"Key": "l", "Value": "2"}])
    events.untag_resource(ResourceARN=rule_arn, TagKeys=["k"])
    assert events.list_tags_for_resource(ResourceARN=rule_arn)["Tags"] == [{"Key": "l", "Value": "2"}]
    with pytest.raises(ClientError) as caught:
        events.delete_rule(Name="list-a")
    assert error_of(caught) == ("ValidationException", "Rule can't be deleted since it has targets.")
    failed = events.remove_targets(Rule="list-a", Ids=["q", "z"])
    assert failed["FailedEntryCount"] == 1 and failed["FailedEntries"][0]["TargetId"] == "z"
    events.delete_rule(Name="list-a")
    events.delete_rule(Name="list-a")
    with pytest.raises(ClientError) as caught:
        events.describe_rule(Name="list-a")
    assert error_of(caught) == ("ResourceNotFoundException", "Rule list-a does not exist on EventBus default.")


def test_targets_are_checked(events, sqs):
    events.put_rule(Name="checked", EventPattern='{"source":["never"]}')
    def put(**target):
        with pytest.raises(ClientError) as caught:
            events.put_targets(Rule="checked", Targets=[{"Id": "1", **target}])
        return error_of(caught)
    assert put(Arn="nothing") == ("ValidationException", "Parameter nothing is not valid. Reason: Provided Arn is not in correct format.")
    code, message = put(Arn=f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/s")
    assert code == "NotImplemented" and "firehose" in message
    assert "SqsParameters" in put(Arn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:x.fifo")[1]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:x"
    assert "Only one of Input" in put(Arn=arn, Input="{}", InputPath="$.detail")[1]
    assert "invalid placeholder nowhere" in put(Arn=arn, InputTransformer={"InputTemplate": '{"a":<nowhere>}'})[1]
    with pytest.raises(ClientError) as caught:
        events.put_targets(Rule="checked", Targets=[{"Id": str(i), "Arn": arn} for i in range(6)])
    assert error_of(caught)[0] == "LimitExceededException"


def test_input_is_transformed(events, sqs):
    url, arn = make_queue(sqs, "transformed")
    events.put_rule(Name="transform", EventPattern='{"source":["transform"]}')
    events.put_targets(Rule="transform", Targets=[
        {"Id": "constant", "Arn": arn, "Input": '{"constant":true}'},
        {"Id": "path", "Arn": arn, "InputPath": "$.detail.who"},
        {"Id": "template", "Arn": arn, "InputTransformer": {"InputPathsMap": {"who": "$.detail.who", "n": "$.detail.list[1]"},
                                                            "InputTemplate": '{"text": "for <who>", "n": <n>, "rule": <aws.events.rule-name>}'}}])
    events.put_events(Entries=[entry({"who": "me", "list": [1, 2]}, source="transform")])
    bodies = sorted(message["Body"] for message in receive(sqs, url, 3))
    assert bodies == ['"me"', '{"constant":true}', '{"text": "for me", "n": 2, "rule": "transform"}']


def test_fifo_queues_get_a_group(events, sqs):
    url, arn = make_queue(sqs, "group.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    events.put_rule(Name="fifo", EventPattern='{"source":["fifo"]}')
    events.put_targets(Rule="fifo", Targets=[{"Id": "1", "Arn": arn, "SqsParameters": {"MessageGroupId": "g"}}])
    events.put_events(Entries=[entry({}, source="fifo")])
    assert json.loads(receive(sqs, url)[0]["Body"])["source"] == "fifo"


def test_what_cannot_be_delivered_becomes_a_dead_letter(events, sqs):
    url, arn = make_queue(sqs, "letters")
    gone = f"arn:aws:sqs:us-east-1:{ACCOUNT}:gone"
    events.put_rule(Name="dead", EventPattern='{"source":["dead"]}')
    events.put_targets(Rule="dead", Targets=[{"Id": "1", "Arn": gone, "DeadLetterConfig": {"Arn": arn}, "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}}])
    events.put_events(Entries=[entry({"n": 1}, source="dead")])
    letter = receive(sqs, url)[0]
    assert json.loads(letter["Body"])["detail"] == {"n": 1}
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["RULE_ARN"].endswith(":rule/dead") and attributes["TARGET_ARN"] == gone and attributes["ERROR_CODE"] == "NO_RESOURCE"


def test_buses_pass_events_on(events, sqs):
    url, arn = make_queue(sqs, "passed")
    made = events.create_event_bus(Name="side", Description="beside", Tags=[{"Key": "a", "Value": "b"}])
    assert made["EventBusArn"] == f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/side"
    with pytest.raises(ClientError) as caught:
        events.create_event_bus(Name="side")
    assert error_of(caught) == ("ResourceAlreadyExistsException", "Event bus side already exists.")
    events.put_rule(Name="pass", EventPattern='{"source":["pass"]}')
    events.put_targets(Rule="pass", Targets=[{"Id": "1", "Arn": made["EventBusArn"]}])
    rule = events.put_rule(Name="take", EventBusName="side", EventPattern='{"source":[{"prefix":"pa"}]}')
    assert rule["RuleArn"].endswith(":rule/side/take")
    events.put_targets(Rule="take", EventBusName="side", Targets=[{"Id": "1", "Arn": arn}])
    sent = events.put_events(Entries=[entry({}, source="pass")])
    assert json.loads(receive(sqs, url)[0]["Body"])["id"] == sent["Entries"][0]["EventId"]
    events.put_events(Entries=[entry({"direct": True}, source="pa", EventBusName="side"), entry({}, EventBusName="nowhere")])
    assert json.loads(receive(sqs, url)[0]["Body"])["detail"] == {"direct": True}
    assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default", "side"]
    assert events.describe_event_bus(Name="side")["Description"] == "beside"
    with pytest.raises(ClientError) as caught:
        events.delete_event_bus(Name="side")
    assert error_of(caught) == ("ValidationException", "Event bus can't be deleted since it has rules.")
    events.remove_targets(Rule="take", EventBusName="side", Ids=["1"])
    events.delete_rule(Name="take", EventBusName="side")
    events.delete_event_bus(Name="side")
    with pytest.raises(ClientError) as caught:
        events.describe_event_bus(Name="side")
    assert error_of(caught) == ("ResourceNotFoundException", "Event bus side does not exist.")


def test_other_accounts_need_permission(daemon, events, sqs):
    url, arn = make_queue(sqs, "shared")
    bus = events.create_event_bus(Name="shared")["EventBusArn"]
    events.put_rule(Name="any", EventBusName="shared", EventPattern='{"source":[{"exists":true}]}')
    events.put_targets(Rule="any", EventBusName="shared", Targets=[{"Id": "1", "Arn": arn}])
    other = daemon.client("events", key="111111111111")
    refused = other.put_events(Entries=[entry({}, EventBusName=bus)])
    assert refused["Entries"][0]["ErrorCode"] == "AccessDeniedException"
    events.put_permission(EventBusName="shared", Action="events:PutEvents", Principal="111111111111", StatementId="other")
    statement = json.loads(events.describe_event_bus(Name="shared")["Policy"])["Statement"][0]
    assert statement == {"Sid": "other", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "events:PutEvents", "Resource": bus}
    assert other.put_events(Entries=[entry({}, EventBusName=bus)])["FailedEntryCount"] == 0
    assert json.loads(receive(sqs, url)[0]["Body"])["account"] == "111111111111"
    events.remove_permission(EventBusName="shared", StatementId="other")
    assert "Policy" not in events.describe_event_bus(Name="shared")


def test_schedules_fire(new_daemon):
    daemon = new_daemon()
    events, sqs = daemon.client("events"), daemon.client("sqs")
    url, arn = make_queue(sqs, "ticks")
    with pytest.raises(ClientError) as caught:
        events.put_rule(Name="bad", ScheduleExpression="every minute")
    assert error_of(caught)[0] == "ValidationException"
    rule = events.put_rule(Name="tick", ScheduleExpression="rate(5 minutes)")["RuleArn"]
    events.put_targets(Rule="tick", Targets=[{"Id": "1", "Arn": arn}])
    daemon.advance(301)
    event = json.loads(receive(sqs, url)[0]["Body"])
    assert event["detail-type"] == "Scheduled Event" and event["source"] == "aws.events" and event["resources"] == [rule] and event["detail"] == {}
    events.put_rule(Name="tick", ScheduleExpression="cron(0 12 * * ? *)")
    daemon.advance(86_400)
    assert json.loads(receive(sqs, url)[0]["Body"])["time"].endswith("T12:00:00Z")


def test_archives_keep_and_replays_send_again(events, sqs):
    url, arn = make_queue(sqs, "again")
    bus = events.create_event_bus(Name="kept")["EventBusArn"]
    events.create_archive(ArchiveName="some", EventSourceArn=bus, EventPattern='{"detail":{"keep":[true]}}', RetentionDays=3)
    before = datetime.now(timezone.utc) - timedelta(minutes=1)
    events.put_events(Entries=[entry({"keep": True, "n": n}, EventBusName="kept") for n in range(3)] + [entry({"keep": False}, EventBusName="kept")])
    archive = events.describe_archive(ArchiveName="some")
    assert archive["EventCount"] == 3 and archive["State"] == "ENABLED" and archive["RetentionDays"] == 3 and archive["SizeBytes"] > 300
    events.put_rule(Name="late", EventBusName="kept", EventPattern='{"replay-name":[{"exists":true}]}')
    events.put_targets(Rule="late", EventBusName="kept", Targets=[{"Id": "1", "Arn": arn}])
    replay = events.start_replay(ReplayName="r", EventSourceArn=archive["ArchiveArn"], EventStartTime=before,
                                 EventEndTime=datetime.now(timezone.utc) + timedelta(minutes=1), Destination={"Arn": bus})
    assert replay["State"] == "STARTING"
    replayed = [json.loads(message["Body"]) for message in receive(sqs, url, 3)]
    assert sorted(event["detail"]["n"] for event in replayed) == [0, 1, 2] and {event["replay-name"] for event in replayed} == {"r"}
    wait_for(lambda: events.describe_replay(ReplayName="r")["State"] == "COMPLETED", what="the end of the replay")
    assert events.describe_archive(ArchiveName="some")["EventCount"] == 3
    events.update_archive(ArchiveName="some", Description="d")
    assert [one["ArchiveName"] for one in events.list_archives(NamePrefix="so")["Archives"]] == ["some"]
    with pytest.raises(ClientError) as caught:
        events.cancel_replay(ReplayName="r")
    assert error_of(caught)[0] == "IllegalStatusException"
    events.delete_archive(ArchiveName="some")
    with pytest.raises(ClientError) as caught:
        events.describe_archive(ArchiveName="some")
    assert error_of(caught) == ("ResourceNotFoundException", "Archive some does not exist.")


def test_log_groups_and_functions_are_targets(daemon, events):
    logs, functions = daemon.client("logs"), daemon.client("lambda")
    logs.create_log_group(logGroupName="/aws/events/all")
    code = "exports.handler = async event => { console.log('GOT ' + event.detail.n); }"
    function = functions.create_function(FunctionName="listener", Runtime="nodejs20.x", Role=f"arn:aws:iam::{ACCOUNT}:role/r", Handler="index.handler",
                                         Code={"ZipFile": function_package(code)})["FunctionArn"]
    events.put_rule(Name="many", EventPattern='{"source":["many"]}')
    events.put_targets(Rule="many", Targets=[{"Id": "log", "Arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/events/all"}, {"Id": "function", "Arn": function}])
    events.put_events(Entries=[entry({"n": 42}, source="many")])

    def messages(group):
        try:
            return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []
    logged = wait_for(lambda: messages("/aws/events/all"), what="the log event")
    assert json.loads(logged[0])["detail"] == {"n": 42}
    wait_for(lambda: any("GOT 42" in line for line in messages("/aws/lambda/listener")), what="the function")


def test_rules_are_made_by_stacks(daemon, events, sqs):
    stacks = daemon.client("cloudformation")
    template = {"Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "from-stack"}},
        "Policy": {"Type": "AWS::Events::EventBusPolicy", "Properties": {"EventBusName": {"Ref": "Bus"}, "StatementId": "s", "Statement": {
            "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": {"Fn::GetAtt": ["Bus", "Arn"]}}}},
        "Archive": {"Type": "AWS::Events::Archive", "Properties": {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}, "RetentionDays": "2"}},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {
            "EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["stack"]}, "State": "ENABLED",
            "Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]}}},
        "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}, "Rule": {"Value": {"Ref": "Rule"}}, "Arn": {"Value": {"Fn::GetAtt": ["Rule", "Arn"]}}}}
    stacks.create_stack(StackName="bus", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="bus", WaiterConfig={"Delay": 1})
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stacks.describe_stacks(StackName="bus")["Stacks"][0]["Outputs"]}
    assert outputs["Rule"].startswith("from-stack|bus-Rule-") and outputs["Arn"].endswith(outputs["Rule"].replace("|", "/"))
    events.put_events(Entries=[entry({}, source="stack", EventBusName="from-stack")])
    assert json.loads(receive(sqs, outputs["Queue"])[0]["Body"])["source"] == "stack"
    template["Resources"]["Rule"]["Properties"]["EventPattern"] = {"source": ["other"]}
    template["Resources"]["Rule"]["Properties"]["Targets"][0]["Id"] = "r"
    stacks.update_stack(StackName="bus", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_update_complete").wait(StackName="bus", WaiterConfig={"Delay": 1})
    assert [one["Id"] for one in events.list_targets_by_rule(Rule=outputs["Rule"].split("|")[1], EventBusName="from-stack")["Targets"]] == ["r"]
    stacks.delete_stack(StackName="bus")
    stacks.get_waiter("stack_delete_complete").wait(StackName="bus", WaiterConfig={"Delay": 1})
    assert "from-stack" not in [one["Name"] for one in events.list_event_buses()["EventBuses"]]


def test_sam_functions_have_schedules_and_rules(daemon, events):
    stacks = daemon.client("cloudformation")
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Listener": {"Type": "AWS::Serverless::Function", "Properties": {
        "Runtime": "nodejs20.x", "Handler": "index.handler", "InlineCode": "exports.handler = async event => { console.log('SAM ' + event['detail-type']); }",
        "Events": {"Tick": {"Type": "Schedule", "Properties": {"Schedule": "rate(1 hour)", "Name": "sam-tick"}},
                   "Hear": {"Type": "EventBridgeRule", "Properties": {"Pattern": {"source": ["sam"]}}},
                   "Old": {"Type": "CloudWatchEvent", "Properties": {"Pattern": {"source": ["older"]}}}}}}}}
    stacks.create_stack(StackName="sam", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    stacks.get_waiter("stack_create_complete").wait(StackName="sam", WaiterConfig={"Delay": 1})
    assert events.describe_rule(Name="sam-tick")["ScheduleExpression"] == "rate(1 hour)"
    events.put_events(Entries=[entry({}, source="sam", kind="one"), entry({}, source="older", kind="two")])
    function = stacks.describe_stack_resource(StackName="sam", LogicalResourceId="Listener")["StackResourceDetail"]["PhysicalResourceId"]
    logs = daemon.client("logs")

    def lines():
        try:
            return " ".join(event["message"] for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"])
        except logs.exceptions.ResourceNotFoundException:
            return ""
    wait_for(lambda: "SAM one" in lines() and "SAM two" in lines(), what="both invocations")
    stacks.delete_stack(StackName="sam")
    stacks.get_waiter("stack_delete_complete").wait(StackName="sam", WaiterConfig={"Delay": 1})


class Endpoint:
    """An HTTP server that keeps what it was sent, and fails as often as it is told."""

    def __init__(self):
        endpoint = self
        self.requests, self.failures = [], 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                endpoint.requests.append((self.path, dict(self.headers), body))
                failed = endpoint.failures > 0
                endpoint.failures -= failed
                answer = b'{"access_token":"t0k3n","expires_in":600}' if self.path == "/token" else b"{}"
                self.send_response(503 if failed else 200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def to(self, prefix):
        return [one for one in self.requests if one[0].startswith(prefix)]


def test_api_destinations_are_called(daemon, events):
    endpoint = Endpoint()
    connection = events.create_connection(Name="keyed", AuthorizationType="API_KEY", AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "secret"}})
    assert connection["ConnectionState"] == "AUTHORIZED"
    assert events.describe_connection(Name="keyed")["AuthParameters"] == {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key"}}
    with pytest.raises(ClientError) as caught:
        events.create_api_destination(Name="far", ConnectionArn=connection["ConnectionArn"], InvocationEndpoint="http://example.com/", HttpMethod="POST")
    assert error_of(caught)[0] == "ValidationException"
    far = events.create_api_destination(Name="far", ConnectionArn=connection["ConnectionArn"], InvocationEndpoint=endpoint.url + "/items/*", HttpMethod="POST")
    assert far["ApiDestinationState"] == "ACTIVE"
    events.put_rule(Name="far", EventPattern='{"source":["far"]}')
    events.put_targets(Rule="far", Targets=[{"Id": "1", "Arn": far["ApiDestinationArn"], "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "InputPath": "$.detail",
                                             "HttpParameters": {"PathParameterValues": ["$.detail.id"], "QueryStringParameters": {"q": "1"}}}])
    endpoint.failures = 1
    events.put_events(Entries=[entry({"id": 7}, source="far")])
    wait_for(lambda: len(endpoint.to("/items")) >= 1)
    daemon.advance(5)
    wait_for(lambda: len(endpoint.to("/items")) == 2, what="the retry")
    path, headers, body = endpoint.to("/items")[1]
    assert path == "/items/7?q=1" and headers["X-Key"] == "secret" and json.loads(body) == {"id": 7}
    assert headers["User-Agent"] == "Amazon/EventBridge/ApiDestinations"
    signed = events.create_connection(Name="signed", AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters={"OAuthParameters": {
        "ClientParameters": {"ClientID": "me", "ClientSecret": "s"}, "AuthorizationEndpoint": endpoint.url + "/token", "HttpMethod": "POST"}})
    events.update_api_destination(Name="far", ConnectionArn=signed["ConnectionArn"], InvocationEndpoint=endpoint.url + "/signed")
    events.put_events(Entries=[entry({"id": 8}, source="far"), entry({"id": 9}, source="far")])
    wait_for(lambda: len(endpoint.to("/signed")) == 2)
    assert {headers["Authorization"] for _, headers, _ in endpoint.to("/signed")} == {"Bearer t0k3n"}
    assert endpoint.to("/token")[0][2] == "grant_type=client_credentials&client_id=me&client_secret=s"
    assert [one["Name"] for one in events.list_api_destinations()["ApiDestinations"]] == ["far"]
    assert [one["Name"] for one in events.list_connections(NamePrefix="k")["Connections"]] == ["keyed"]
    events.delete_connection(Name="signed")
    assert events.describe_api_destination(Name="far")["ApiDestinationState"] == "INACTIVE"


def test_stacks_make_api_destinations(daemon, events):
    stacks = daemon.client("cloudformation")
    template = {"Resources": {
        "Connection": {"Type": "AWS::Events::Connection", "Properties": {"AuthorizationType": "BASIC", "AuthParameters": {"BasicAuthParameters": {"Username": "u", "Password": "p"}}}},
        "Destination": {"Type": "AWS::Events::ApiDestination", "Properties": {"ConnectionArn": {"Fn::GetAtt": ["Connection", "Arn"]}, "HttpMethod": "POST",
                                                                             "InvocationEndpoint": "https://example.com/hook", "InvocationRateLimitPerSecond": "10"}}}}
    stacks.create_stack(StackName="hook", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="hook", WaiterConfig={"Delay": 1})
    name = stacks.describe_stack_resource(StackName="hook", LogicalResourceId="Destination")["StackResourceDetail"]["PhysicalResourceId"]
    assert events.describe_api_destination(Name=name)["InvocationRateLimitPerSecond"] == 10
    stacks.delete_stack(StackName="hook")
    stacks.get_waiter("stack_delete_complete").wait(StackName="hook", WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError):
        events.describe_api_destination(Name=name)
