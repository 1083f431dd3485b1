"""RoleARN: a stack acts as the session of a role that trusts CloudFormation."""
import json

import pytest
from botocore.exceptions import ClientError

TEMPLATE = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})


def role(daemon, name, service):
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}
    return daemon.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))["Role"]["Arn"]


def test_the_stack_is_made_by_its_role(daemon):
    stacks = daemon.client("cloudformation")
    arn = role(daemon, "deployer", "cloudformation.amazonaws.com")
    stacks.create_stack(StackName="with-role", TemplateBody=TEMPLATE, RoleARN=arn)
    stacks.get_waiter("stack_create_complete").wait(StackName="with-role", WaiterConfig={"Delay": 1})
    assert stacks.describe_stacks(StackName="with-role")["Stacks"][0]["RoleARN"] == arn
    stacks.delete_stack(StackName="with-role")
    stacks.get_waiter("stack_delete_complete").wait(StackName="with-role", WaiterConfig={"Delay": 1})


@pytest.mark.parametrize("made_for", [None, "lambda.amazonaws.com"])
def test_a_role_that_cannot_be_assumed(daemon, made_for):
    stacks = daemon.client("cloudformation")
    arn = role(daemon, "other", made_for) if made_for else "arn:aws:iam::000000000000:role/nobody"
    with pytest.raises(ClientError, match=f"Role {arn} is invalid or cannot be assumed"):
        stacks.create_stack(StackName="never", TemplateBody=TEMPLATE, RoleARN=arn)
