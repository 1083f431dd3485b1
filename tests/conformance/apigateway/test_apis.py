"""HTTP and REST APIs: made through boto3 and SAM, called over HTTP."""
import base64
import http.server
import json
import threading
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from support import function_package

ECHO = "exports.handler = async (event) => ({ statusCode: 201, headers: { 'x-a': 'b' }, body: JSON.stringify(event) });"


@pytest.fixture(scope="module")
def echo(daemon):
    return daemon.client("lambda").create_function(FunctionName="echo", Runtime="nodejs20.x", Role="arn:aws:iam::000000000000:role/r", Handler="index.handler",
                                                   Code={"ZipFile": function_package(ECHO)})["FunctionArn"]


@pytest.fixture(scope="module")
def upstream():
    """A plain HTTP server to forward to."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            out = json.dumps({"path": self.path, "body": body.decode(), "for": self.headers["x-forwarded-for"]}).encode()
            self.send_response(202)
            self.send_header("content-length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)
        do_GET = do_POST

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def fetch(daemon, path, method="GET", data=None, headers=None, host=None):
    request = urllib.request.Request(daemon.url + path, method=method, data=data, headers={**(headers or {}), **({"Host": host} if host else {})})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, reply.read(), reply.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def test_http_api_routes_and_events(daemon, echo, upstream):
    api = daemon.client("apigatewayv2")
    made = api.create_api(Name="a", ProtocolType="HTTP", CorsConfiguration={"AllowOrigins": ["https://x.example"], "AllowMethods": ["GET"], "MaxAge": 60})
    v2 = api.create_integration(ApiId=made["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=echo, PayloadFormatVersion="2.0")["IntegrationId"]
    v1 = api.create_integration(ApiId=made["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=echo, PayloadFormatVersion="1.0")["IntegrationId"]
    proxy = api.create_integration(ApiId=made["ApiId"], IntegrationType="HTTP_PROXY", IntegrationMethod="ANY", IntegrationUri=upstream + "/up/{rest}", PayloadFormatVersion="1.0")["IntegrationId"]
    for key, target in (("GET /orders/{id}", v2), ("POST /old", v1), ("ANY /files/{rest+}", proxy), ("$default", v2)):
        api.create_route(ApiId=made["ApiId"], RouteKey=key, Target="integrations/" + target)
    api.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
    host = f"{made['ApiId']}.execute-api.us-east-1.localhost:{daemon.port}"
    status, body, headers = fetch(daemon, "/orders/a%20b?x=1&x=2", host=host, headers={"Cookie": "k=v; l=w"})
    event = json.loads(body)
    assert status == 201 and headers["x-a"] == "b"
    assert event["version"] == "2.0" and event["routeKey"] == "GET /orders/{id}" and event["pathParameters"] == {"id": "a b"}
    assert event["queryStringParameters"] == {"x": "1,2"} and event["cookies"] == ["k=v", "l=w"]
    assert event["requestContext"]["http"]["method"] == "GET" and event["requestContext"]["stage"] == "$default"
    status, body, _ = fetch(daemon, "/old", "POST", b"\xff\x00", {"Content-Type": "image/png"}, host=host)
    event = json.loads(body)
    assert event["version"] == "1.0" and event["isBase64Encoded"] and base64.b64decode(event["body"]) == b"\xff\x00"
    status, body, _ = fetch(daemon, "/files/x/y?q=1", "POST", b"hello", host=host)
    assert status == 202 and json.loads(body) == {"path": "/up/x/y?q=1", "body": "hello", "for": "127.0.0.1"}
    assert json.loads(fetch(daemon, "/anything", host=host)[1])["routeKey"] == "$default"
    status, _, headers = fetch(daemon, "/orders/1", "OPTIONS", host=host, headers={"Origin": "https://x.example", "Access-Control-Request-Method": "GET"})
    assert status == 204 and headers["access-control-allow-origin"] == "https://x.example" and headers["access-control-max-age"] == "60"
    assert fetch(daemon, f"/_aws/execute-api/{made['ApiId']}/$default/orders/1")[0] == 201
    api.delete_api(ApiId=made["ApiId"])
    assert fetch(daemon, "/orders/1", host=host)[0] == 404


def test_rest_api(daemon, echo, upstream):
    api = daemon.client("apigateway")
    made = api.create_rest_api(name="r")
    root = api.get_resources(restApiId=made["id"])["items"][0]["id"]
    orders = api.create_resource(restApiId=made["id"], parentId=root, pathPart="orders")["id"]
    one = api.create_resource(restApiId=made["id"], parentId=orders, pathPart="{id}")["id"]
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{echo}/invocations"
    api.put_method(restApiId=made["id"], resourceId=one, httpMethod="GET", authorizationType="NONE")
    api.put_integration(restApiId=made["id"], resourceId=one, httpMethod="GET", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    api.put_method(restApiId=made["id"], resourceId=orders, httpMethod="POST", authorizationType="NONE")
    api.put_integration(restApiId=made["id"], resourceId=orders, httpMethod="POST", type="HTTP_PROXY", integrationHttpMethod="POST", uri=upstream + "/rest")
    api.put_method(restApiId=made["id"], resourceId=orders, httpMethod="OPTIONS", authorizationType="NONE")
    api.put_integration(restApiId=made["id"], resourceId=orders, httpMethod="OPTIONS", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    api.put_method_response(restApiId=made["id"], resourceId=orders, httpMethod="OPTIONS", statusCode="200")
    api.put_integration_response(restApiId=made["id"], resourceId=orders, httpMethod="OPTIONS", statusCode="200",
                                 responseParameters={"method.response.header.Access-Control-Allow-Origin": "'*'"}, responseTemplates={"application/json": ""})
    api.create_deployment(restApiId=made["id"], stageName="prod", variables={"color": "blue"})
    base = f"/restapis/{made['id']}/prod/_user_request_"
    status, body, _ = fetch(daemon, base + "/orders/7?a=1&a=2")
    event = json.loads(body)
    assert status == 201 and event["resource"] == "/orders/{id}" and event["pathParameters"] == {"id": "7"} and event["stageVariables"] == {"color": "blue"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]} and event["requestContext"]["path"] == "/prod/orders/7"
    assert json.loads(fetch(daemon, base + "/orders", "POST", b"x")[1])["body"] == "x"
    status, _, headers = fetch(daemon, base + "/orders", "OPTIONS")
    assert status == 200 and headers["access-control-allow-origin"] == "*"
    host = f"{made['id']}.execute-api.us-east-1.localhost:{daemon.port}"
    assert fetch(daemon, "/prod/orders/7", host=host)[0] == 201
    assert fetch(daemon, "/prod/none", host=host)[:2] == (403, b'{"message":"Missing Authentication Token"}')
    assert fetch(daemon, "/nostage/orders/7", host=host)[:2] == (403, b'{"message":"Forbidden"}')
    with pytest.raises(ClientError) as caught:
        api.put_method(restApiId=made["id"], resourceId=one, httpMethod="PUT", authorizationType="CUSTOM", authorizerId="x")
    assert "CUSTOM" in str(caught.value)
    # What changed is served after the next deployment only.
    api.delete_method(restApiId=made["id"], resourceId=one, httpMethod="GET")
    assert fetch(daemon, base + "/orders/7")[0] == 201
    api.create_deployment(restApiId=made["id"], stageName="prod")
    assert fetch(daemon, base + "/orders/7")[0] == 403


def test_apis_survive_a_kill(new_daemon):
    one = new_daemon()
    api = one.client("apigatewayv2")
    arn = one.client("lambda").create_function(FunctionName="echo", Runtime="nodejs20.x", Role="arn:aws:iam::000000000000:role/r", Handler="index.handler",
                                               Code={"ZipFile": function_package(ECHO)})["FunctionArn"]
    made = api.create_api(Name="quick", ProtocolType="HTTP", Target=arn)
    one.kill()
    one.start()
    assert fetch(one, f"/_aws/execute-api/{made['ApiId']}/$default/x")[0] == 201


def test_a_sam_rest_api(daemon, tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text("""
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {"statusCode": 200, "body": event["path"]}
      Events:
        Get: {Type: Api, Properties: {Path: "/hello/{name}", Method: get}}
Outputs:
  Id: {Value: !Ref ServerlessRestApi}
""")
    daemon.command("deploy", str(template), "--stack", "rest", "--port", str(daemon.port))
    api = daemon.command("status", "--output", "rest.Id", "--port", str(daemon.port)).strip()
    assert fetch(daemon, f"/_aws/execute-api/{api}/Prod/hello/bob")[:2] == (200, b"/hello/bob")
    daemon.command("destroy", "rest", "--port", str(daemon.port))


def test_the_account_keeps_its_role_for_logs(daemon):
    import json
    api, stacks = daemon.client("apigateway"), daemon.client("cloudformation")
    role = "arn:aws:iam::000000000000:role/logs"
    assert "cloudwatchRoleArn" not in api.get_account()
    template = {"Resources": {"Account": {"Type": "AWS::ApiGateway::Account", "Properties": {"CloudWatchRoleArn": role}}}}
    stacks.create_stack(StackName="account", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="account", WaiterConfig={"Delay": 1})
    assert api.get_account()["cloudwatchRoleArn"] == role
    stacks.delete_stack(StackName="account")
    stacks.get_waiter("stack_delete_complete").wait(StackName="account", WaiterConfig={"Delay": 1})
    assert api.get_account()["cloudwatchRoleArn"] == role  # as on AWS, it stays
    assert "cloudwatchRoleArn" not in api.update_account(patchOperations=[{"op": "remove", "path": "/cloudwatchRoleArn"}])


def test_parts_of_rest_apis_that_cannot_be(daemon):
    client = daemon.client("apigateway")
    api = client.create_rest_api(name="refused")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    for part in ("a b", "a/b", "{a", "{}", "a}", "é"):
        with pytest.raises(ClientError, match="Resource's path part only allow a-zA-Z0-9._-:"):
            client.create_resource(restApiId=api, parentId=root, pathPart=part)
    for part in ("{id}", "v1.0", "x_y-z:do"):
        client.create_resource(restApiId=api, parentId=root, pathPart=part)
    with pytest.raises(ClientError, match="Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"):
        client.put_method(restApiId=api, resourceId=root, httpMethod="FETCH", authorizationType="NONE")
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    with pytest.raises(ClientError, match="Timeout should be between 50 ms"):
        client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://127.0.0.1:1/", timeoutInMillis=49)
    client.delete_rest_api(restApiId=api)
