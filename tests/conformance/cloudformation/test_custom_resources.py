"""Custom resources through the modules that AWS documents: an answer over https to the response URL, and nothing else."""
import json
import threading
import urllib.request

import pytest
from support import function_package, wait_for

# As the cfn-response module does it: https, port 443, PUT with an empty content type.
NODE = """const https = require('https');
exports.handler = async (event, context) => {
  console.log(event.RequestType, event.PhysicalResourceId || '-', JSON.stringify(event.ResourceProperties), JSON.stringify(event.OldResourceProperties || {}));
  const p = event.ResourceProperties;
  if (p.Silent === event.RequestType) return;
  const failed = p.FailOn === event.RequestType;
  const body = JSON.stringify({Status: failed ? 'FAILED' : 'SUCCESS', Reason: failed ? 'as asked' : undefined, PhysicalResourceId: 'thing-' + p.Id,
    StackId: event.StackId, RequestId: event.RequestId, LogicalResourceId: event.LogicalResourceId, Data: {Endpoint: 'https://' + p.Id, Port: 5432}});
  const url = new URL(event.ResponseURL);
  await new Promise((resolve, reject) => {
    const request = https.request({hostname: url.hostname, port: 443, path: url.pathname + url.search, method: 'PUT', headers: {'content-type': '', 'content-length': body.length}},
      (r) => { r.resume(); r.on('end', resolve); });
    request.on('error', reject);
    request.end(body);
  });
};"""


@pytest.fixture(scope="module")
def client(daemon):
    return daemon.client("cloudformation")


@pytest.fixture(scope="module")
def token(daemon):
    functions = daemon.client("lambda")
    arn = functions.create_function(FunctionName="custom", Runtime="nodejs20.x", Role="arn:aws:iam::000000000000:role/r", Handler="index.handler", Timeout=20,
                                    Code={"ZipFile": function_package(NODE)})["FunctionArn"]
    yield arn
    functions.delete_function(FunctionName="custom")


def template(token, kind="Custom::Thing", **properties):
    return json.dumps({"Resources": {"Thing": {"Type": kind, "Properties": {"ServiceToken": token, **properties}},
                                     "Says": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Fn::Sub": "${Thing} ${Thing.Endpoint} ${Thing.Port}"}}}},
                       "Outputs": {"Says": {"Value": {"Fn::GetAtt": ["Says", "Value"]}}, "Id": {"Value": {"Ref": "Thing"}}}})


def at_rest(client, name):
    def look():
        found = [s for s in client.list_stacks()["StackSummaries"] if s["StackName"] == name][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found["StackStatus"]
    return wait_for(look, what=name)


def outputs(client, name):
    return {o["OutputKey"]: o["OutputValue"] for o in client.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]}


def requests(daemon, since=0):
    logs = daemon.client("logs")
    lines = [e["message"].split("\t")[-1].strip() for e in logs.filter_log_events(logGroupName="/aws/lambda/custom")["events"]]
    return [line for line in lines if line.startswith(("Create", "Update", "Delete"))][since:]


def reasons(client, name, status):
    return [e.get("ResourceStatusReason", "") for e in client.describe_stack_events(StackName=name)["StackEvents"] if e["ResourceStatus"] == status and e["LogicalResourceId"] == "Thing"]


@pytest.mark.parametrize("kind", ["Custom::Thing", "AWS::CloudFormation::CustomResource"])
def test_created_changed_replaced_and_removed(daemon, client, token, kind):
    client.create_stack(StackName="custom", TemplateBody=template(token, kind, Id="a", Number=5, Flag=True, Nested={"List": [1, "x"]}))
    assert at_rest(client, "custom") == "CREATE_COMPLETE"
    assert outputs(client, "custom") == {"Says": "thing-a https://a 5432", "Id": "thing-a"}
    before = len(requests(daemon))
    assert '"Number":"5","Flag":"true","Nested":{"List":["1","x"]}' in requests(daemon)[-1] or {"Number": "5", "Flag": "true", "Nested": {"List": ["1", "x"]}}.items() <= json.loads(
        requests(daemon)[-1].split(" ", 2)[2].rsplit(" ", 1)[0]).items()
    client.update_stack(StackName="custom", TemplateBody=template(token, kind, Id="a", Number=6))
    assert at_rest(client, "custom") == "UPDATE_COMPLETE"
    client.update_stack(StackName="custom", TemplateBody=template(token, kind, Id="b", Number=6))
    assert at_rest(client, "custom") == "UPDATE_COMPLETE"
    assert outputs(client, "custom")["Id"] == "thing-b"
    client.delete_stack(StackName="custom")
    assert at_rest(client, "custom") == "DELETE_COMPLETE"
    assert [" ".join(line.split(" ")[:2]) for line in requests(daemon, before)] == ["Update thing-a", "Update thing-a", "Delete thing-a", "Delete thing-b"]


def test_a_failure_says_why_and_what_was_begun_is_removed(daemon, client, token):
    before = len(requests(daemon))
    client.create_stack(StackName="custom-failed", TemplateBody=template(token, Id="f", FailOn="Create"))
    assert at_rest(client, "custom-failed") == "ROLLBACK_COMPLETE"
    assert reasons(client, "custom-failed", "CREATE_FAILED")[0].startswith("Received response status [FAILED] from custom resource. Message returned: as asked (RequestId: ")
    assert [line.split(" ")[:2] for line in requests(daemon, before)] == [["Create", "-"], ["Delete", "thing-f"]]
    client.delete_stack(StackName="custom-failed")


def test_an_update_that_failed_is_undone(daemon, client, token):
    client.create_stack(StackName="custom-undone", TemplateBody=template(token, Id="u"))
    assert at_rest(client, "custom-undone") == "CREATE_COMPLETE"
    client.update_stack(StackName="custom-undone", TemplateBody=template(token, Id="u", FailOn="Update"))
    assert at_rest(client, "custom-undone") == "UPDATE_ROLLBACK_COMPLETE"
    client.delete_stack(StackName="custom-undone")
    assert at_rest(client, "custom-undone") == "DELETE_COMPLETE"


def test_no_answer_within_the_time_given(daemon, client, token):
    client.create_stack(StackName="custom-silent", TemplateBody=template(token, Id="s", Silent="Create", ServiceTimeout="1"))
    assert at_rest(client, "custom-silent") == "ROLLBACK_COMPLETE"
    assert reasons(client, "custom-silent", "CREATE_FAILED")[0].startswith("CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [")
    client.delete_stack(StackName="custom-silent")


def test_what_cannot_be(client, token):
    with pytest.raises(client.exceptions.ClientError, match=r"required key \[ServiceToken\] not found"):
        client.create_stack(StackName="x", TemplateBody=json.dumps({"Resources": {"A": {"Type": "Custom::A", "Properties": {}}}}))
    with pytest.raises(client.exceptions.ClientError, match="SNS topic is not supported"):
        client.create_stack(StackName="x", TemplateBody=template("arn:aws:sns:us-east-1:000000000000:t"))
    with pytest.raises(client.exceptions.ClientError, match=r"Unrecognized resource types: \[Custom::a b\]"):
        client.create_stack(StackName="x", TemplateBody=template(token, "Custom::a b"))


WAIT = {"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
                      "Where": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "wait-handle", "Type": "String", "Value": {"Ref": "Handle"}}},
                      "Wait": {"Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "Where", "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "30", "Count": 2}}},
        "Outputs": {"Data": {"Value": {"Fn::GetAtt": ["Wait", "Data"]}}}}


def signal(url, **body):
    urllib.request.urlopen(urllib.request.Request(url, method="PUT", data=json.dumps(body).encode())).read()


def begin(daemon, client, name, document):
    threading.Thread(target=client.create_stack, kwargs={"StackName": name, "TemplateBody": json.dumps(document)}).start()
    parameters = daemon.client("ssm")
    return wait_for(lambda: (parameters.get_parameters(Names=["wait-handle"])["Parameters"] or [{}])[0].get("Value"), what="the handle")


def test_a_stack_waits_until_it_was_told_often_enough(daemon, client):
    url = begin(daemon, client, "waits", WAIT)
    signal(url, Status="SUCCESS", UniqueId="1", Data="one", Reason="")
    signal(url, Status="SUCCESS", UniqueId="1", Data="again", Reason="")
    wait_for(lambda: any(r["LogicalResourceId"] == "Wait" for r in client.describe_stack_resources(StackName="waits")["StackResources"]), what="the wait to begin")
    assert client.describe_stacks(StackName="waits")["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS"
    signal(url, Status="SUCCESS", UniqueId="2", Data="two", Reason="")
    assert at_rest(client, "waits") == "CREATE_COMPLETE"
    assert json.loads(outputs(client, "waits")["Data"]) == {"1": "one", "2": "two"}
    client.delete_stack(StackName="waits")
    assert at_rest(client, "waits") == "DELETE_COMPLETE"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        signal(url, Status="SUCCESS", UniqueId="3")


def test_a_failure_that_is_signalled_fails_the_stack(daemon, client):
    url = begin(daemon, client, "waits-in-vain", WAIT)
    signal(url, Status="FAILURE", UniqueId="1", Data="", Reason="no disk")
    assert at_rest(client, "waits-in-vain") == "ROLLBACK_COMPLETE"
    reasons_given = [e.get("ResourceStatusReason") for e in client.describe_stack_events(StackName="waits-in-vain")["StackEvents"] if e["ResourceStatus"] == "CREATE_FAILED"]
    assert reasons_given == ["WaitCondition received failed message: 'no disk' for uniqueId: 1"]
    client.delete_stack(StackName="waits-in-vain")
