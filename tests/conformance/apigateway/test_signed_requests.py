"""HTTP APIs and function URLs for those who sign their requests."""
import json
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from support import function_package

SAYS_WHO = "exports.handler = async e => ({statusCode: 200, body: JSON.stringify({context: e.requestContext, body: e.body || null})})"


@pytest.fixture(scope="module")
def caller(daemon):
    iam = daemon.client("iam")
    user = iam.create_user(UserName="signs")["User"]
    key = iam.create_access_key(UserName="signs")["AccessKey"]
    return user, Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.fixture(scope="module")
def backend(daemon):
    return daemon.client("lambda").create_function(FunctionName="says-who", Runtime="nodejs22.x", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r",
                                                   Code={"ZipFile": function_package(SAYS_WHO)})["FunctionArn"]


def ask(url, credentials=None, service="execute-api", data=None, signed_data=None, host=None):
    request = AWSRequest("POST" if data else "GET", url, data=signed_data or data, headers={"Content-Type": "application/json", **({"Host": host} if host else {})})
    if credentials:
        SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    try:
        reply = urllib.request.urlopen(urllib.request.Request(url, data=data, headers=dict(request.headers), method=request.method))
    except urllib.error.HTTPError as error:
        reply = error
    return reply.status, json.loads(reply.read())


def wrong(credentials):
    return Credentials(credentials.access_key, "guess")


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_routes_of_http_apis(daemon, caller, backend, version):
    user, credentials = caller
    client = daemon.client("apigatewayv2")
    api = client.create_api(Name="signed", ProtocolType="HTTP")["ApiId"]
    client.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    target = "integrations/" + client.create_integration(ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=backend, PayloadFormatVersion=version)["IntegrationId"]
    made = client.create_route(ApiId=api, RouteKey="ANY /signed", Target=target, AuthorizationType="AWS_IAM")
    assert made["AuthorizationType"] == "AWS_IAM" and "AuthorizerId" not in made
    url = f"{daemon.url}/_aws/execute-api/{api}/$default/signed"
    assert ask(url) == (403, {"message": "Forbidden"})
    assert ask(url, wrong(credentials)) == (403, {"message": "Forbidden"})
    assert ask(url, credentials, data=b"{}", signed_data=b"[]") == (403, {"message": "Forbidden"})
    status, said = ask(url, credentials, data=b'{"a":1}')
    assert status == 200 and said["body"] == '{"a":1}'
    if version == "2.0":
        assert said["context"]["authorizer"]["iam"] == {"accessKey": credentials.access_key, "accountId": "000000000000", "callerId": user["UserId"], "cognitoIdentity": None,
                                                        "principalOrgId": None, "userArn": user["Arn"], "userId": user["UserId"]}
    else:
        assert said["context"]["identity"]["userArn"] == user["Arn"] and said["context"]["identity"]["accessKey"] == credentials.access_key
    client.delete_api(ApiId=api)


def test_a_sam_api_for_signers(daemon, caller):
    template = {"Transform": "AWS::Serverless-2016-10-31", "Outputs": {"Url": {"Value": {"Ref": "Api"}}}, "Resources": {
        "Api": {"Type": "AWS::Serverless::HttpApi", "Properties": {"Auth": {"EnableIamAuthorizer": True, "DefaultAuthorizer": "AWS_IAM"}}},
        "Function": {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "InlineCode": SAYS_WHO, "Events": {
            "Signed": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Path": "/signed", "Method": "get"}},
            "Open": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Path": "/open", "Method": "get", "Auth": {"Authorizer": "NONE"}}}}}}}}
    client = daemon.client("cloudformation")
    client.create_stack(StackName="signers", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    client.get_waiter("stack_create_complete").wait(StackName="signers", WaiterConfig={"Delay": 1})
    api = client.describe_stacks(StackName="signers")["Stacks"][0]["Outputs"][0]["OutputValue"]
    url = f"{daemon.url}/_aws/execute-api/{api}/$default"
    assert ask(url + "/signed")[0] == 403 and ask(url + "/signed", caller[1])[0] == 200 and ask(url + "/open")[0] == 200
    client.delete_stack(StackName="signers")


def test_function_urls(daemon, caller, backend):
    user, credentials = caller
    functions = daemon.client("lambda")
    host = functions.create_function_url_config(FunctionName=backend, AuthType="AWS_IAM")["FunctionUrl"].split("/")[2]
    assert ask(daemon.url + "/", host=host) == (403, {"Message": "Forbidden"})
    status, said = ask(daemon.url + "/x", wrong(credentials), service="lambda", host=host)
    assert status == 403 and "signature we calculated does not match" in said["Message"]
    status, said = ask(daemon.url + "/x", credentials, service="lambda", data=b"{}", host=host)
    assert status == 200 and said["context"]["accountId"] == "000000000000" and said["context"]["authorizer"]["iam"]["userArn"] == user["Arn"]
    functions.update_function_url_config(FunctionName=backend, AuthType="NONE")
    status, said = ask(daemon.url + "/x", host=host)
    assert status == 200 and said["context"]["accountId"] == "anonymous" and "authorizer" not in said["context"]

