"""A gRPC client calls a gRPC server: through a load balancer over TLS, and through a mesh."""
import collections
import json
import time
import urllib.request

import grpc
import pytest

from balancers import Balancer
from grpc_service import RpcClient, RpcServer, check_all_kinds
from support import wait_for


@pytest.fixture(scope="module")
def server():
    with RpcServer() as made:
        yield made


@pytest.fixture(scope="module")
def balanced(daemon, server):
    """A load balancer with a gRPC target group behind TLS, and a client of it."""
    acm = daemon.client("acm")
    arn = acm.request_certificate(DomainName="rpc.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    balancer = Balancer(daemon, "rpc")
    balancer.listener = "none yet"
    balancer.main = balancer.group("g", server.port, wait=False, ProtocolVersion="GRPC", HealthCheckPath="/test.Health/Check", Matcher={"GrpcCode": "0"}, UnhealthyThresholdCount=2, HealthyThresholdCount=2)
    balancer.listen({"Type": "forward", "TargetGroupArn": balancer.main}, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
    balancer.until_healthy(balancer.main, 1)
    balancer.client = RpcClient(f"{balancer.address}:{balancer.port}", (daemon.data / "acm" / "authority.pem").read_bytes(), "rpc.example.com")
    yield balancer
    balancer.client.close()


def test_all_kinds_of_calls_pass_a_balancer(balanced, server):
    check_all_kinds(balanced.client, server)
    headers = server.metadata[0]
    assert headers["x-forwarded-proto"] == "https" and headers["x-forwarded-for"] == "127.0.0.1" and headers["x-amzn-trace-id"].startswith("Root=1-")


def test_health_by_codes(balanced, server):
    server.health = grpc.StatusCode.UNAVAILABLE
    wait_for(lambda: balanced.states(balanced.main) == [("unhealthy", "Target.ResponseCodeMismatch")], seconds=30, what="the target to be unhealthy")
    one = balanced.elb.describe_target_health(TargetGroupArn=balanced.main)["TargetHealthDescriptions"][0]["TargetHealth"]
    assert one["Description"] == "Health checks failed with these codes: [14]"
    balanced.elb.modify_target_group(TargetGroupArn=balanced.main, Matcher={"GrpcCode": "0-99"})
    balanced.until_healthy(balanced.main, 1)
    server.health = grpc.StatusCode.OK


def test_rules_see_methods_and_metadata(balanced, server):
    with RpcServer("second") as second:
        group = balanced.group("h", second.port, wait=False, ProtocolVersion="GRPC", HealthCheckPath="/AWS.ALB/healthcheck", Matcher={"GrpcCode": "12"})
        rule = balanced.elb.create_rule(ListenerArn=balanced.listener, Priority=1, Actions=[{"Type": "forward", "TargetGroupArn": group}],
                                        Conditions=[{"Field": "path-pattern", "Values": ["/test.Echo/Other"]}, {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "x-tier", "Values": ["gold"]}}])["Rules"][0]["RuleArn"]
        balanced.until_healthy(group, 1)
        assert balanced.client.unary("Echo/Other", metadata=(("x-tier", "gold"),))[0] == b"second:hi"
        assert balanced.client.unary("Echo/Other")[0] == b"rpc:hi"
        assert balanced.client.unary("Echo/Say", metadata=(("x-tier", "gold"),))[0] == b"rpc:hi"
        balanced.elb.delete_rule(RuleArn=rule)


def test_a_group_without_healthy_targets(balanced):
    group = balanced.group("none", wait=False, ProtocolVersion="GRPC")
    balanced.elb.create_rule(ListenerArn=balanced.listener, Priority=2, Actions=[{"Type": "forward", "TargetGroupArn": group}], Conditions=[{"Field": "path-pattern", "Values": ["/test.Other/*"]}])
    assert balanced.client.status("Other/Say")[0] is grpc.StatusCode.UNAVAILABLE   # as gRPC reads a 503


class Mesh:
    """A mesh with a gateway for gRPC; every node is a server of this test, whose service is "test.Echo"."""

    def __init__(self, daemon):
        self.daemon, self.api = daemon, daemon.client("appmesh")
        self.api.create_mesh(meshName="m")
        self.api.create_virtual_gateway(meshName="m", virtualGatewayName="front", spec={"listeners": [{"portMapping": {"port": 9090, "protocol": "grpc"}}]})
        self.api.create_virtual_router(meshName="m", virtualRouterName="rpc", spec={"listeners": [{"portMapping": {"port": 80, "protocol": "grpc"}}]})
        self.api.create_virtual_service(meshName="m", virtualServiceName="rpc.local", spec={"provider": {"virtualRouter": {"virtualRouterName": "rpc"}}})
        for service in ("test.Echo", "test.Other"):
            self.api.create_gateway_route(meshName="m", virtualGatewayName="front", gatewayRouteName=service.replace(".", "-"), spec={
                "grpcRoute": {"match": {"serviceName": service}, "action": {"target": {"virtualService": {"virtualServiceName": "rpc.local"}}}}})

    def seen(self):
        with urllib.request.urlopen(f"{self.daemon.url}/_atoll/mesh") as reply:
            return json.loads(reply.read())

    def node(self, name, port, **listener):
        self.api.create_virtual_node(meshName="m", virtualNodeName=name, spec={"listeners": [{"portMapping": {"port": port, "protocol": "grpc"}, **listener}], "serviceDiscovery": {"dns": {"hostname": "localhost"}}})
        wait_for(lambda: any(one["name"] == name and one["endpoints"] for one in self.seen()["nodes"]), what="the node to be found")

    def route(self, name, priority, weights, match=None, **more):
        spec = {"priority": priority, "grpcRoute": {"match": match or {}, "action": {"weightedTargets": [{"virtualNode": node, "weight": weight} for node, weight in weights.items()]}, **more}}
        try:
            self.api.create_route(meshName="m", virtualRouterName="rpc", routeName=name, spec=spec)
        except self.api.exceptions.ConflictException:
            self.api.update_route(meshName="m", virtualRouterName="rpc", routeName=name, spec=spec)

    def address(self):
        gateway = next(one for one in self.seen()["gateways"] if one["name"] == "front")
        return f"{gateway['address']}:{gateway['ports'][0]['port']}"


@pytest.fixture(scope="module")
def mesh(daemon, server):
    mesh = Mesh(daemon)
    with RpcServer("second") as second:
        mesh.second = second
        mesh.node("first", server.port)
        mesh.node("second", second.port)
        mesh.route("all", 100, {"first": 1})
        with RpcClient(mesh.address()) as mesh.client:
            yield mesh


def test_all_kinds_of_calls_pass_a_mesh(mesh, server):
    check_all_kinds(mesh.client, server)


def test_routes_by_service_method_and_metadata(mesh):
    mesh.route("method", 1, {"second": 1}, {"serviceName": "test.Echo", "methodName": "Other"})
    mesh.route("metadata", 2, {"second": 1}, {"serviceName": "test.Echo", "metadata": [{"name": "x-tier", "match": {"prefix": "go"}}, {"name": "x-no", "invert": True}]})
    assert mesh.client.unary("Echo/Other")[0] == b"second:hi"
    assert mesh.client.unary("Echo/Say")[0] == b"rpc:hi"
    assert mesh.client.unary("Other/Say")[0] == b"rpc:hi"
    assert mesh.client.unary("Echo/Say", metadata=(("x-tier", "gold"),))[0] == b"second:hi"
    assert mesh.client.unary("Echo/Say", metadata=(("x-tier", "gold"), ("x-no", "1")))[0] == b"rpc:hi"
    assert mesh.client.status("Missing/Say")[0] is grpc.StatusCode.UNIMPLEMENTED   # as gRPC reads a 404


def test_calls_are_shared_by_weight(mesh):
    mesh.route("all", 100, {"first": 3, "second": 1})
    seen = collections.Counter(mesh.client.unary("Echo/Say")[0] for _ in range(200))
    assert 25 <= seen[b"second:hi"] <= 80 and seen[b"rpc:hi"] + seen[b"second:hi"] == 200
    mesh.route("all", 100, {"first": 1})


NAMES = {"cancelled": "CANCELLED", "deadline-exceeded": "DEADLINE_EXCEEDED", "internal": "INTERNAL", "resource-exhausted": "RESOURCE_EXHAUSTED", "unavailable": "UNAVAILABLE"}


@pytest.mark.parametrize("event", NAMES)
def test_statuses_that_are_tried_again(mesh, server, event):
    status = getattr(grpc.StatusCode, NAMES[event])
    mesh.route("all", 100, {"first": 1}, retryPolicy={"maxRetries": 2, "perRetryTimeout": {"value": 5, "unit": "s"}, "grpcRetryEvents": [event]})
    server.fail, server.calls = [status] * 2, []
    assert mesh.client.unary("Echo/Say", b"again")[0] == b"rpc:again" and server.calls == ["Say"] * 3
    server.fail, server.calls = [status] * 3, []
    assert mesh.client.status("Echo/Say")[0] is status and server.calls == ["Say"] * 3
    server.fail, server.calls = [grpc.StatusCode.NOT_FOUND], []
    assert mesh.client.status("Echo/Say")[0] is grpc.StatusCode.NOT_FOUND and server.calls == ["Say"]


def test_a_mesh_ends_calls_in_its_time(mesh):
    mesh.route("all", 100, {"first": 1}, timeout={"perRequest": {"value": 300, "unit": "ms"}})
    assert mesh.client.status("Echo/Slow", b"1")[0] is grpc.StatusCode.UNAVAILABLE   # as gRPC reads a 504
    # Of a stream too: its time is over at the end of the reply, not at its head. A stream of requests may take longer.
    began = time.monotonic()
    with pytest.raises(grpc.RpcError) as ended:
        for _ in mesh.client.channel.unary_stream("/test.Echo/Endless")(b"more", timeout=5):
            pass
    assert ended.value.code() is not grpc.StatusCode.DEADLINE_EXCEEDED and time.monotonic() - began < 2
    assert mesh.client.sum((time.sleep(0.1) or b"x") for _ in range(6)) == b"6"


def test_a_node_that_is_gone(mesh):
    with RpcServer("third") as third:
        mesh.node("third", third.port)
        mesh.route("all", 100, {"third": 1})
        assert mesh.client.unary("Echo/Say")[0] == b"third:hi"
    assert mesh.client.status("Echo/Say")[0] is grpc.StatusCode.UNAVAILABLE
    with RpcServer("third", third.port):
        assert mesh.client.unary("Echo/Say")[0] == b"third:hi"


def test_grpc_health_checks_of_a_node(mesh):
    with RpcServer("fourth") as fourth:
        mesh.node("fourth", fourth.port, healthCheck={"protocol": "grpc", "healthyThreshold": 2, "unhealthyThreshold": 2, "intervalMillis": 5000, "timeoutMillis": 2000})
        mesh.route("all", 100, {"fourth": 1})
        wait_for(lambda: mesh.client.status("Echo/Say")[0] is grpc.StatusCode.OK, what="the first check to pass")
        fourth.health = grpc.StatusCode.UNAVAILABLE   # which a check is told as NOT_SERVING

        def left_out():
            mesh.daemon.advance(5)
            return mesh.client.status("Echo/Say") == (grpc.StatusCode.UNAVAILABLE, "no healthy upstream")
        before = fourth.checks
        wait_for(left_out, what="the node to be unhealthy")
        assert fourth.checks >= before + 2
    mesh.route("all", 100, {"first": 1})
