"""Exports in use keep their stack as it is: it cannot be deleted, nor can they be taken away or changed."""
import json

import pytest
from support import wait_for

QUEUE = {"Type": "AWS::SQS::Queue"}


def at_rest(client, name):
    def look():
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack
    return wait_for(look, what=name)


def exporter(queue, export="shared-queue"):
    return json.dumps({"Resources": {"Queue": QUEUE | {"Properties": {"QueueName": queue}}}, "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Queue", "QueueName"]}, "Export": {"Name": export}}}})


@pytest.fixture
def stacks(daemon):
    client = daemon.client("cloudformation")
    client.create_stack(StackName="giver", TemplateBody=exporter("given"))
    assert at_rest(client, "giver")["StackStatus"] == "CREATE_COMPLETE"
    for name in ("taker", "other"):
        client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Queue": QUEUE | {"Properties": {"Tags": [{"Key": "of", "Value": {"Fn::ImportValue": "shared-queue"}}]}}}}))
        assert at_rest(client, name)["StackStatus"] == "CREATE_COMPLETE"
    yield client
    for name in ("taker", "other", "giver"):
        client.delete_stack(StackName=name)
        wait_for(lambda: all(one["StackStatus"] == "DELETE_COMPLETE" for one in client.list_stacks()["StackSummaries"] if one["StackName"] == name), what=name)


def test_a_stack_with_exports_in_use_stays_what_it_was(daemon, stacks):
    stacks.delete_stack(StackName="giver")
    stack = at_rest(stacks, "giver")
    assert (stack["StackStatus"], stack["StackStatusReason"]) == ("CREATE_COMPLETE", "Delete canceled. Cannot delete export shared-queue as it is in use by other, taker.")
    assert daemon.client("sqs").get_queue_url(QueueName="given")
    failed = daemon.command("destroy", "giver", "--port", str(daemon.port), check=False)
    assert "CREATE_COMPLETE giver" in failed
    # And it can go on.
    stacks.update_stack(StackName="giver", TemplateBody=exporter("given").replace('"given"', '"given", "VisibilityTimeout": 5'))
    assert at_rest(stacks, "giver")["StackStatus"] == "UPDATE_COMPLETE"


@pytest.mark.parametrize("template, words", [(exporter("given", "renamed"), "Delete canceled. Cannot delete export shared-queue as it is in use by other, taker."),
                                             (exporter("other-name"), "Cannot update export shared-queue as it is in use by other, taker.")])
def test_exports_in_use_stay_what_they_were(stacks, template, words):
    stacks.update_stack(StackName="giver", TemplateBody=template)
    assert at_rest(stacks, "giver")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [one.get("ResourceStatusReason", "") for one in stacks.describe_stack_events(StackName="giver")["StackEvents"]]
    assert words in reasons
