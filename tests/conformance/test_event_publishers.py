"""What the services tell the event bus about their resources."""
import json

import pytest

from support import wait_for

ACCOUNT = "000000000000"


@pytest.fixture(scope="module")
def heard(daemon):
    """The events of a source so far."""
    sqs, events = daemon.client("sqs"), daemon.client("events")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="aws", EventPattern='{"source":[{"prefix":"aws."}, "lambda"]}')
    events.put_targets(Rule="aws", Targets=[{"Id": "q", "Arn": arn}])
    seen = []

    def look(kind, **wanted):
        def now():
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
                seen.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return [event for event in seen if event["detail-type"] == kind and all(event["detail"].get(name.replace("_", "-")) == value for name, value in wanted.items())]
        return wait_for(now, what=f"{kind} {wanted}")[0]
    return look


def test_alarms_tell_their_states(daemon, heard):
    watch = daemon.client("cloudwatch")
    watch.put_metric_alarm(AlarmName="high", Namespace="n", MetricName="m", Statistic="Average", Period=60, EvaluationPeriods=1, Threshold=1,
                           ComparisonOperator="GreaterThanThreshold", ActionsEnabled=False)
    watch.set_alarm_state(AlarmName="high", StateValue="ALARM", StateReason="because")
    event = heard("CloudWatch Alarm State Change", alarmName="high")
    assert event["source"] == "aws.cloudwatch" and event["resources"] == [f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:high"]
    assert event["detail"]["state"]["value"] == "ALARM" and event["detail"]["state"]["reason"] == "because"
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "m"


def test_parameters_tell_their_changes(daemon, heard):
    ssm = daemon.client("ssm")
    ssm.put_parameter(Name="/p", Value="1", Type="String", Description="d")
    event = heard("Parameter Store Change", name="/p")
    assert event["detail"] == {"operation": "Create", "name": "/p", "type": "String", "description": "d"}
    assert event["resources"] == [f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/p"]
    ssm.put_parameter(Name="/p", Value="2", Overwrite=True)
    ssm.delete_parameter(Name="/p")
    assert heard("Parameter Store Change", name="/p", operation="Update") and heard("Parameter Store Change", name="/p", operation="Delete")


def test_buckets_tell_what_happens_to_objects_if_asked(daemon, heard):
    s3 = daemon.client("s3")
    s3.create_bucket(Bucket="told")
    s3.put_object(Bucket="told", Key="before", Body=b"x")
    s3.put_bucket_notification_configuration(Bucket="told", NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket="told", Key="a b", Body=b"four")
    event = heard("Object Created")
    assert event["source"] == "aws.s3" and event["resources"] == ["arn:aws:s3:::told"]
    assert event["detail"]["object"]["key"] == "a b" and event["detail"]["object"]["size"] == 4 and event["detail"]["reason"] == "PutObject"
    s3.delete_object(Bucket="told", Key="a b")
    assert heard("Object Deleted")["detail"]["deletion-type"] == "Permanently Deleted"


def test_stacks_tell_their_states(daemon, heard):
    stacks = daemon.client("cloudformation")
    template = json.dumps({"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}}}})
    stack = stacks.create_stack(StackName="told", TemplateBody=template, ClientRequestToken="token")["StackId"]
    event = heard("CloudFormation Stack Status Change", stack_id=stack)
    assert event["detail"]["status-details"] == {"status": "CREATE_IN_PROGRESS", "status-reason": "User Initiated"} and event["detail"]["client-request-token"] == "token"
    resource = heard("CloudFormation Resource Status Change", stack_id=stack, logical_resource_id="P")
    assert resource["detail"]["resource-type"] == "AWS::SSM::Parameter" and resource["resources"] == [stack]


def test_functions_send_what_became_of_events_to_a_bus(daemon, heard):
    from support import function_package
    functions = daemon.client("lambda")
    functions.create_function(FunctionName="echo", Runtime="nodejs20.x", Role=f"arn:aws:iam::{ACCOUNT}:role/r", Handler="index.handler",
                              Code={"ZipFile": function_package("exports.handler = async event => event")})
    functions.put_function_event_invoke_config(FunctionName="echo", DestinationConfig={"OnSuccess": {"Destination": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"}})
    functions.invoke(FunctionName="echo", InvocationType="Event", Payload=json.dumps({"n": 1}))
    event = heard("Lambda Function Invocation Result - Success")
    assert event["source"] == "lambda" and event["detail"]["responsePayload"] == {"n": 1} and event["resources"][1].endswith(":function:echo:$LATEST")
