"""Virtual gateways: clients of this machine reach a mesh's services, whose nodes are found by DNS."""
import http.client
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

import botocore.exceptions
import pytest

from support import wait_for
from upstream import Upstream


class Front:
    """A mesh with a gateway in front of it; every service's node is a server of this test."""

    def __init__(self, daemon):
        self.daemon, self.mesh, self.count = daemon, daemon.client("appmesh"), 0
        self.mesh.create_mesh(meshName="m")
        self.mesh.create_virtual_gateway(meshName="m", virtualGatewayName="front", spec={"listeners": [{"portMapping": {"port": 9081, "protocol": "http"}}]})

    def service(self, name, port, route=None, protocol="http", key="httpRoute", **listener):
        self.mesh.create_virtual_node(meshName="m", virtualNodeName=name, spec={"listeners": [{"portMapping": {"port": port, "protocol": protocol}, **listener}], "serviceDiscovery": {"dns": {"hostname": "localhost"}}})
        self.mesh.create_virtual_router(meshName="m", virtualRouterName=name, spec={"listeners": [{"portMapping": {"port": 80, "protocol": protocol}}]})
        spec = {key: {"match": {"prefix": "/"} if key != "grpcRoute" else {}, "action": {"weightedTargets": [{"virtualNode": name, "weight": 1}]}, **(route or {})}}
        self.mesh.create_route(meshName="m", virtualRouterName=name, routeName="r", spec=spec)
        self.mesh.create_virtual_service(meshName="m", virtualServiceName=f"{name}.local", spec={"provider": {"virtualRouter": {"virtualRouterName": name}}})
        self.mesh.create_gateway_route(meshName="m", virtualGatewayName="front", gatewayRouteName=name, spec={
            "httpRoute": {"match": {"prefix": f"/{name}"}, "action": {"target": {"virtualService": {"virtualServiceName": f"{name}.local"}}}}})
        wait_for(lambda: any(one["name"] == name and one["endpoints"] for one in self.seen()["nodes"]), what="the node to be found")

    def seen(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.daemon.port}/_atoll/mesh") as reply:
            return json.loads(reply.read())

    def url(self, path="", index=0):
        gateway = next(one for one in self.seen()["gateways"] if one["name"] == "front")
        return f"http://{gateway['address']}:{gateway['ports'][index]['port']}{path}"

    def ask(self, path, data=None, timeout=10):
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url(path), data=data), timeout=timeout) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@pytest.fixture(scope="module")
def front(daemon):
    return Front(daemon)


@pytest.fixture
def server(request):
    def serve(handler):
        made = Upstream(handler)
        request.addfinalizer(made.stop)
        return made
    return serve


def test_paths_bodies_and_headers_pass(front, server):
    backend = server(lambda method, target, headers, body: (200, {"x-method": method}, target.encode() + b" " + body))
    front.service("plain", backend.port)
    assert front.ask("/plain/a/b?c=1") == (200, b"/a/b?c=1 ")
    assert front.ask("/plain", b"hello") == (200, b"/ hello")
    large = b"x" * (3 << 20)
    assert front.ask("/plain/large", large) == (200, b"/large " + large)
    headers = backend.requests[0][2]
    assert headers["host"] == ["plain.local"] and headers["x-amzn-trace-id"][0].startswith("Root=1-") and headers["traceparent"][0].startswith("00-")


def test_a_body_is_sent_again(front, server):
    replies = iter([(503, {}, b""), (503, {}, b""), (200, {}, b"done")])
    backend = server(lambda *_: next(replies))
    front.service("again", backend.port, {"retryPolicy": {"maxRetries": 2, "perRetryTimeout": {"value": 5, "unit": "s"}, "httpRetryEvents": ["gateway-error"]}})
    assert front.ask("/again", b"payload") == (200, b"done")
    assert [one[3] for one in backend.requests] == [b"payload"] * 3


def test_each_try_has_its_time(front, server):
    calls = []

    def slow_at_first(*_):
        calls.append(time.monotonic())
        if len(calls) == 1:
            time.sleep(1)
        return 200, {}, b"late"
    backend = server(slow_at_first)
    front.service("patient", backend.port, {"retryPolicy": {"maxRetries": 1, "perRetryTimeout": {"value": 200, "unit": "ms"}, "httpRetryEvents": ["gateway-error"]}})
    assert front.ask("/patient") == (200, b"late") and len(calls) == 2


def test_a_request_has_its_time(front, server):
    backend = server(lambda *_: time.sleep(1) or (200, {}, b""))
    front.service("slow", backend.port, {"timeout": {"perRequest": {"value": 100, "unit": "ms"}}})
    assert front.ask("/slow")[0] == 504


def test_a_connection_that_breaks_is_tried_again(front, server):
    replies = iter([None, (200, {}, b"second")])
    backend = server(lambda *_: next(replies))
    front.service("broken", backend.port)
    assert front.ask("/broken") == (200, b"second")


def test_a_pool_turns_away_what_is_too_much(front, server):
    hold = threading.Event()
    backend = server(lambda *_: hold.wait(10) and (200, {}, b"held"))
    front.service("pooled", backend.port, connectionPool={"http": {"maxConnections": 1, "maxPendingRequests": 1}})
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(front.ask("/pooled")[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: next(one for one in front.seen()["nodes"] if one["name"] == "pooled")["pending"] == 1, what="one to use the connection, one to wait")
    assert front.ask("/pooled")[0] == 503
    hold.set()
    for thread in threads:
        thread.join()
    assert outcomes == [200, 200]


def test_http2_in_and_out(front):
    front.service("two", front.daemon.port, protocol="http2", key="http2Route")
    out = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-w", " %{http_code} %{http_version}", front.url("/two/_atoll/health")], capture_output=True, text=True, check=True).stdout
    assert out.endswith(" 200 2") and '"running"' in out


def test_grpc_services_and_methods(front):
    front.service("rpc", front.daemon.port, {"match": {"serviceName": "_atoll", "methodName": "health"}}, protocol="grpc", key="grpcRoute")

    def call(path):
        return subprocess.run(["curl", "-sS", "-o", "/dev/null", "--http2-prior-knowledge", "-w", "%{http_code}", front.url(path)], capture_output=True, text=True, check=True).stdout
    assert call("/rpc/_atoll/health") == "200" and call("/rpc/_atoll/metrics") == "404"


def test_tls_with_a_certificate_of_acm(front, server):
    backend = server(lambda *_: (200, {}, b"secret"))
    front.service("tls", backend.port)
    arn = front.daemon.client("acm").request_certificate(DomainName="front.example.com")["CertificateArn"]
    front.mesh.update_virtual_gateway(meshName="m", virtualGatewayName="front", spec={"listeners": [
        {"portMapping": {"port": 9081, "protocol": "http"}}, {"portMapping": {"port": 9443, "protocol": "http"}, "tls": {"mode": "STRICT", "certificate": {"acm": {"certificateArn": arn}}}}]})
    context = ssl._create_unverified_context()
    with urllib.request.urlopen(front.url("/tls", 1).replace("http:", "https:"), context=context) as reply:
        assert reply.read() == b"secret"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(front.url("/tls", 1))
    assert caught.value.code == 400


def test_a_prefix_that_is_kept(front, server):
    backend = server(lambda method, target, headers, body: (200, {}, target.encode()))
    front.service("kept", backend.port)
    front.mesh.update_gateway_route(meshName="m", virtualGatewayName="front", gatewayRouteName="kept", spec={"httpRoute": {
        "match": {"prefix": "/kept"}, "action": {"target": {"virtualService": {"virtualServiceName": "kept.local"}}, "rewrite": {"prefix": {"defaultPrefix": "DISABLED"}, "hostname": {"defaultTargetHostname": "DISABLED"}}}}})
    assert front.ask("/kept/x") == (200, b"/kept/x")
    assert backend.requests[-1][2]["host"][0].startswith("127.63.")


def test_who_calls_whom(front):
    out = front.daemon.command("mesh", "--port", str(front.daemon.port))
    line = next(one for one in out.splitlines() if "plain.local" in one)
    assert line.split()[:3] == ["front", "plain.local", "plain"]
    assert "gateway front: http://127.63." in out


def endpoints(front, name):
    return next(one["endpoints"] for one in front.seen()["nodes"] if one["name"] == name)


def test_http_health_checks_of_a_node(front, server):
    status = [200]
    backend = server(lambda method, target, headers, body: (status[0] if target == "/alive" else 200, {}, b"ok"))
    check = {"protocol": "http", "path": "/alive", "healthyThreshold": 2, "unhealthyThreshold": 3, "intervalMillis": 5000, "timeoutMillis": 2000}
    front.service("checked", backend.port, healthCheck=check)
    wait_for(lambda: front.ask("/checked") == (200, b"ok"), what="the first check to pass")
    assert backend.requests[0][1] == "/alive" and backend.requests[0][2]["user-agent"] == ["Envoy/HC"]
    status[0] = 500   # as Envoy: another status counts at once

    def left_out():
        front.daemon.advance(5)
        return front.ask("/checked") == (503, b"no healthy upstream")
    wait_for(left_out, what="the node to be unhealthy")
    assert [one["healthy"] for one in endpoints(front, "checked")] == [False]
    status[0] = 200
    checks = len(backend.requests)

    def back():
        front.daemon.advance(5)
        return front.ask("/checked")[0] == 200
    wait_for(back, what="the node to be healthy again")
    assert len([one for one in backend.requests[checks:] if one[1] == "/alive"]) >= 2


def test_tcp_health_checks_of_a_node(front, server):
    backend = server(lambda *_: (200, {}, b"ok"))
    front.service("knocked", backend.port, healthCheck={"protocol": "tcp", "healthyThreshold": 2, "unhealthyThreshold": 2, "intervalMillis": 5000, "timeoutMillis": 2000})
    wait_for(lambda: front.ask("/knocked") == (200, b"ok"), what="the first check to pass")
    backend.stop()

    def left_out():
        front.daemon.advance(5)
        return not endpoints(front, "knocked")[0]["healthy"]
    wait_for(left_out, what="two failures")


def test_checks_of_http_have_a_path(front):
    with pytest.raises(front.mesh.exceptions.BadRequestException):
        front.mesh.create_virtual_node(meshName="m", virtualNodeName="pathless", spec={"listeners": [{"portMapping": {"port": 80, "protocol": "http"}, "healthCheck": {
            "protocol": "http", "healthyThreshold": 2, "unhealthyThreshold": 2, "intervalMillis": 5000, "timeoutMillis": 2000}}], "serviceDiscovery": {"dns": {"hostname": "localhost"}}})


def speak(head):
    """A server's handler that changes to a protocol that sends back what it gets in capitals."""
    def serve(connection):
        connection.sendall(head)
        while piece := connection.recv(65536):
            connection.sendall(piece.upper())
            if piece.endswith(b"bye"):
                break
    return serve


def upgrade(front, path, more=b""):
    host, port = front.url()[7:].split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n" % path.encode() + more)
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    return connection, head


def test_websockets_pass(front, server):
    backend = server(lambda *_: speak(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: a\r\n\r\nwelcome"))
    front.service("socket", backend.port, {"timeout": {"perRequest": {"value": 200, "unit": "ms"}}})
    connection, head = upgrade(front, "/socket/chat", b"early")
    assert head.startswith(b"HTTP/1.1 101 ") and b"sec-websocket-accept: a\r\n" in head.lower() and b"upgrade: websocket\r\n" in head.lower() and b"connection: upgrade\r\n" in head.lower()
    with connection:
        got = b""
        while len(got) < 12:
            got += connection.recv(100)
        assert got == b"welcomeEARLY"
        time.sleep(0.4)   # longer than a request may take
        for i in range(50):
            connection.sendall(b"message %d" % i)
            assert connection.recv(100) == b"MESSAGE %d" % i
        connection.sendall(b"x" * 1_000_000 + b"bye")
        got = b""
        while piece := connection.recv(65536):
            got += piece
        assert got == b"X" * 1_000_000 + b"BYE"
    asked = backend.requests[0][2]
    assert asked["upgrade"] == ["websocket"] and asked["connection"] == ["upgrade"] and asked["sec-websocket-key"] == ["k"]


def test_an_upgrade_that_is_refused(front, server):
    backend = server(lambda *_: (426, {"x-why": "old"}, b"no"))
    front.service("unwilling", backend.port)
    connection, head = upgrade(front, "/unwilling")
    assert head.startswith(b"HTTP/1.1 426 ") and b"x-why: old" in head.lower() and connection.recv(10) == b"no"
    connection.close()


def test_a_stream_that_is_idle_ends(front, server):
    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        time.sleep(3)
    backend = server(lambda method, target, headers, body: drip if target == "/drip" else (time.sleep(1), (200, {}, b""))[1])
    front.service("idle", backend.port, {"timeout": {"idle": {"value": 300, "unit": "ms"}, "perRequest": {"value": 0, "unit": "s"}}})
    assert front.ask("/idle/quiet") == (504, b"stream timeout")
    began = time.monotonic()
    with pytest.raises(http.client.IncompleteRead):
        front.ask("/idle/drip")
    assert time.monotonic() - began < 2


def test_access_logs_of_a_gateway(front, server):
    backend = server(lambda *_: (200, {"x-version": "7"}, b"hello"))
    front.service("logged", backend.port)
    spec = front.mesh.describe_virtual_gateway(meshName="m", virtualGatewayName="front")["virtualGateway"]["spec"]

    def keep(**file):
        front.mesh.update_virtual_gateway(meshName="m", virtualGatewayName="front", spec={**spec, "logging": {"accessLog": {"file": {"path": "/dev/stdout", **file}}}})

    def lines():
        records = [json.loads(line) for line in (front.daemon.folder / "log").read_text().splitlines() if '"mesh access"' in line]
        return [one["line"] for one in records if one["of"] == "front"]
    keep(format={"text": "%REQ(:METHOD)% %REQ_WITHOUT_QUERY(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED%/%BYTES_SENT% %RESP(x-version)% %UPSTREAM_CLUSTER%\n"})
    front.ask("/logged/a?b=1", b"four")
    assert wait_for(lines, what="a line") == ["POST /a 200 - 4/5 7 logged"]
    keep(format={"json": [{"key": "code", "value": "%RESPONSE_CODE%"}, {"key": "to", "value": "%UPSTREAM_HOST%"}]})
    front.ask("/logged")
    assert json.loads(wait_for(lambda: lines()[1:], what="another line")[0]) == {"code": 200, "to": f"127.0.0.1:{backend.port}"}
    keep()
    backend.stop()
    front.ask("/logged/gone")
    assert '"GET /gone HTTP/1.1" 503 UF,URX 0 ' in wait_for(lambda: lines()[2:], what="a third line")[0]
    for refused in ({"path": "/var/log/access"}, {"path": "/dev/stdout", "format": {"text": "%DYNAMIC_METADATA(x)%"}}):
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            keep(**refused)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    front.mesh.update_virtual_gateway(meshName="m", virtualGatewayName="front", spec=spec)
