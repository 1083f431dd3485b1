"""What CloudFormation says of stacks made through change sets, of templates and of what is missing, as AWS was recorded."""
import json

import pytest
from botocore.exceptions import ClientError

PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1"}}


@pytest.fixture(scope="module")
def cloud(daemon):
    return daemon.client("cloudformation")


def refusal(call, **arguments):
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Message"]


def test_a_stack_made_through_a_change_set(cloud):
    template = json.dumps({"Resources": {"P": PARAMETER, "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:deflate64:H4s="}}}})
    made = cloud.create_change_set(StackName="through-set", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=template)
    shown = cloud.describe_change_set(ChangeSetName=made["Id"])
    assert "Parameters" not in shown and "Tags" not in shown
    assert refusal(cloud.get_template_summary, StackName="through-set") == "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."
    cloud.create_change_set(StackName=made["StackId"], ChangeSetName="second", ChangeSetType="CREATE", TemplateBody=template)
    cloud.execute_change_set(ChangeSetName=made["Id"])
    cloud.get_waiter("stack_create_complete").wait(StackName="through-set", WaiterConfig={"Delay": 1})
    stack = cloud.describe_stacks(StackName="through-set")["Stacks"][0]
    assert stack["LastUpdatedTime"] > stack["CreationTime"]
    assert refusal(cloud.describe_stack_resource, StackName=stack["StackId"], LogicalResourceId="None") \
        == f"Resource None does not exist for stack {stack['StackId']}"
    cloud.delete_stack(StackName="through-set")


def test_what_is_missing_or_malformed(cloud):
    assert refusal(cloud.get_template) == "StackName is required if ChangeSetName is not specified."
    assert refusal(cloud.get_template, ChangeSetName="nothing") == "StackName is a required parameter."
    assert refusal(cloud.get_template_summary, TemplateBody="{}") == "Template format error: At least one Resources member must be defined."
    assert refusal(cloud.create_stack, StackName="bad", TemplateBody="Resources:\n  A:\n      B: c\n    D: e\n") \
        == "Template format error: YAML not well-formed. (line 4, column 5)"
    template = json.dumps({"Parameters": {"AWS::NoValue": {"Type": "String"}}, "Resources": {"P": PARAMETER}})
    assert refusal(cloud.create_stack, StackName="bad", TemplateBody=template) == "Template format error: Parameter name AWS::NoValue is non alphanumeric."
