"""A stack never takes over what had its name before, even where the API's own create would give it as if it were new."""
import json

from support import wait_for


def create(daemon, name, resources):
    client = daemon.client("cloudformation")
    client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    wait_for(lambda: not client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"].endswith("IN_PROGRESS"), what="the stack")
    reasons = [e["ResourceStatusReason"] for e in client.describe_stack_events(StackName=name)["StackEvents"] if e["ResourceStatus"] == "CREATE_FAILED"]
    status = client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    client.delete_stack(StackName=name)
    return status, reasons


def test_a_queue_of_somebody_else_stays_theirs(daemon):
    sqs = daemon.client("sqs")
    url = sqs.create_queue(QueueName="already-there")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    status, reasons = create(daemon, "taker", {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "already-there"}}})
    assert status == "ROLLBACK_COMPLETE"
    assert "Resource of type 'AWS::SQS::Queue' with identifier 'already-there' already exists." in reasons[0]
    assert "HandlerErrorCode: AlreadyExists" in reasons[0]
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"


def test_a_bucket_of_ones_own_stays_as_it_is(daemon):
    s3 = daemon.client("s3")
    s3.create_bucket(Bucket="already-there")
    status, reasons = create(daemon, "bucket-taker", {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "already-there"}}})
    assert status == "ROLLBACK_COMPLETE" and "already-there' already exists." in reasons[0]
    s3.head_bucket(Bucket="already-there")
    s3.delete_bucket(Bucket="already-there")


def test_the_name_is_free_again_when_the_stack_is_gone(daemon):
    resources = {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "again"}}, "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "again-and-again"}}}
    assert create(daemon, "again", resources)[0] == "CREATE_COMPLETE"
    client = daemon.client("cloudformation")
    wait_for(lambda: not [s for s in client.list_stacks(StackStatusFilter=["DELETE_IN_PROGRESS"])["StackSummaries"]], what="the stack to go")
    assert create(daemon, "again", resources)[0] == "CREATE_COMPLETE"
