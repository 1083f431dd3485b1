"""Application load balancers on the wire: what passes through them, byte by byte."""
import base64
import hashlib
import http.client
import json
import os
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from balancers import Balancer
from support import wait_for
from upstream import Upstream, free_port


@pytest.fixture(scope="module")
def plain(daemon):
    with Upstream() as upstream:
        balancer = Balancer(daemon, "plain")
        balancer.group("g", upstream.port)
        balancer.upstream = upstream
        yield balancer


def test_headers_of_a_forwarded_request(plain):
    reply, content = plain.ask("GET", "/a/b?c=%20d", {"X-Own": "1", "Host": "shop.example.com", "Connection": "keep-alive, x", "X-Forwarded-For": "10.1.1.1"})
    seen = json.loads(content)
    assert reply.status == 200 and seen["target"] == "/a/b?c=%20d"
    headers = seen["headers"]
    assert headers["x-forwarded-for"] == ["10.1.1.1, 127.0.0.1"]
    assert headers["x-forwarded-proto"] == ["http"] and headers["x-forwarded-port"] == [str(plain.port)]
    assert headers["host"] == [f"shop.example.com:{plain.port}"] and headers["x-own"] == ["1"]
    assert headers["x-amzn-trace-id"][0].startswith("Root=1-") and "connection" not in headers
    assert reply.getheader("connection") == "keep-alive"


def test_trace_passes_on(plain):
    _, content = plain.ask(headers={"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678;CalledFrom=app"})
    trace = json.loads(content)["headers"]["x-amzn-trace-id"][0]
    assert trace.startswith("Self=1-") and trace.endswith(";Root=1-67891233-abcdef012345678912345678;CalledFrom=app")


def test_bodies_of_every_framing(plain):
    big = os.urandom(3_000_000).hex()
    _, content = plain.ask("POST", "/", body=big)
    assert json.loads(content)["body"] == big
    connection = plain.connect()
    connection.request("POST", "/", body=iter([b"one", b"two" * 50_000, b"three"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert json.loads(connection.getresponse().read())["body"] == "one" + "two" * 50_000 + "three"
    # The same connection serves the next request.
    connection.request("GET", "/next")
    assert json.loads(connection.getresponse().read())["target"] == "/next"


def test_expect_continue(plain):
    out = plain.raw(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", until=b"\r\n\r\n")
    assert out.startswith(b"HTTP/1.1 100 Continue")


def test_pipelined_requests_answer_in_order(plain):
    sent = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(20)) + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    out = plain.raw(sent)
    assert out.count(b"HTTP/1.1 200") == 21
    places = [out.index(b'"target": "/%d"' % i) for i in range(20)]
    assert places == sorted(places) and out.index(b"/last") > places[-1]


def test_a_request_in_small_pieces(plain):
    request = b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello world"
    with socket.create_connection((plain.address, plain.port), timeout=5) as connection:
        for byte in request:
            connection.send(bytes([byte]))
        out = b""
        while piece := connection.recv(65536):
            out += piece
    assert b'"body": "hello world"' in out


def test_http_1_0_client(plain):
    out = plain.raw(b"GET / HTTP/1.0\r\n\r\n")
    assert out.startswith(b"HTTP/1.1 200") and b"Connection: close" in out


@pytest.mark.parametrize("request_bytes, status", [
    (b"GET / HTTP/1.1\r\n\r\n", 400),                                                              # no host
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\n folded: x\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 66_000 + b"\r\n\r\n", 400),
    (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: " + b"1.1.1.1, " * 30 + b"1.1.1.1\r\n\r\n", 463),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    (b"nonsense\r\n\r\n", 400),
])
def test_bad_requests(plain, request_bytes, status):
    before = len(plain.upstream.requests)
    out = plain.raw(request_bytes)
    assert out.startswith(b"HTTP/1.1 %d " % status), out[:100]
    assert b"Server: awselb/2.0" in out and b"Connection: close" in out
    assert len(plain.upstream.requests) == before or b"chunked\r\n\r\nzz" in request_bytes


def test_replies_of_every_framing(daemon):
    replies = {
        "/length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        "/close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
        "/empty": b"HTTP/1.1 204 No Content\r\n\r\n",
        "/hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "/own": b"HTTP/1.1 418 I am a teapot\r\nServer: mine\r\nKeep-Alive: 5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
        "/health": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    }
    with Upstream(lambda method, target, *_: replies[target]) as upstream:
        balancer = Balancer(daemon, "framing")
        balancer.group("g", upstream.port)
        assert balancer.ask(target="/length")[1] == b"hello"
        reply, content = balancer.ask(target="/chunked")
        assert content == b"hello world" and reply.getheader("transfer-encoding") == "chunked"
        reply, content = balancer.ask(target="/close")
        assert content == b"until the end" and reply.getheader("connection") == "keep-alive"
        assert balancer.ask(target="/empty")[0].status == 204
        assert b"103 Early Hints" in balancer.raw(b"GET /hints HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        reply, _ = balancer.ask(target="/own")
        assert reply.status == 418 and reply.reason == "I am a teapot" and reply.getheader("server") == "mine"
        assert reply.headers.get_all("set-cookie") == ["a=1", "b=2"] and reply.getheader("keep-alive") is None
        # A client of HTTP/1.0 is sent no chunks.
        out = balancer.raw(b"GET /chunked HTTP/1.0\r\nHost: x\r\n\r\n")
        assert out.endswith(b"\r\n\r\nhello world") and b"hunked" not in out


def test_head(plain):
    reply, content = plain.ask("HEAD", "/")
    assert reply.status == 200 and content == b"" and int(reply.getheader("content-length")) > 10


def test_bad_targets(daemon):
    kinds = {"/nothing": None, "/garbage": b"hello there\r\n\r\n", "/partial": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-"), "/health": (200, {}, b"")}

    def broken(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    kinds["/half"] = broken
    with Upstream(lambda method, target, *_: kinds[target]) as upstream:
        balancer = Balancer(daemon, "broken")
        balancer.group("g", upstream.port)
        for target in ("/nothing", "/garbage", "/partial"):
            reply, content = balancer.ask(target=target)
            assert reply.status == 502 and reply.getheader("server") == "awselb/2.0", target
            assert content == (b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n")
        with pytest.raises(http.client.IncompleteRead):
            balancer.ask(target="/half")
        # Twice for what may be repeated, once for what may not.
        upstream.requests.clear()
        balancer.ask("GET", "/nothing")
        assert len(upstream.requests) == 2
        balancer.ask("POST", "/nothing")
        assert len(upstream.requests) == 3


def test_no_targets_and_refused_connections(daemon):
    balancer = Balancer(daemon, "none")
    group = balancer.group("g")
    reply, content = balancer.ask()
    assert reply.status == 503 and b"503 Service Temporarily Unavailable" in content
    balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": free_port()}])
    assert balancer.ask()[0].status == 502


def test_a_dead_target_costs_no_request(daemon):
    with Upstream(name="a") as first:
        second = Upstream(name="b")
        balancer = Balancer(daemon, "failover")
        balancer.group("g", first.port, second.port)
        assert {json.loads(balancer.ask()[1])["server"] for _ in range(4)} == {"a", "b"}
        second.stop()
        assert {json.loads(balancer.ask("POST", body="x")[1])["server"] for _ in range(20)} == {"a"}


def test_slow_targets_end_with_504(daemon):
    release = threading.Event()

    def slow(method, target, headers, body):
        if target == "/slow":
            release.wait(20)
        return 200, {}, b"ok"

    with Upstream(slow) as upstream:
        balancer = Balancer(daemon, "late")
        balancer.group("g", upstream.port)
        balancer.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "1"}])
        reply, content = balancer.ask(target="/slow")
        assert reply.status == 504 and b"504 Gateway Time-out" in content
        release.set()
        assert balancer.ask(target="/quick")[0].status == 200


def test_web_sockets_pass_both_ways(daemon):
    def upgrade(method, target, headers, body):
        if target == "/health":
            return 200, {}, b""
        assert headers["upgrade"] == ["websocket"] and headers["connection"] == ["upgrade"]
        accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"][0].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()

        def serve(connection):
            connection.sendall(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
            while piece := connection.recv(65536):
                connection.sendall(piece.upper())

        return serve

    with Upstream(upgrade) as upstream:
        balancer = Balancer(daemon, "sockets")
        balancer.group("g", upstream.port)
        with socket.create_connection((balancer.address, balancer.port), timeout=5) as connection:
            connection.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            assert head.startswith(b"HTTP/1.1 101 ") and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
            for message in (b"hello", b"x" * 300_000):
                threading.Thread(target=connection.sendall, args=(message,)).start()
                got = b""
                while len(got) < len(message):
                    got += connection.recv(65536)
                assert got == message.upper()


def test_a_reader_that_stops_stops_the_target(daemon):
    """Back-pressure: the balancer keeps no more than a few buffers of a reply that nobody reads."""
    sent = []

    def flood(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        connection.settimeout(1)
        try:
            while True:
                sent.append(connection.send(b"x" * 65536))
        except OSError:
            pass

    with Upstream(lambda method, target, *_: (200, {}, b"") if target == "/health" else flood) as upstream:
        balancer = Balancer(daemon, "pressure")
        balancer.group("g", upstream.port)
        with socket.create_connection((balancer.address, balancer.port), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(100)
            wait_for(lambda: len(sent) > 0, what="bytes")
            size = -1
            while size != sum(sent):
                size = sum(sent)
                time.sleep(0.3)
            assert size < 30_000_000


DEPARTURES = [  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#desync-mitigation-mode
    ("Acceptable", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
    ("Acceptable", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("Acceptable", b"GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\n\r\n"),
    ("Ambiguous", b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
    ("Ambiguous", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    ("Ambiguous", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    ("Ambiguous", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer_Encoding: chunked\r\n\r\nabc"),
    ("Ambiguous", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding : chunked\r\n\r\nabc"),
    ("Severe", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    ("Severe", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc"),
]


@pytest.mark.parametrize("mode", ["monitor", "defensive", "strictest"])
def test_desync_mitigation(daemon, mode):
    with Upstream() as upstream:
        balancer = Balancer(daemon, "desync-" + mode)
        balancer.group("g", upstream.port)
        balancer.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=[{"Key": "routing.http.desync_mitigation_mode", "Value": mode}])
        for of, request in DEPARTURES:
            before = len(upstream.requests)
            # A second request behind it: it must never be answered on a connection whose framing is in doubt.
            out = balancer.raw(request + b"GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            blocked = of == "Severe" or mode == "strictest"
            assert out.startswith(b"HTTP/1.1 400" if blocked else b"HTTP/1.1 200"), (mode, request, out[:80])
            got = upstream.requests[before:]
            assert [one[1] for one in got] == ([] if blocked else ["/a%20b", "/second"] if b"/a b" in request else ["/", "/second"] if of == "Acceptable" else ["/"]), (mode, request)
            for _, _, headers, body in got[:1]:
                assert not ("content-length" in headers and "transfer-encoding" in headers) and len(headers.get("content-length", [])) < 2
                assert body == (b"abc" if b"abc" in request else b"")


def test_a_failing_target_is_left_out_when_asked_for(daemon):
    with Upstream(name="good") as good, Upstream(lambda method, target, *_: (200 if target == "/health" else 500, {}, b"")) as bad:
        balancer = Balancer(daemon, "outliers")
        group = balancer.group("g", good.port, bad.port)
        keys = [one["Key"] for one in balancer.elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]]
        assert not any(key.startswith("atoll.") for key in keys)
        failed = [balancer.ask()[0].status for _ in range(20)].count(500)
        assert 8 <= failed <= 12    # as on AWS: each loop takes turns of its own
        balancer.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": "atoll.outlier_detection.consecutive_failures", "Value": "3"}])
        failed = [balancer.ask()[0].status for _ in range(40)].count(500)
        assert 3 <= failed <= 6    # each loop's connections count together


def test_a_full_target_is_passed_over_when_asked_for(daemon):
    with Upstream(lambda *_: (time.sleep(0.5), (200, {}, b""))[1]) as slow:
        balancer = Balancer(daemon, "breaker")
        group = balancer.group("g", slow.port, wait=False, attributes=[("atoll.circuit_breaker.max_requests_per_target", "2")])
        balancer.until_healthy(group, 1)
        with ThreadPoolExecutor(6) as pool:
            statuses = sorted(pool.map(lambda _: balancer.ask()[0].status, range(6)))
        assert statuses == [200, 200, 503, 503, 503, 503]
