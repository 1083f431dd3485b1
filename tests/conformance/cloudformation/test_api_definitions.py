"""APIs whose definition is an object of S3, and what becomes of an API when its template changes."""
import json
import urllib.request

import pytest

SWAGGER = """
swagger: "2.0"
info: {title: from-yaml, version: "1"}
paths:
  /hello:
    get:
      responses:
        200: {description: fine}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: "200", responseTemplates: {application/json: '%s'}}}
"""
OPENAPI = """
openapi: 3.0.1
info: {title: web, version: '1'}
paths:
  /%s:
    get:
      x-amazon-apigateway-integration: {type: http_proxy, uri: 'http://127.0.0.1:1/', httpMethod: GET, payloadFormatVersion: '1.0'}
"""


@pytest.fixture
def bucket(daemon):
    s3 = daemon.client("s3")
    s3.create_bucket(Bucket="definitions")
    yield s3
    for one in s3.list_objects_v2(Bucket="definitions").get("Contents", []):
        s3.delete_object(Bucket="definitions", Key=one["Key"])
    s3.delete_bucket(Bucket="definitions")


def deploy(daemon, template, update=False):
    stacks = daemon.client("cloudformation")
    (stacks.update_stack if update else stacks.create_stack)(StackName="apis", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_update_complete" if update else "stack_create_complete").wait(StackName="apis", WaiterConfig={"Delay": 1})
    return {one["OutputKey"]: one["OutputValue"] for one in stacks.describe_stacks(StackName="apis")["Stacks"][0].get("Outputs", [])}


@pytest.fixture
def stack(daemon):
    yield
    stacks = daemon.client("cloudformation")
    stacks.delete_stack(StackName="apis")
    stacks.get_waiter("stack_delete_complete").wait(StackName="apis", WaiterConfig={"Delay": 1})


def rest(key, etag=None, **properties):
    place = {"Bucket": "definitions", "Key": key} | ({"ETag": etag} if etag else {})
    return {"Resources": {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"BodyS3Location": place} | properties},
                          "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "dev"}}},
            "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}


def test_a_rest_api_from_yaml_in_s3(daemon, bucket, stack):
    etag = bucket.put_object(Bucket="definitions", Key="a.yaml", Body=SWAGGER % "one")["ETag"]
    api = deploy(daemon, rest("a.yaml", etag, Description="first", BinaryMediaTypes=["image/png"], Tags=[{"Key": "team", "Value": "a"}]))["Id"]
    with urllib.request.urlopen(f"{daemon.url}/_aws/execute-api/{api}/dev/hello") as reply:
        assert reply.read() == b"one"
    client = daemon.client("apigateway")
    shown = client.get_rest_api(restApiId=api)
    assert (shown["name"], shown["description"], shown["binaryMediaTypes"], shown["tags"]["team"]) == ("from-yaml", "first", ["image/png"], "a")

    bucket.put_object(Bucket="definitions", Key="b.yaml", Body=(SWAGGER % "two").replace("/hello", "/other"))
    deploy(daemon, rest("b.yaml", BinaryMediaTypes=["application/pdf"], Tags=[{"Key": "team", "Value": "b"}]), update=True)
    shown = client.get_rest_api(restApiId=api)
    assert "description" not in shown and shown["binaryMediaTypes"] == ["application/pdf"] and shown["tags"]["team"] == "b"
    assert {one["path"] for one in client.get_resources(restApiId=api)["items"]} == {"/", "/other"}


def test_a_definition_that_is_not_the_one_meant(daemon, bucket, stack):
    bucket.put_object(Bucket="definitions", Key="a.yaml", Body=SWAGGER % "one")
    stacks = daemon.client("cloudformation")
    stacks.create_stack(StackName="apis", TemplateBody=json.dumps(rest("a.yaml", '"0123"')), OnFailure="DO_NOTHING")
    with pytest.raises(Exception):
        stacks.get_waiter("stack_create_complete").wait(StackName="apis", WaiterConfig={"Delay": 1})
    reasons = [one.get("ResourceStatusReason", "") for one in stacks.describe_stack_events(StackName="apis")["StackEvents"]]
    assert any("At least one of the pre-conditions you specified did not hold" in one for one in reasons), reasons


def test_an_http_api_from_yaml_in_s3(daemon, bucket, stack):
    def template(key, tags):
        return {"Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"BodyS3Location": {"Bucket": "definitions", "Key": key}, "Tags": tags}}},
                "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}
    client = daemon.client("apigatewayv2")
    for key in ("one", "two"):
        bucket.put_object(Bucket="definitions", Key=key, Body=OPENAPI % key)
    api = deploy(daemon, template("one", {"a": "1", "b": "2"}))["Id"]
    assert [one["RouteKey"] for one in client.get_routes(ApiId=api)["Items"]] == ["GET /one"]
    deploy(daemon, template("two", {"b": "3"}), update=True)
    assert [one["RouteKey"] for one in client.get_routes(ApiId=api)["Items"]] == ["GET /two"]
    tags = client.get_api(ApiId=api)["Tags"]
    assert (tags.get("a"), tags["b"], tags["aws:cloudformation:stack-name"]) == (None, "3", "apis")


def test_binary_types_are_added_where_there_are_none(daemon):
    client = daemon.client("apigateway")
    api = client.create_rest_api(name="plain")["id"]
    out = client.update_rest_api(restApiId=api, patchOperations=[{"op": "add", "path": "/binaryMediaTypes/image~1png"}])
    assert out["binaryMediaTypes"] == ["image/png"]
    client.delete_rest_api(restApiId=api)


def test_routes_for_signed_requests(daemon, stack):
    template = {"Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "signed", "ProtocolType": "HTTP"}},
                              "Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Api"}, "RouteKey": "GET /x", "AuthorizationType": "AWS_IAM"}}},
                "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}
    api = deploy(daemon, template)["Id"]
    assert daemon.client("apigatewayv2").get_routes(ApiId=api)["Items"][0]["AuthorizationType"] == "AWS_IAM"


@pytest.mark.parametrize("kind, definition, path", [("AWS::Serverless::Api", SWAGGER % "sam", "/hello"), ("AWS::Serverless::HttpApi", OPENAPI % "web", None)])
def test_serverless_apis_whose_definition_is_in_s3(daemon, bucket, stack, kind, definition, path):
    bucket.put_object(Bucket="definitions", Key="api.yaml", Body=definition)
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Api": {"Type": kind, "Properties": {"StageName": "dev", "DefinitionUri": "s3://definitions/api.yaml"}}},
                "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}
    stacks = daemon.client("cloudformation")
    stacks.create_stack(StackName="apis", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_AUTO_EXPAND"])
    stacks.get_waiter("stack_create_complete").wait(StackName="apis", WaiterConfig={"Delay": 1})
    api = stacks.describe_stacks(StackName="apis")["Stacks"][0]["Outputs"][0]["OutputValue"]
    if path:
        with urllib.request.urlopen(f"{daemon.url}/_aws/execute-api/{api}/dev{path}") as reply:
            assert reply.read() == b"sam"
    else:
        assert [one["RouteKey"] for one in daemon.client("apigatewayv2").get_routes(ApiId=api)["Items"]] == ["GET /web"]
