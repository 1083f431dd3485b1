"""Health checks over HTTP/2, of target groups and of virtual nodes; and listeners for TCP and UDP at once. The targets are the
daemon's own port, which speaks both versions, and servers that speak only one."""
import json
import socket
import threading
import urllib.request

import botocore.exceptions
import pytest

from balancers import Balancer, address_of
from support import wait_for
from upstream import Upstream, free_port


@pytest.fixture(scope="module")
def balancer(daemon):
    return Balancer(daemon, "two")


def group(balancer, name, port, wait=True, **settings):
    arn = balancer.group(name, port, wait=False, ProtocolVersion="HTTP2", **{"HealthCheckPath": "/_atoll/health", **settings})
    # Only what a listener leads to is looked at.
    balancer.elb.create_rule(ListenerArn=balancer.listener, Priority=1 + port % 40000, Conditions=[{"Field": "path-pattern", "Values": [f"/{name}"]}], Actions=[{"Type": "forward", "TargetGroupArn": arn}])
    if wait:
        balancer.until_healthy(arn, 1)
    return arn


def until(balancer, arn, state, reason):
    def look():
        balancer.daemon.advance(5)
        return balancer.states(arn) == [(state, reason)]
    wait_for(look, 30, f"{state} {reason}")


def test_a_target_that_speaks_http2(balancer, daemon):
    arn = group(balancer, "good", daemon.port)
    described = balancer.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    assert described["ProtocolVersion"] == "HTTP2" and described["Matcher"] == {"HttpCode": "200"} and described["HealthCheckProtocol"] == "HTTP"
    balancer.elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath="/_atoll/no-such-page", UnhealthyThresholdCount=2)
    until(balancer, arn, "unhealthy", "Target.ResponseCodeMismatch")
    one = balancer.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"][0]["TargetHealth"]
    assert one["Description"] == "Health checks failed with these codes: [404]"
    balancer.elb.modify_target_group(TargetGroupArn=arn, Matcher={"HttpCode": "200,404"}, HealthyThresholdCount=2)
    until(balancer, arn, "healthy", None)


def test_a_target_that_speaks_only_http1_fails(balancer):
    with Upstream(lambda *_: (200, {}, b"")) as old:
        until(balancer, group(balancer, "old", old.port, wait=False, UnhealthyThresholdCount=2), "unhealthy", "Target.FailedHealthChecks")


def test_a_target_that_does_not_answer_times_out(balancer):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        arn = group(balancer, "silent", silent.getsockname()[1], wait=False, UnhealthyThresholdCount=2, HealthCheckTimeoutSeconds=2)
        wait_for(lambda: balancer.daemon.advance(1) or balancer.states(arn) == [("unhealthy", "Target.Timeout")], 30, "the check to time out")


def test_http2_checks_of_a_node(daemon):
    api = daemon.client("appmesh")
    api.create_mesh(meshName="two")
    check = {"protocol": "http2", "path": "/_atoll/health", "healthyThreshold": 2, "unhealthyThreshold": 2, "intervalMillis": 5000, "timeoutMillis": 2000}

    def node(path, update=False):
        spec = {"listeners": [{"portMapping": {"port": daemon.port, "protocol": "http2"}, "healthCheck": {**check, "path": path}}], "serviceDiscovery": {"dns": {"hostname": "localhost"}}}
        (api.update_virtual_node if update else api.create_virtual_node)(meshName="two", virtualNodeName="n", spec=spec)
    node("/_atoll/health")
    api.create_virtual_service(meshName="two", virtualServiceName="n.local", spec={"provider": {"virtualNode": {"virtualNodeName": "n"}}})
    api.create_virtual_gateway(meshName="two", virtualGatewayName="g", spec={"listeners": [{"portMapping": {"port": 9099, "protocol": "http"}}]})
    api.create_gateway_route(meshName="two", virtualGatewayName="g", gatewayRouteName="r", spec={
        "httpRoute": {"match": {"prefix": "/"}, "action": {"target": {"virtualService": {"virtualServiceName": "n.local"}}}}})

    def status():
        with urllib.request.urlopen(daemon.url + "/_atoll/mesh") as reply:
            front = next(one for one in json.loads(reply.read())["gateways"] if one["name"] == "g")
        try:
            with urllib.request.urlopen(f"http://{front['address']}:{front['ports'][0]['port']}/_atoll/health", timeout=10) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code
    wait_for(lambda: status() == 200, 20, "the node to be healthy")
    node("/_atoll/no-such-page", update=True)

    def left_out():
        daemon.advance(5)
        return status() == 503
    wait_for(left_out, 20, "the node to be unhealthy")
    node("/_atoll/health", update=True)
    wait_for(lambda: daemon.advance(5) or status() == 200, 20, "the node to be healthy again")


def test_a_listener_for_tcp_and_udp(daemon):
    """One port for both, as DNS servers have."""
    elb = daemon.client("elbv2")
    streams = socket.create_server(("127.0.0.1", 0))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(streams.getsockname())

    def serve_streams():
        while True:
            connection, _ = streams.accept()
            with connection:
                if data := connection.recv(100):
                    connection.sendall(b"tcp " + data)

    def serve_datagrams():
        while True:
            data, peer = datagrams.recvfrom(2000)
            datagrams.sendto(b"udp " + data, peer)
    for one in (serve_streams, serve_datagrams):
        threading.Thread(target=one, daemon=True).start()
    made = elb.create_load_balancer(Name="both", Type="network", Subnets=daemon.subnets())["LoadBalancers"][0]
    common = {"Port": 53, "VpcId": "vpc-1", "TargetType": "ip", "HealthCheckIntervalSeconds": 5}
    both = elb.create_target_group(Name="both", Protocol="TCP_UDP", **common)["TargetGroups"][0]
    assert both["HealthCheckProtocol"] == "TCP"
    elb.register_targets(TargetGroupArn=both["TargetGroupArn"], Targets=[{"Id": "127.0.0.1", "Port": streams.getsockname()[1]}])
    port = free_port()
    listener = {"LoadBalancerArn": made["LoadBalancerArn"], "Port": port, "DefaultActions": [{"Type": "forward", "TargetGroupArn": both["TargetGroupArn"]}]}
    elb.create_listener(**listener, Protocol="TCP_UDP")
    wait_for(lambda: elb.describe_target_health(TargetGroupArn=both["TargetGroupArn"])["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "healthy", what="the target")
    where = (address_of(daemon, made["DNSName"]), port)
    with socket.create_connection(where, timeout=5) as connection:
        connection.sendall(b"one")
        assert connection.recv(100) == b"tcp one"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect(where)
        client.send(b"two")
        assert client.recv(100) == b"udp two"
    with pytest.raises(botocore.exceptions.ClientError) as taken:
        elb.create_listener(**{**listener, "Protocol": "TCP_UDP"})
    assert taken.value.response["Error"]["Code"] == "DuplicateListener"
