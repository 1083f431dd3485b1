"""Stacks inside stacks: outputs come up, parameters go down, each knows its parent and its root, and they go together."""
import json

import pytest
from support import wait_for


def put(daemon, name, template):
    s3 = daemon.client("s3")
    if "nested" not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket="nested")
    s3.put_object(Bucket="nested", Key=name, Body=json.dumps(template))
    return f"{daemon.url}/nested/{name}"


def at_rest(client, name):
    def look():
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack
    return wait_for(look, what=name)


@pytest.fixture
def root(daemon):
    client = daemon.client("cloudformation")
    leaf = put(daemon, "leaf.json", {"Parameters": {"Name": {"Type": "String"}}, "Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}}},
                                     "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}})
    middle = put(daemon, "middle.json", {"Resources": {"Leaf": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": leaf, "Parameters": {"Name": "from-above"}}}},
                                         "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Leaf", "Outputs.Url"]}}}})
    template = {"Resources": {"Middle": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": middle}}}, "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Middle", "Outputs.Url"]}}}}
    client.create_stack(StackName="root", TemplateBody=json.dumps(template))
    yield at_rest(client, "root")
    client.delete_stack(StackName="root")
    wait_for(lambda: all(one["StackStatus"] == "DELETE_COMPLETE" for one in client.list_stacks()["StackSummaries"]), what="all stacks to go")
    assert not daemon.client("sqs").list_queues().get("QueueUrls")


def test_each_knows_its_parent_and_its_root(daemon, root):
    client = daemon.client("cloudformation")
    assert root["StackStatus"] == "CREATE_COMPLETE" and root["Outputs"][0]["OutputValue"].endswith("/from-above")
    assert "ParentId" not in root and "RootId" not in root
    middle_id = client.describe_stack_resource(StackName="root", LogicalResourceId="Middle")["StackResourceDetail"]["PhysicalResourceId"]
    middle = at_rest(client, middle_id)
    leaf = at_rest(client, client.describe_stack_resource(StackName=middle_id, LogicalResourceId="Leaf")["StackResourceDetail"]["PhysicalResourceId"])
    assert (middle["ParentId"], middle["RootId"]) == (root["StackId"], root["StackId"])
    assert (leaf["ParentId"], leaf["RootId"]) == (middle_id, root["StackId"])
    assert middle["Tags"] == [] and leaf["Tags"] == []


def test_nobody_outside_names_a_parent(daemon):
    client = daemon.client("cloudformation")
    with pytest.raises(client.exceptions.ClientError, match="aws: prefixed tag key names are not allowed"):
        client.create_stack(StackName="forged", TemplateBody='{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}', Tags=[{"Key": "aws:cloudformation:stack-id", "Value": "x"}])


def test_nested_stacks_act_as_their_parents_role(daemon):
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    arn = daemon.client("iam").create_role(RoleName="nester", AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]
    client = daemon.client("cloudformation")
    inner = put(daemon, "inner.json", {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    client.create_stack(StackName="outer", RoleARN=arn,
                        TemplateBody=json.dumps({"Resources": {"Inner": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": inner}}}}))
    assert at_rest(client, "outer")["StackStatus"] == "CREATE_COMPLETE"
    nested = client.describe_stack_resource(StackName="outer", LogicalResourceId="Inner")["StackResourceDetail"]["PhysicalResourceId"]
    assert client.describe_stacks(StackName=nested)["Stacks"][0]["RoleARN"] == arn
    client.delete_stack(StackName="outer")
    wait_for(lambda: all(one["StackStatus"] == "DELETE_COMPLETE" for one in client.list_stacks()["StackSummaries"]), what="all stacks to go")
