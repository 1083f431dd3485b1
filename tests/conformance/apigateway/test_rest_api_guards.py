"""What stands before the integrations of a REST API: a SAM template's Auth, gateway responses, API keys with usage plans, validators, policies, signatures, domains."""
import json
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from cognito import Pool
from support import wait_for

ECHO = "exports.handler = async e => ({statusCode: 200, body: JSON.stringify({identity: e.requestContext.identity, authorizer: e.requestContext.authorizer || null})});"
DECIDES = """exports.handler = async e => {
  if (e.authorizationToken === 'unknown') throw new Error('Unauthorized');
  const effect = e.authorizationToken === 'good' ? 'Allow' : 'Deny';
  return { principalId: 'p', usageIdentifierKey: 'from-the-authorizer-1234', policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: '*' }] } };
};"""


def ask(url, method="GET", data=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        reply = urllib.request.urlopen(urllib.request.Request(url, method=method, data=data, headers=headers))
    except urllib.error.HTTPError as error:
        reply = error
    reply.text = reply.read().decode()
    return reply


def answer(url, **more):
    reply = ask(url, **more)
    return reply.status, json.loads(reply.text or "null")


def deploy(daemon, name, template):
    stacks = daemon.client("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return {each["OutputKey"]: each["OutputValue"] for each in stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]}


def function(code, **events):
    return {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "InlineCode": code, "Events": {
        name: {"Type": "Api", "Properties": {"RestApiId": {"Ref": "Api"}, **properties}} for name, properties in events.items()}}}


def test_sam_auth(daemon):
    pool = Pool(daemon, "rest-sam")
    app = pool.client()["ClientId"]
    pool.user("ann")
    arn = pool.api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"]
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": {
            "StageName": "live", "Cors": "'*'",
            "Auth": {"DefaultAuthorizer": "Decides", "AddDefaultAuthorizerToCorsPreflight": False,
                     "Authorizers": {"Decides": {"FunctionArn": {"Fn::GetAtt": ["Authorizer", "Arn"]}, "Identity": {"Header": "X-Token", "ReauthorizeEvery": 0}}, "Users": {"UserPoolArn": arn}},
                     "UsagePlan": {"CreateUsagePlan": "PER_API", "Quota": {"Limit": 3, "Period": "DAY"}}},
            "GatewayResponses": {"UNAUTHORIZED": {"StatusCode": 419, "ResponseParameters": {"Headers": {"Access-Control-Allow-Origin": "'*'"}},
                                                  "ResponseTemplates": {"application/json": '{"said":$context.error.messageString,"at":"$context.resourcePath"}'}}},
            "Models": {"Order": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}, "count": {"type": "integer", "minimum": 1}}}}}},
        "Authorizer": {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler", "InlineCode": DECIDES}},
        "Backend": function(ECHO, Default={"Path": "/default", "Method": "get"}, Users={"Path": "/users", "Method": "get", "Auth": {"Authorizer": "Users"}},
                            Open={"Path": "/open", "Method": "get", "Auth": {"Authorizer": "NONE"}},
                            Keyed={"Path": "/keyed", "Method": "get", "Auth": {"Authorizer": "NONE", "ApiKeyRequired": True}},
                            Checked={"Path": "/orders", "Method": "post", "Auth": {"Authorizer": "NONE"}, "RequestModel": {"Model": "Order", "Required": True, "ValidateBody": True, "ValidateParameters": True},
                                     "RequestParameters": [{"method.request.querystring.shop": {"Required": True}}]})},
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Key": {"Value": {"Ref": "Api.ApiKey"}}, "Plan": {"Value": {"Ref": "Api.UsagePlan"}}}}
    out = deploy(daemon, "rest-sam", template)
    url, client = f"{daemon.url}/_aws/execute-api/{out['Api']}/live", daemon.client("apigateway")

    assert answer(url + "/default", X_Token="good")[0] == 200 and answer(url + "/default", X_Token="bad")[0] == 403
    refused = ask(url + "/default", X_Token="unknown")
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"], json.loads(refused.text)) == (419, "*", {"said": "Unauthorized", "at": "/default"})
    assert ask(url + "/default").status == 419 and ask(url + "/default", method="OPTIONS").status == 200
    token = pool.sign_in(app, "ann")["IdToken"]
    assert answer(url + "/users", Authorization=token)[0] == 200 and ask(url + "/users").status == 419
    assert answer(url + "/open")[0] == 200
    assert answer(url + "/nowhere") == (403, {"message": "Missing Authentication Token"})

    assert answer(url + "/keyed") == (403, {"message": "Forbidden"}) == answer(url + "/keyed", x_api_key="nobody-has-this-key-0")
    key = client.get_api_key(apiKey=out["Key"], includeValue=True)["value"]
    status, body = answer(url + "/keyed", x_api_key=key)
    assert status == 200 and body["identity"]["apiKeyId"] == out["Key"] and body["identity"]["apiKey"] == key, body
    assert [answer(url + "/keyed", x_api_key=key)[0] for _ in range(2)] == [200, 200]
    assert answer(url + "/keyed", x_api_key=key) == (429, {"message": "Limit Exceeded"})
    client.update_usage(usagePlanId=out["Plan"], keyId=out["Key"], patchOperations=[{"op": "replace", "path": "/remaining", "value": "1"}])
    assert [answer(url + "/keyed", x_api_key=key)[0] for _ in range(2)] == [200, 429]

    def order(body, query="?shop=1"):
        return answer(url + "/orders" + query, method="POST", data=body.encode(), Content_Type="application/json")
    assert order('{"sku": "a", "count": 2}')[0] == 200
    assert order('{"count": 2}') == (400, {"message": "Invalid request body"}) == order("no json") == order('{"sku": "a", "count": 0}')
    assert order('{"sku": "a"}', "") == (400, {"message": "Missing required request parameters: [shop]"})
    stacks = daemon.client("cloudformation")
    stacks.delete_stack(StackName="rest-sam")
    stacks.get_waiter("stack_delete_complete").wait(StackName="rest-sam", WaiterConfig={"Delay": 1})
    assert out["Key"] not in [each["id"] for each in client.get_api_keys()["items"]]


def mock_api(client, name, **more):
    """An API whose GET / answers 200 without any backend."""
    api = client.create_rest_api(name=name, **more)["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    return api, root


def mock_method(client, api, resource, kind="NONE", **more):
    client.put_method(restApiId=api, resourceId=resource, httpMethod="GET", authorizationType=kind, **more)
    client.put_integration(restApiId=api, resourceId=resource, httpMethod="GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    client.put_method_response(restApiId=api, resourceId=resource, httpMethod="GET", statusCode="200")
    client.put_integration_response(restApiId=api, resourceId=resource, httpMethod="GET", statusCode="200", responseTemplates={"application/json": '{"ok": true}'})


def test_gateway_responses_are_of_the_deployment(daemon):
    client = daemon.client("apigateway")
    api, root = mock_api(client, "words")
    mock_method(client, api, root)
    assert client.get_gateway_response(restApiId=api, responseType="THROTTLED")["defaultResponse"] is True
    assert len(client.get_gateway_responses(restApiId=api)["items"]) == 21
    client.create_deployment(restApiId=api, stageName="s")
    made = client.put_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="404", responseTemplates={"application/json": '{"m": "none"}'})
    assert made["defaultResponse"] is False and made["statusCode"] == "404"
    url = f"{daemon.url}/_aws/execute-api/{api}/s"
    assert answer(url + "/x") == (403, {"message": "Missing Authentication Token"})  # until it is deployed
    client.create_deployment(restApiId=api, stageName="s")
    assert answer(url + "/x") == (404, {"m": "none"})
    client.update_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN", patchOperations=[{"op": "replace", "path": "/statusCode", "value": "410"}])
    assert client.get_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN")["statusCode"] == "410"
    client.delete_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN")
    with pytest.raises(ClientError, match="NotFoundException"):
        client.delete_gateway_response(restApiId=api, responseType="MISSING_AUTHENTICATION_TOKEN")
    with pytest.raises(ClientError, match="Invalid mapping expression"):
        client.put_gateway_response(restApiId=api, responseType="THROTTLED", responseParameters={"gatewayresponse.header.x": "nonsense"})


def test_keys_wait_their_turn(new_daemon):
    daemon = new_daemon()
    client = daemon.client("apigateway")
    api, root = mock_api(client, "keyed")
    mock_method(client, api, root, apiKeyRequired=True)
    client.create_deployment(restApiId=api, stageName="s")
    plan = client.create_usage_plan(name="p", apiStages=[{"apiId": api, "stage": "s"}], throttle={"rateLimit": 0.001, "burstLimit": 2}, quota={"limit": 100, "period": "MONTH"})["id"]
    key = client.create_api_key(name="k", enabled=True, value="a-value-of-twenty-characters")
    url = f"{daemon.url}/_aws/execute-api/{api}/s/"
    assert answer(url, x_api_key=key["value"])[0] == 403  # in no plan yet
    client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    assert [answer(url, x_api_key=key["value"])[0] for _ in range(3)] == [200, 200, 429]
    assert answer(url, x_api_key=key["value"]) == (429, {"message": "Too Many Requests"})
    client.update_usage_plan(usagePlanId=plan, patchOperations=[{"op": "replace", "path": "/throttle/burstLimit", "value": "5"}])
    daemon.kill()
    daemon.start()
    url, client = f"{daemon.url}/_aws/execute-api/{api}/s/", daemon.client("apigateway")
    assert answer(url, x_api_key=key["value"])[0] == 200
    used = client.get_usage(usagePlanId=plan, startDate="2000-01-01", endDate="2000-01-02")["items"][key["id"]]
    assert used == [[0, 100], [0, 100]]
    client.update_api_key(apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
    assert answer(url, x_api_key=key["value"])[0] == 403
    with pytest.raises(ClientError, match="ConflictException"):
        client.create_api_key(value="a-value-of-twenty-characters")
    with pytest.raises(ClientError, match="API stages"):
        client.delete_usage_plan(usagePlanId=plan)
    client.update_stage(restApiId=api, stageName="s", patchOperations=[{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0"}, {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "0"}])
    assert client.get_stage(restApiId=api, stageName="s")["methodSettings"]["*/*"]["throttlingBurstLimit"] == 0


def test_policies_and_signatures(daemon):
    client = daemon.client("apigateway")
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
        {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*/GET/shut", "Condition": {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}}]}
    api, root = mock_api(client, "policy", policy=json.dumps(policy))
    mock_method(client, api, root)
    for path, kind in (("shut", "NONE"), ("signed", "AWS_IAM")):
        mock_method(client, api, client.create_resource(restApiId=api, parentId=root, pathPart=path)["id"], kind)
    client.create_deployment(restApiId=api, stageName="s")
    url = f"{daemon.url}/_aws/execute-api/{api}/s"
    assert answer(url + "/")[0] == 200
    status, body = answer(url + "/shut")
    assert status == 403 and body["Message"].startswith("User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********0000:") and "explicit deny" in body["Message"]
    assert answer(url + "/signed") == (403, {"message": "Missing Authentication Token"})
    iam = daemon.client("iam")
    iam.create_user(UserName="caller")
    key = iam.create_access_key(UserName="caller")["AccessKey"]

    def signed(secret):
        request = AWSRequest("GET", url + "/signed")
        SigV4Auth(Credentials(key["AccessKeyId"], secret), "execute-api", "us-east-1").add_auth(request)
        return answer(url + "/signed", **dict(request.headers))
    assert signed(key["SecretAccessKey"])[0] == 200
    status, body = signed("wrong")
    assert status == 403 and "signature we calculated does not match" in body["message"]
    with pytest.raises(ClientError, match="NumericEquals"):
        client.create_rest_api(name="x", policy=json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"a": "1"}}}]}))


def test_a_domain_of_ones_own(daemon):
    client = daemon.client("apigateway")
    api, root = mock_api(client, "domain")
    mock_method(client, api, client.create_resource(restApiId=api, parentId=root, pathPart="things")["id"])
    client.create_deployment(restApiId=api, stageName="s")
    certificate = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-1111-1111-1111-111111111111"
    made = client.create_domain_name(domainName="api.example.com", regionalCertificateArn=certificate, endpointConfiguration={"types": ["REGIONAL"]})
    assert made["regionalDomainName"].endswith(".execute-api.us-east-1.amazonaws.com") and made["domainNameStatus"] == "AVAILABLE"
    client.create_base_path_mapping(domainName="api.example.com", basePath="v1", restApiId=api, stage="s")
    host = f"api.example.com:{daemon.port}"
    assert answer(daemon.url + "/v1/things", Host=host)[0] == 200
    assert answer(daemon.url + "/things", Host=host) == (403, {"message": "Forbidden"})
    client.create_base_path_mapping(domainName="api.example.com", restApiId=api)
    assert answer(daemon.url + "/s/things", Host=host)[0] == 200
    assert {each["basePath"] for each in client.get_base_path_mappings(domainName="api.example.com")["items"]} == {"v1", "(none)"}
    client.update_rest_api(restApiId=api, patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}])
    assert answer(daemon.url + "/v1/things", Host=host)[0] == 200 and answer(f"{daemon.url}/_aws/execute-api/{api}/s/things")[0] == 403
    client.delete_domain_name(domainName="api.example.com")
    assert ask(daemon.url + "/v1/things", Host=host).status != 200


def test_a_sam_api_with_a_domain_and_openapi_3(daemon):
    zone = daemon.client("route53").create_hosted_zone(Name="shop.test", CallerReference="z")["HostedZone"]["Id"].split("/")[-1]
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": {
            "StageName": "live", "OpenApiVersion": "3.0.1", "Cors": "'*'", "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 20}],
            "Auth": {"ApiKeyRequired": True, "AddApiKeyRequiredToCorsPreflight": False, "ResourcePolicy": {"IpRangeBlacklist": ["203.0.113.0/24"]}},
            "Domain": {"DomainName": "api.shop.test", "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/11111111-1111-1111-1111-111111111111", "BasePath": ["v1"], "Route53": {"HostedZoneId": zone}}}},
        "Backend": function(ECHO, Keyed={"Path": "/keyed", "Method": "get"}, Open={"Path": "/open", "Method": "get", "Auth": {"ApiKeyRequired": False}})},
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Domain": {"Value": {"Ref": "Api.DomainName"}}}}
    out = deploy(daemon, "rest-sam-domain", template)
    host = f"api.shop.test:{daemon.port}"
    assert out["Domain"] == "api.shop.test"
    assert answer(daemon.url + "/v1/open", Host=host)[0] == 200 and answer(daemon.url + "/v1/keyed", Host=host) == (403, {"message": "Forbidden"})
    assert ask(daemon.url + "/v1/keyed", method="OPTIONS", Host=host).status == 200
    records = daemon.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [each["AliasTarget"]["DNSName"] for each in records if each["Name"] == "api.shop.test."][0].startswith("d-")
    settings = daemon.client("apigateway").get_stage(restApiId=out["Api"], stageName="live")["methodSettings"]
    assert settings["*/*"]["throttlingRateLimit"] == 50 and settings["*/*"]["throttlingBurstLimit"] == 20
    stacks = daemon.client("cloudformation")
    stacks.update_stack(StackName="rest-sam-domain", TemplateBody=json.dumps(template).replace('"/open"', '"/opened"'), Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    stacks.get_waiter("stack_update_complete").wait(StackName="rest-sam-domain", WaiterConfig={"Delay": 1})
    assert answer(daemon.url + "/v1/opened", Host=host)[0] == 200 and answer(daemon.url + "/v1/open", Host=host)[0] == 403
    stacks.delete_stack(StackName="rest-sam-domain")
    stacks.get_waiter("stack_delete_complete").wait(StackName="rest-sam-domain", WaiterConfig={"Delay": 1})


def test_a_stage_logs_its_requests(daemon):
    client, logs = daemon.client("apigateway"), daemon.client("logs")
    api, root = mock_api(client, "logged")
    mock_method(client, api, root)
    client.create_deployment(restApiId=api, stageName="s")
    logs.create_log_group(logGroupName="rest-access")
    form = '{"status":"$context.status","path":"$context.path","error":"$context.error.responseType","ip":"$context.identity.sourceIp"}'
    client.update_stage(restApiId=api, stageName="s", patchOperations=[
        {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": "arn:aws:logs:us-east-1:000000000000:log-group:rest-access"},
        {"op": "replace", "path": "/accessLogSettings/format", "value": form}])
    for path in ("/", "/nowhere"):
        ask(f"{daemon.url}/_aws/execute-api/{api}/s{path}")
    wait_for(lambda: len(logs.filter_log_events(logGroupName="rest-access")["events"]) == 2)
    lines = [json.loads(each["message"]) for each in logs.filter_log_events(logGroupName="rest-access")["events"]]
    assert {(each["status"], each["path"], each["error"]) for each in lines} == {("200", "/s/", "-"), ("403", "/s/nowhere", "MISSING_AUTHENTICATION_TOKEN")} and lines[0]["ip"] == "127.0.0.1"
