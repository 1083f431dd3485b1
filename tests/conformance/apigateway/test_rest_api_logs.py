"""Access logs of a REST API's stage, set by a template and by patches."""
import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from support import wait_for

FORM = json.dumps({name: f"$context.{name}" for name in ("requestId", "httpMethod", "resourcePath", "path", "status", "stage", "error.responseType", "error.message", "integrationLatency")})
TEMPLATE = {"Resources": {
    "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "rest-access"}},
    "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "logged"}},
    "Things": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "Api"}, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": "things"}},
    "Get": {"Type": "AWS::ApiGateway::Method", "Properties": {
        "RestApiId": {"Ref": "Api"}, "ResourceId": {"Ref": "Things"}, "HttpMethod": "GET", "AuthorizationType": "NONE", "MethodResponses": [{"StatusCode": "200"}],
        "Integration": {"Type": "MOCK", "RequestTemplates": {"application/json": "{\"statusCode\": 200}"}, "IntegrationResponses": [{"StatusCode": "200"}]}}},
    "Deployment": {"Type": "AWS::ApiGateway::Deployment", "DependsOn": "Get", "Properties": {"RestApiId": {"Ref": "Api"}}},
    "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"}, "StageName": "live",
                                                               "AccessLogSetting": {"DestinationArn": {"Fn::GetAtt": ["Logs", "Arn"]}, "Format": FORM}}}},
    "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}


def get(url):
    try:
        with urllib.request.urlopen(url) as reply:
            return reply.status, reply.headers["x-amzn-requestid"]
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["x-amzn-requestid"]


def test_a_line_for_every_request(daemon):
    stacks, gateway, logs = daemon.client("cloudformation"), daemon.client("apigateway"), daemon.client("logs")
    stacks.create_stack(StackName="logged", TemplateBody=json.dumps(TEMPLATE))
    stack = wait_for(lambda: (one := stacks.describe_stacks(StackName="logged")["Stacks"][0])["StackStatus"] == "CREATE_COMPLETE" and one, what="the stack")
    api = stack["Outputs"][0]["OutputValue"]
    base = f"{daemon.url}/_aws/execute-api/{api}/live"
    (ok, first), (missing, _) = get(base + "/things"), get(base + "/nowhere")
    assert (ok, missing) == (200, 403)
    events = wait_for(lambda: len(found := logs.filter_log_events(logGroupName="rest-access")["events"]) == 2 and found, what="two lines")
    lines = sorted((json.loads(event["message"]) for event in events), key=lambda line: line["status"])
    assert lines[0] == {"requestId": first, "httpMethod": "GET", "resourcePath": "/things", "path": "/live/things", "status": "200", "stage": "live",
                        "error.responseType": "-", "error.message": "-", "integrationLatency": "-"}
    assert (lines[1]["status"], lines[1]["error.responseType"], lines[1]["error.message"]) == ("403", "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")

    with pytest.raises(ClientError) as refused:
        gateway.update_stage(restApiId=api, stageName="live", patchOperations=[{"op": "replace", "path": "/accessLogSettings/destinationArn", "value": "nowhere"}])
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    gateway.update_stage(restApiId=api, stageName="live", patchOperations=[{"op": "remove", "path": "/accessLogSettings"}])
    assert "accessLogSettings" not in gateway.get_stage(restApiId=api, stageName="live")
    stacks.delete_stack(StackName="logged")
    wait_for(lambda: not stacks.describe_stacks()["Stacks"], what="the stack to go")
