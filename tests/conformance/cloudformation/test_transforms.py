"""Transforms: macros of one's own, files included, parts repeated; and what `atoll deploy` uploads for them."""
import json

import pytest
from botocore.exceptions import ClientError
from support import wait_for

ROLE = "arn:aws:iam::000000000000:role/macro"
MACRO = """
def handler(event, context):
    if event['params'].get('Fail'):
        return {'requestId': event['requestId'], 'status': 'failure', 'errorMessage': 'told to'}
    fragment = event['fragment']
    if 'Resources' in fragment:      # the whole template: one queue more, named by a parameter
        fragment['Resources']['Added'] = {'Type': 'AWS::SQS::Queue', 'Properties': {'QueueName': event['templateParameterValues']['Prefix'] + '-added'}}
    else:                            # a part of it: upper case
        fragment = event['params']['Text'].upper()
    return {'requestId': event['requestId'], 'status': 'success', 'fragment': fragment}
"""


def template(resources, **more):
    return json.dumps({"Resources": resources, **more})


def queue(**properties):
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


@pytest.fixture
def stacks(daemon):
    client = daemon.client("cloudformation")
    made = []

    def create(name, body, **more):
        client.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"], **more)
        made.append(name)
        stack = wait_for(lambda: next((one for one in client.describe_stacks(StackName=name)["Stacks"] if not one["StackStatus"].endswith("IN_PROGRESS")), None), what=name)
        assert stack["StackStatus"] == "CREATE_COMPLETE", client.describe_stack_events(StackName=name)["StackEvents"]
        return stack
    yield create
    for name in reversed(made):
        client.delete_stack(StackName=name)
    wait_for(lambda: not client.describe_stacks()["Stacks"], what="all stacks to go")


@pytest.fixture
def macro(stacks):
    stacks("macros", template({
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.12", "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": MACRO}}},
        "Macro": {"Type": "AWS::CloudFormation::Macro", "Properties": {"Name": "Mine", "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]}}}}))


def test_a_macro_changes_the_template_and_parts_of_it(daemon, stacks, macro):
    stacks("changed", template({"Own": queue(QueueName={"Fn::Transform": {"Name": "Mine", "Parameters": {"Text": {"Ref": "Prefix"}}}})},
                               Parameters={"Prefix": {"Type": "String"}}, Transform=["Mine"]),
           Parameters=[{"ParameterKey": "Prefix", "ParameterValue": "shop"}])
    names = {url.rsplit("/", 1)[1] for url in daemon.client("sqs").list_queues()["QueueUrls"]}
    assert names == {"SHOP", "shop-added"}
    client = daemon.client("cloudformation")
    assert client.get_template(StackName="changed", TemplateStage="Processed")["TemplateBody"]["Resources"]["Own"]["Properties"] == {"QueueName": "SHOP"}
    assert client.get_template(StackName="changed")["TemplateBody"]["Transform"] == ["Mine"]


def test_what_a_macro_refuses_and_macros_that_are_not(daemon, macro):
    client = daemon.client("cloudformation")
    for transform, message in (({"Name": "Mine", "Parameters": {"Fail": "yes"}}, "Transform 000000000000::Mine failed with: told to"),
                               ("Other", "No transform named 000000000000::Other found."),
                               ("AWS::CodeDeployBlueGreen", "The transform AWS::CodeDeployBlueGreen is not supported by this version of Atoll.")):
        with pytest.raises(ClientError) as refused:
            client.create_stack(StackName="never", TemplateBody=template({"Q": queue()}, Transform=transform), Capabilities=["CAPABILITY_AUTO_EXPAND"])
        assert refused.value.response["Error"] == {"Type": "Sender", "Code": "ValidationError", "Message": message}


def test_loops_repeat_resources_and_outputs(daemon, stacks):
    out = stacks("loops", template(
        {"Fn::ForEach::Queues": ["Name", {"Ref": "Names"}, {"Queue${Name}": queue(QueueName={"Fn::Sub": "${Name}-of-${AWS::StackName}"}, DelaySeconds="5")}]},
        Parameters={"Names": {"Type": "CommaDelimitedList", "Default": "One,Two"}}, Transform="AWS::LanguageExtensions",
        Outputs={"Fn::ForEach::Outs": ["Name", ["One", "Two"], {"Url${Name}": {"Value": {"Ref": "Queue${Name}"}}}]}))
    assert {one["OutputKey"]: one["OutputValue"].rsplit("/", 1)[1] for one in out["Outputs"]} == {"UrlOne": "One-of-loops", "UrlTwo": "Two-of-loops"}
    sqs = daemon.client("sqs")
    assert sqs.get_queue_attributes(QueueUrl=out["Outputs"][0]["OutputValue"], AttributeNames=["DelaySeconds"])["Attributes"] == {"DelaySeconds": "5"}


def test_files_are_included_and_deploy_uploads_them(daemon, tmp_path):
    (tmp_path / "queues.yaml").write_text("First: {Type: 'AWS::SQS::Queue', Properties: {QueueName: included-first}}\n"
                                          "Second: {Type: 'AWS::SQS::Queue', Properties: {QueueName: included-second}}\n")
    (tmp_path / "inner.yaml").write_text("Resources: {Third: {Type: 'AWS::SQS::Queue', Properties: {QueueName: inner-third}}}\n")
    (tmp_path / "index.py").write_text("def handler(event, context):\n    return 'of the folder itself'\n")
    (tmp_path / "template.yaml").write_text("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn::Transform: {Name: 'AWS::Include', Parameters: {Location: queues.yaml}}
  Own: {Type: 'AWS::SQS::Queue', Properties: {QueueName: own}}
  Inner: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: inner.yaml}}
  Function: {Type: 'AWS::Serverless::Function', Properties: {FunctionName: of-the-folder, Handler: index.handler, Runtime: python3.12}}
""")
    said = daemon.command("deploy", str(tmp_path / "template.yaml"), "--stack", "included", "--port", str(daemon.port))
    assert "CREATE_COMPLETE included" in said
    names = {url.rsplit("/", 1)[1] for url in daemon.client("sqs").list_queues()["QueueUrls"]}
    assert names == {"included-first", "included-second", "own", "inner-third"}
    assert daemon.client("lambda").invoke(FunctionName="of-the-folder")["Payload"].read() == b'"of the folder itself"'
    daemon.command("destroy", "included", "--port", str(daemon.port))
    (tmp_path / "inner.yaml").write_text("Resources: {Inner: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: inner.yaml}}}\n")
    with pytest.raises(RuntimeError, match="templates are nested more than 8 deep at .*inner.yaml: does one name itself"):
        daemon.command("deploy", str(tmp_path / "template.yaml"), "--stack", "endless", "--port", str(daemon.port))
    client = daemon.client("cloudformation")
    with pytest.raises(ClientError) as refused:
        client.create_stack(StackName="never", TemplateBody=template({"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "here.yaml"}}}), Capabilities=["CAPABILITY_AUTO_EXPAND"])
    assert refused.value.response["Error"]["Message"] == "Transform AWS::Include failed with: The location parameter is not a valid S3 uri."
