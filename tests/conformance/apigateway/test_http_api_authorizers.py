"""HTTP APIs whose routes ask who calls: tokens of a user pool or of another issuer, and functions that decide."""
import json
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from cognito import Pool
from support import function_package
from upstream import Upstream
from web_tokens import Key

BACKEND = "exports.handler = async e => ({authorizer: e.requestContext.authorizer || null});"
DECIDES = """
let calls = 0;
exports.handler = async e => {
  calls += 1;
  const who = e.identitySource[0] || e.identitySource;
  if (who === 'broken') throw new Error('broken');
  if (who === 'unknown') throw new Error('Unauthorized');
  return { isAuthorized: who === 'ann', context: { calls, type: e.type, routeArn: e.routeArn } };
};
"""
POLICY = """
exports.handler = async e => ({ principalId: 'p', context: { level: 3 },
  policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: e.authorizationToken === 'ann' ? 'Allow' : 'Deny', Resource: e.methodArn }] } });
"""


def function(daemon, name, text):
    return daemon.client("lambda").create_function(FunctionName=name, Runtime="nodejs22.x", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": function_package(text)})["FunctionArn"]


@pytest.fixture(scope="module")
def api(daemon):
    client = daemon.client("apigatewayv2")
    client.id = client.create_api(Name="guarded", ProtocolType="HTTP")["ApiId"]
    client.create_stage(ApiId=client.id, StageName="$default", AutoDeploy=True)
    arn = function(daemon, "guarded-backend", BACKEND)
    client.target = "integrations/" + client.create_integration(ApiId=client.id, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0")["IntegrationId"]
    client.url = f"{daemon.url}/_aws/execute-api/{client.id}/$default"
    return client


def route(api, key, authorizer, kind, **more):
    return api.create_route(ApiId=api.id, RouteKey=key, Target=api.target, AuthorizationType=kind, AuthorizerId=authorizer, **more)


def ask(api, path, **headers):
    try:
        reply = urllib.request.urlopen(urllib.request.Request(api.url + path, headers=headers))
    except urllib.error.HTTPError as error:
        reply = error
    return reply.status, json.loads(reply.read()), reply.headers


def test_tokens_of_a_user_pool(daemon, api):
    pool = Pool(daemon, "api-users")
    app = pool.client()["ClientId"]
    pool.user("ann")
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    made = api.create_authorizer(ApiId=api.id, Name="pool", AuthorizerType="JWT", IdentitySource=["$request.header.Authorization"], JwtConfiguration={"Issuer": issuer, "Audience": [app]})
    assert api.get_authorizer(ApiId=api.id, AuthorizerId=made["AuthorizerId"])["JwtConfiguration"]["Issuer"] == issuer
    route(api, "GET /pool", made["AuthorizerId"], "JWT")
    route(api, "GET /scoped", made["AuthorizerId"], "JWT", AuthorizationScopes=["aws.cognito.signin.user.admin", "x"])
    route(api, "GET /unfit", made["AuthorizerId"], "JWT", AuthorizationScopes=["orders/read"])
    tokens = pool.sign_in(app, "ann")
    for token in (tokens["AccessToken"], tokens["IdToken"]):
        status, body, _ = ask(api, "/pool", Authorization="Bearer " + token)
        assert status == 200 and body["authorizer"]["jwt"]["claims"]["sub"] and body["authorizer"]["jwt"]["scopes"] is None, body
    assert ask(api, "/scoped", Authorization=tokens["AccessToken"])[1]["authorizer"]["jwt"]["scopes"] == ["aws.cognito.signin.user.admin"]
    status, body, headers = ask(api, "/unfit", Authorization="Bearer " + tokens["AccessToken"])
    assert (status, body) == (403, {"message": "Forbidden"}) and "insufficient_scope" in headers["www-authenticate"]
    status, body, headers = ask(api, "/pool")
    assert (status, body, headers["www-authenticate"]) == (401, {"message": "Unauthorized"}, "Bearer")
    head, claims, signature = tokens["AccessToken"].split(".")
    assert ask(api, "/pool", Authorization=f"Bearer {head}.{claims}.{signature[:-8]}AAAAAAAA")[0] == 401
    other = pool.client(ClientName="other")["ClientId"]
    assert ask(api, "/pool", Authorization="Bearer " + pool.sign_in(other, "ann")["AccessToken"])[0] == 401
    with pytest.raises(ClientError, match="ConflictException"):
        api.delete_authorizer(ApiId=api.id, AuthorizerId=made["AuthorizerId"])


def test_tokens_of_another_issuer(api, tmp_path):
    key, stranger = Key(tmp_path, "one"), Key(tmp_path, "two")
    with Upstream() as provider:
        url = f"http://127.0.0.1:{provider.port}"
        documents = {"/.well-known/openid-configuration": {"jwks_uri": url + "/keys"}, "/keys": {"keys": [key.json]}}
        provider.handler = lambda method, target, headers, body: (200, {"Content-Type": "application/json"}, json.dumps(documents[target]).encode())
        made = api.create_authorizer(ApiId=api.id, Name="issuer", AuthorizerType="JWT", IdentitySource=["$request.querystring.token"], JwtConfiguration={"Issuer": url, "Audience": ["shop"]})
        route(api, "GET /issuer", made["AuthorizerId"], "JWT")
        good = {"iss": url, "aud": "shop", "exp": int(time.time()) + 600, "groups": ["a", "b"]}
        status, body, _ = ask(api, "/issuer?token=" + key.sign(good))
        assert status == 200 and body["authorizer"]["jwt"]["claims"]["groups"] == "[a b]"
        for changed in ({"iss": "https://other"}, {"aud": "other"}, {"exp": 1}, {"nbf": int(time.time()) + 600}):
            assert ask(api, "/issuer?token=" + key.sign({**good, **changed}))[0] == 401, changed
        assert ask(api, "/issuer?token=" + stranger.sign(good, kid="one"))[0] == 401 and ask(api, "/issuer")[0] == 401


def test_functions_decide(daemon, api):
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function(daemon, 'decides', DECIDES)}/invocations"
    simple = api.create_authorizer(ApiId=api.id, Name="simple", AuthorizerType="REQUEST", AuthorizerUri=uri, AuthorizerPayloadFormatVersion="2.0", EnableSimpleResponses=True,
                                   IdentitySource=["$request.header.x-user"], AuthorizerResultTtlInSeconds=0)
    cached = api.create_authorizer(ApiId=api.id, Name="cached", AuthorizerType="REQUEST", AuthorizerUri=uri, AuthorizerPayloadFormatVersion="2.0", EnableSimpleResponses=True,
                                   IdentitySource=["$request.header.x-user"], AuthorizerResultTtlInSeconds=300)
    route(api, "GET /simple/{id}", simple["AuthorizerId"], "CUSTOM")
    route(api, "GET /cached", cached["AuthorizerId"], "CUSTOM")
    status, body, _ = ask(api, "/simple/7", **{"x-user": "ann"})
    assert status == 200 and body["authorizer"]["lambda"]["type"] == "REQUEST" and body["authorizer"]["lambda"]["routeArn"].endswith("/$default/GET/simple/7"), body
    assert ask(api, "/simple/7", **{"x-user": "bob"})[:2] == (403, {"message": "Forbidden"})
    assert ask(api, "/simple/7")[:2] == (401, {"message": "Unauthorized"})
    assert ask(api, "/simple/7", **{"x-user": "unknown"})[0] == 401 and ask(api, "/simple/7", **{"x-user": "broken"})[0] == 500
    with pytest.raises(ClientError, match="BadRequestException"):
        api.create_authorizer(ApiId=api.id, Name="simple", AuthorizerType="REQUEST", AuthorizerUri=uri, AuthorizerPayloadFormatVersion="2.0", IdentitySource=[])
    counts = {ask(api, "/cached", **{"x-user": "ann"})[1]["authorizer"]["lambda"]["calls"] for _ in range(12)}
    assert len(counts) <= 4, counts  # each loop of the daemon asks once
    policy = api.create_authorizer(ApiId=api.id, Name="policy", AuthorizerType="REQUEST", AuthorizerUri=function(daemon, "policy", POLICY), AuthorizerPayloadFormatVersion="1.0",
                                   IdentitySource=["$request.header.x-user"])
    route(api, "GET /policy", policy["AuthorizerId"], "CUSTOM")
    assert ask(api, "/policy", **{"x-user": "ann"})[1]["authorizer"]["lambda"] == {"level": 3}
    assert ask(api, "/policy", **{"x-user": "bob"})[0] == 403


def test_a_stack_with_an_authorizer(daemon):
    template = {"Resources": {
        "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
        "App": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {"UserPoolId": {"Ref": "Pool"}}},
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "stacked", "ProtocolType": "HTTP"}},
        "Users": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {"ApiId": {"Ref": "Api"}, "Name": "users", "AuthorizerType": "JWT", "IdentitySource": ["$request.header.Authorization"],
                                                                        "JwtConfiguration": {"Issuer": {"Fn::GetAtt": ["Pool", "ProviderURL"]}, "Audience": [{"Ref": "App"}]}}}},
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}}}
    stacks = daemon.client("cloudformation")
    stacks.create_stack(StackName="guarded", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="guarded", WaiterConfig={"Delay": 1})
    api = stacks.describe_stacks(StackName="guarded")["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert [one["Name"] for one in daemon.client("apigatewayv2").get_authorizers(ApiId=api)["Items"]] == ["users"]
    stacks.delete_stack(StackName="guarded")
    stacks.get_waiter("stack_delete_complete").wait(StackName="guarded", WaiterConfig={"Delay": 1})
