"""Stages of HTTP APIs: access logs in CloudWatch Logs, and limits of requests per second."""
import json
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError
from support import function_package, wait_for

CODE = "exports.handler = async (event) => ({statusCode: event.rawPath.endsWith('/made') ? 201 : 200, body: 'hello'})"


@pytest.fixture
def api(daemon):
    gateway, functions = daemon.client("apigatewayv2"), daemon.client("lambda")
    function = functions.create_function(FunctionName="staged", Runtime="nodejs20.x", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r",
                                         Code={"ZipFile": function_package(CODE)})["FunctionArn"]
    one = gateway.create_api(Name="staged", ProtocolType="HTTP", Target=function, RouteKey="GET /made")["ApiId"]
    target = gateway.get_routes(ApiId=one)["Items"][0]["Target"]
    gateway.create_route(ApiId=one, RouteKey="GET /other", Target=target)
    yield one
    gateway.delete_api(ApiId=one)
    functions.delete_function(FunctionName="staged")


def get(daemon, api, path):
    request = urllib.request.Request(f"{daemon.url}{path}", headers={"Host": f"{api}.execute-api.us-east-1.localhost", "User-Agent": "tester/1"})
    try:
        with urllib.request.urlopen(request) as reply:
            return reply.status, reply.headers["apigw-requestid"]
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["apigw-requestid"]


def test_access_logs_have_a_line_per_request(daemon, api):
    logs = daemon.client("logs")
    logs.create_log_group(logGroupName="/api/staged")
    names = ["requestId", "httpMethod", "routeKey", "path", "status", "stage", "apiId", "identity.sourceIp", "identity.userAgent", "integrationStatus", "responseLength", "protocol", "error.message"]
    form = json.dumps({name: f"$context.{name}" for name in names})
    daemon.client("apigatewayv2").update_stage(ApiId=api, StageName="$default", AccessLogSettings={"Format": form,
                                               "DestinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:/api/staged:*"})
    (status, made), (missing, _) = get(daemon, api, "/made"), get(daemon, api, "/nowhere")
    assert (status, missing) == (201, 404)
    events = wait_for(lambda: (found := logs.filter_log_events(logGroupName="/api/staged")["events"]) and len(found) == 2 and found, what="two lines")
    first, second = sorted((json.loads(event["message"]) for event in events), key=lambda line: line["status"])
    assert first == {"requestId": made, "httpMethod": "GET", "routeKey": "GET /made", "path": "/made", "status": "201", "stage": "$default", "apiId": api,
                     "identity.sourceIp": "127.0.0.1", "identity.userAgent": "tester/1", "integrationStatus": "201", "responseLength": "5", "protocol": "HTTP/1.1",
                     "error.message": "-"}
    assert (second["routeKey"], second["integrationStatus"], second["error.message"]) == ("-", "-", "Not Found")
    logs.delete_log_group(logGroupName="/api/staged")


def test_limits_of_the_stage_and_of_a_route(daemon, api):
    daemon.client("apigatewayv2").update_stage(ApiId=api, StageName="$default", DefaultRouteSettings={"ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": 2},
                                               RouteSettings={"GET /other": {"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 100}})
    assert [get(daemon, api, "/made")[0] for _ in range(4)] == [201, 201, 429, 429]
    assert [get(daemon, api, "/other")[0] for _ in range(4)] == [200] * 4


@pytest.mark.parametrize("settings, code", [
    ({"AccessLogSettings": {"DestinationArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/x", "Format": "$context.requestId"}}, "NotImplemented"),
    ({"AccessLogSettings": {"DestinationArn": "here", "Format": "$context.requestId"}}, "BadRequestException"),
    ({"RouteSettings": {"GET /none": {"ThrottlingRateLimit": 1}}}, "NotFoundException"),
])
def test_settings_that_cannot_be_kept_are_refused(daemon, api, settings, code):
    gateway = daemon.client("apigatewayv2")
    with pytest.raises(ClientError) as refused:
        gateway.update_stage(ApiId=api, StageName="$default", **settings)
    assert refused.value.response["Error"]["Code"] == code
    assert "AccessLogSettings" not in gateway.get_stage(ApiId=api, StageName="$default")
