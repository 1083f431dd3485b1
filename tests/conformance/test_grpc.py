"""A gRPC client calls a gRPC server: through a load balancer over TLS, and through a mesh."""
import collections
import json
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
