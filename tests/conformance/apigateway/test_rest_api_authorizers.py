"""REST APIs whose methods ask who calls: users of a user pool, and functions that decide; and SAM's Auth of HTTP APIs."""
import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from cognito import Pool
from support import function_package

BACKEND = "exports.handler = async e => ({statusCode: 200, body: JSON.stringify(e.requestContext.authorizer || null)});"
DECIDES = """
let calls = 0;
exports.handler = async e => {
  calls += 1;
  const who = e.authorizationToken || e.headers['x-user'];
  if (who === 'unknown') throw new Error('Unauthorized');
  if (who === 'broken') throw new Error('broken');
  const statement = { Action: 'execute-api:Invoke', Effect: who === 'denied' ? 'Deny' : 'Allow', Resource: who === 'elsewhere' ? 'arn:aws:execute-api:*:*:none/*' : e.methodArn };
  return { principalId: who, policyDocument: { Version: '2012-10-17', Statement: [statement] }, context: { calls, kind: e.type } };
};
"""


def function(daemon, name, text):
    return daemon.client("lambda").create_function(FunctionName=name, Runtime="nodejs22.x", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": function_package(text)})["FunctionArn"]


def uri(arn):
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def ask(url, **headers):
    try:
        reply = urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    except urllib.error.HTTPError as error:
        reply = error
    return reply.status, json.loads(reply.read() or b"null")


@pytest.fixture(scope="module")
def api(daemon):
    client = daemon.client("apigateway")
    client.id = client.create_rest_api(name="guarded")["id"]
    client.root = client.get_resources(restApiId=client.id)["items"][0]["id"]
    client.backend = uri(function(daemon, "rest-backend", BACKEND))
    return client


def method(api, path, kind, authorizer, **more):
    resource = api.create_resource(restApiId=api.id, parentId=api.root, pathPart=path)["id"]
    api.put_method(restApiId=api.id, resourceId=resource, httpMethod="GET", authorizationType=kind, authorizerId=authorizer, **more)
    api.put_integration(restApiId=api.id, resourceId=resource, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=api.backend)


def deploy(daemon, api):
    api.create_deployment(restApiId=api.id, stageName="prod")
    return f"{daemon.url}/_aws/execute-api/{api.id}/prod"


def test_users_of_a_pool(daemon, api):
    pool = Pool(daemon, "rest-users")
    app = pool.client()["ClientId"]
    pool.user("ann", email="ann@example.com")
    arn = pool.api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"]
    made = api.create_authorizer(restApiId=api.id, name="pool", type="COGNITO_USER_POOLS", providerARNs=[arn], identitySource="method.request.header.Authorization")
    assert made["authType"] == "cognito_user_pools" and api.get_authorizer(restApiId=api.id, authorizerId=made["id"])["providerARNs"] == [arn]
    method(api, "pool", "COGNITO_USER_POOLS", made["id"])
    method(api, "scoped", "COGNITO_USER_POOLS", made["id"], authorizationScopes=["aws.cognito.signin.user.admin"])
    url, tokens = deploy(daemon, api), pool.sign_in(app, "ann")
    status, body = ask(url + "/pool", Authorization=tokens["IdToken"])
    assert status == 200 and body["claims"]["email"] == "ann@example.com", body
    assert ask(url + "/pool", Authorization=tokens["AccessToken"])[0] == 401 and ask(url + "/scoped", Authorization=tokens["IdToken"])[0] == 401
    assert ask(url + "/scoped", Authorization="Bearer " + tokens["AccessToken"])[0] == 200
    head, claims, signature = tokens["IdToken"].split(".")
    assert ask(url + "/pool", Authorization=f"{head}.{claims}.{signature[:-8]}AAAAAAAA") == (401, {"message": "Unauthorized"}) == ask(url + "/pool")
    with pytest.raises(ClientError, match="ConflictException"):
        api.delete_authorizer(restApiId=api.id, authorizerId=made["id"])


def test_functions_decide(daemon, api):
    decides = uri(function(daemon, "rest-decides", DECIDES))
    token = api.create_authorizer(restApiId=api.id, name="token", type="TOKEN", authorizerUri=decides, identitySource="method.request.header.X-Token", identityValidationExpression="[a-z]+", authorizerResultTtlInSeconds=0)
    request = api.create_authorizer(restApiId=api.id, name="request", type="REQUEST", authorizerUri=decides, identitySource="method.request.header.x-user", authorizerResultTtlInSeconds=300)
    method(api, "token", "CUSTOM", token["id"])
    method(api, "request", "CUSTOM", request["id"])
    url = deploy(daemon, api)
    status, body = ask(url + "/token", **{"x-token": "ann"})
    assert status == 200 and body["principalId"] == "ann" and body["kind"] == "TOKEN", body
    assert ask(url + "/token") == (401, {"message": "Unauthorized"}) and ask(url + "/token", **{"x-token": "ANN"})[0] == 401 and ask(url + "/token", **{"x-token": "unknown"})[0] == 401
    assert ask(url + "/token", **{"x-token": "denied"}) == (403, {"Message": "User is not authorized to access this resource with an explicit deny"})
    assert ask(url + "/token", **{"x-token": "elsewhere"}) == (403, {"Message": "User is not authorized to access this resource"})
    assert ask(url + "/token", **{"x-token": "broken"})[0] == 500
    calls = {ask(url + "/request", **{"x-user": "ann"})[1]["calls"] for _ in range(12)}
    assert len(calls) <= 4, calls  # each loop of the daemon asks once
    api.update_authorizer(restApiId=api.id, authorizerId=token["id"], patchOperations=[{"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "60"}])
    assert api.get_authorizer(restApiId=api.id, authorizerId=token["id"])["authorizerResultTtlInSeconds"] == 60


def test_sam_guards_routes(daemon):
    pool = Pool(daemon, "sam-users")
    app = pool.client()["ClientId"]
    pool.user("ann")
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        "Api": {"Type": "AWS::Serverless::HttpApi", "Properties": {"Auth": {"DefaultAuthorizer": "Users", "Authorizers": {"Users": {
            "IdentitySource": "$request.header.Authorization", "JwtConfiguration": {"issuer": f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}", "audience": [app]}}}}}},
        "Backend": {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "InlineCode": "exports.handler = async () => ({ok: true});", "Events": {
            "Private": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Path": "/private", "Method": "GET"}},
            "Scoped": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Path": "/scoped", "Method": "GET", "Auth": {"Authorizer": "Users", "AuthorizationScopes": ["orders/read"]}}},
            "Open": {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "Api"}, "Path": "/open", "Method": "GET", "Auth": {"Authorizer": "NONE"}}}}}}},
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}}}
    stacks = daemon.client("cloudformation")
    stacks.create_stack(StackName="sam-guarded", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    stacks.get_waiter("stack_create_complete").wait(StackName="sam-guarded", WaiterConfig={"Delay": 1})
    url = f"{daemon.url}/_aws/execute-api/{stacks.describe_stacks(StackName='sam-guarded')['Stacks'][0]['Outputs'][0]['OutputValue']}/$default"
    token = "Bearer " + pool.sign_in(app, "ann")["AccessToken"]
    assert ask(url + "/open")[0] == 200 and ask(url + "/private")[0] == 401 and ask(url + "/private", Authorization=token)[0] == 200
    assert ask(url + "/scoped", Authorization=token)[0] == 403
