"""ResourceTypes: a template may have no resource of another type."""
import json

import pytest

TEMPLATE = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}, "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}}}})


@pytest.mark.parametrize("allowed", [["AWS::SQS::Queue"], ["AWS::SQS::*", "Custom::*"], ["AWS::EC2::*"]])
def test_others_are_refused(daemon, allowed):
    client = daemon.client("cloudformation")
    with pytest.raises(client.exceptions.ClientError, match="AWS::SSM::Parameter.*ResourceTypes"):
        client.create_stack(StackName="types", TemplateBody=TEMPLATE, ResourceTypes=allowed)


@pytest.mark.parametrize("allowed", [["AWS::*"], ["AWS::SQS::*", "AWS::SSM::Parameter"]])
def test_those_that_are_allowed_are_made(daemon, allowed):
    client = daemon.client("cloudformation")
    client.create_stack(StackName="types", TemplateBody=TEMPLATE, ResourceTypes=allowed)
    client.get_waiter("stack_create_complete").wait(StackName="types", WaiterConfig={"Delay": 1})
    client.delete_stack(StackName="types")
    client.get_waiter("stack_delete_complete").wait(StackName="types", WaiterConfig={"Delay": 1})
