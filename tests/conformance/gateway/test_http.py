"""The port itself: protocols, limits and hostile bytes."""
import concurrent.futures
import http.client
import json
import socket
import ssl
import time
import urllib.error
import urllib.request

import pytest


def raw(daemon, data, wait=5.0):
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=wait) as s:
        s.sendall(data)
        out = b""
        try:
            while piece := s.recv(65536):
                out += piece
        except socket.timeout:
            pass
        return out


HEALTH = b"GET /_atoll/health HTTP/1.1\r\nHost: x\r\n"


def test_pipelined_requests_are_answered_in_order(daemon):
    out = raw(daemon, HEALTH + b"\r\n" + b"GET /_localstack/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert out.count(b"HTTP/1.1 200 OK") == 2
    assert out.index(b"uptimeSeconds") < out.index(b'"services"')


@pytest.mark.parametrize("request_bytes", [
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    b"\x00\x01\x02\x03\r\n\r\n",
])
def test_what_could_be_smuggled_is_refused(daemon, request_bytes):
    assert raw(daemon, request_bytes).startswith(b"HTTP/1.1 400 ")


def test_oversized_heads_are_refused(daemon):
    assert raw(daemon, b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n").startswith(b"HTTP/1.1 431 ")


def test_a_broken_chunked_body_ends_the_connection(daemon):
    out = raw(daemon, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert b" 400 " in out.split(b"\r\n")[0]


def test_tls_on_the_same_port(daemon):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, context=context, timeout=5)
    connection.request("GET", "/_atoll/health")
    assert json.loads(connection.getresponse().read())["status"] == "running"


def test_http2_by_prior_knowledge(daemon):
    import subprocess
    out = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-w", "%{http_version}", f"{daemon.url}/_atoll/health"],
                         capture_output=True, text=True, timeout=10).stdout
    assert out.endswith("2") and '"running"' in out


def test_http2_by_alpn(daemon):
    import subprocess
    out = subprocess.run(["curl", "-sk", "--http2", "-w", "%{http_version}", f"https://127.0.0.1:{daemon.port}/_atoll/health"],
                         capture_output=True, text=True, timeout=10).stdout
    assert out.endswith("2") and '"running"' in out


def test_many_idle_connections_and_slow_clients_leave_it_serving(daemon):
    idle = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(500)]
    for s in idle[:100]:
        s.sendall(b"GET /_atoll/health HTT")  # a head that never ends
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: urllib.request.urlopen(f"{daemon.url}/_atoll/health").status == 200, range(50)))
    assert time.monotonic() - start < 5
    for s in idle:
        s.close()


def test_metrics_and_traces(daemon):
    daemon.client("sqs").list_queues()
    text = urllib.request.urlopen(f"{daemon.url}/_atoll/metrics").read().decode()
    assert 'atoll_calls_total{operation="sqs.ListQueues"}' in text and "atoll_bugs_total 0" in text
    spans = json.load(urllib.request.urlopen(f"{daemon.url}/_atoll/traces"))["spans"]
    assert any(s["name"] == "sqs.ListQueues" and s["trace"].startswith("1-") for s in spans)


def test_unserved_operations_say_so_by_name(daemon):
    from botocore.exceptions import ClientError
    with pytest.raises(ClientError) as caught:
        daemon.client("dynamodb").list_global_tables()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert "ListGlobalTables" in str(caught.value)
    with pytest.raises(ClientError) as caught:
        daemon.client("kinesis").list_streams()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501 and "kinesis" in str(caught.value)


def test_reset_forgets_everything(new_daemon):
    one = new_daemon()
    one.client("sqs").create_queue(QueueName="q")
    one.client("ssm").put_parameter(Name="p", Value="v", Type="String")
    one.client("dynamodb").create_table(TableName="table", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                                        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
    urllib.request.urlopen(urllib.request.Request(f"{one.url}/_atoll/reset", method="POST")).read()
    assert "QueueUrls" not in one.client("sqs").list_queues()
    assert one.client("ssm").describe_parameters()["Parameters"] == []
    assert one.client("dynamodb").list_tables()["TableNames"] == []
    assert one.stop() == 0


def test_pages_of_other_sites_are_kept_out(daemon):
    def post(path, origin, data=b""):
        request = urllib.request.Request(daemon.url + path, data=data, method="POST", headers={"Origin": origin})
        try:
            return urllib.request.urlopen(request).status
        except urllib.error.HTTPError as error:
            return error.code
    assert post("/_atoll/reset", "https://evil.example") == 403
    assert post("/", "https://evil.example", b"Action=ListQueues&Version=2012-11-05") == 403
    assert post("/", "null", b"Action=ListQueues&Version=2012-11-05") == 403
    assert post("/", "http://localhost:3000", b"Action=ListQueues&Version=2012-11-05") == 200


def test_http2_connections_that_end_within_a_head(daemon):
    """A head that never ends has a stream, but nobody who handles it."""
    unfinished = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82"   # HEADERS, neither the end of the stream nor of the head
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + unfinished)
            connection.recv(1)
    assert daemon.process.poll() is None
    assert urllib.request.urlopen(daemon.url + "/_atoll/health", timeout=5).status == 200


@pytest.mark.parametrize("size", [(10 << 20) + 1, 30_000_000])
def test_a_client_that_sends_too_much_gets_to_read_why(daemon, size):
    client = daemon.client("apigatewayv2")
    api = client.create_api(Name="bounded", ProtocolType="HTTP", Target="http://127.0.0.1:1/")["ApiId"]
    for _ in range(5):
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
        connection.request("POST", f"/_aws/execute-api/{api}/$default/x", body=b"x" * size)  # sent to its end, whatever comes meanwhile
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (413, b'{"message":"Request Entity Too Large"}')
        connection.close()
    client.delete_api(ApiId=api)


def test_query_services_answer_json_to_who_accepts_only_that(daemon):
    def ask(query, accept="application/json"):
        request = urllib.request.Request(f"{daemon.url}/?{query}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.status, reply.headers["content-type"], reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["content-type"], error.read()

    status, kind, body = ask("Action=GetCallerIdentity&Version=2011-06-15")
    answer = json.loads(body)["GetCallerIdentityResponse"]
    assert (status, kind) == (200, "application/json")
    assert answer["GetCallerIdentityResult"]["Arn"] == "arn:aws:iam::000000000000:root" and answer["ResponseMetadata"]["RequestId"]
    status, kind, body = ask("Action=GetRole&Version=2010-05-08&RoleName=nobody")
    assert (status, kind) == (404, "application/json")
    assert json.loads(body)["Error"] == {"Code": "NoSuchEntity", "Message": "The role with name nobody cannot be found.", "Type": "Sender"}
    assert ask("Action=GetCallerIdentity&Version=2011-06-15", "*/*")[1] == "text/xml"
