"""What load balancers log, as the files that they deliver to S3."""
import contextlib
import gzip
import re
import shlex
import socket
import subprocess

import pytest
from balancers import Balancer, address_of
from support import Daemon, wait_for
from upstream import Upstream, free_port


@pytest.fixture(scope="module")
def upstream():
    with Upstream() as made:
        yield made


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """One of its own: its clock is moved."""
    made = Daemon(tmp_path_factory.mktemp("logs")).start()
    yield made
    made.stop()


def turn_on(balancer, kind, bucket, **more):
    settings = {"enabled": "true", "bucket": bucket, **more}
    balancer.elb.modify_load_balancer_attributes(LoadBalancerArn=balancer.arn, Attributes=[{"Key": f"{kind}.s3.{key}", "Value": value} for key, value in settings.items()])


def delivered(daemon, bucket, pattern):
    """The lines of all files whose key fits, after the next delivery."""
    s3 = daemon.client("s3")
    daemon.advance(300)

    def look():
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []) if re.fullmatch(pattern, one["Key"])]
        return [line for key in keys for line in gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).decode().splitlines()]

    wait_for(look, what="a log file")
    return look()


def test_access_logs(daemon, upstream):
    daemon.client("s3").create_bucket(Bucket="access")
    balancer = Balancer(daemon, "logged")
    group = balancer.group("g", upstream.port)
    elb = balancer.elb
    for priority, path, action in ((7, "/fixed", {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}),
                                   (8, "/moved", {"Type": "redirect", "RedirectConfig": {"Path": "/there", "StatusCode": "HTTP_302"}})):
        elb.create_rule(ListenerArn=balancer.listener, Priority=priority, Conditions=[{"Field": "path-pattern", "Values": [path]}], Actions=[action])
    turn_on(balancer, "access_logs", "access", prefix="web")
    assert daemon.client("s3").get_object(Bucket="access", Key="web/AWSLogs/000000000000/ELBAccessLogTestFile")
    balancer.ask("POST", "/orders?a=1", headers={"User-Agent": 'a "quoted" agent'}, body=b"x" * 100)
    balancer.ask(target="/fixed")
    balancer.ask(target="/moved")
    balancer.raw(b"nonsense\r\n\r\n")
    name = balancer.arn.split("loadbalancer/")[1]
    lines = delivered(daemon, "access", r"web/AWSLogs/000000000000/elasticloadbalancing/us-east-1/\d{4}/\d\d/\d\d/000000000000_elasticloadbalancing_us-east-1_"
                      + name.replace("/", r"\.") + r"_\d{8}T\d{4}Z_127\.\d+\.\d+\.\d+_\w+\.log\.gz")
    assert len(lines) == 4
    forwarded, fixed, moved, broken = (shlex.split(line) for line in lines)
    kind, _, label, client, target, *times, status, target_status, received, sent, request, agent, cipher, protocol, group_arn, trace, domain, certificate, priority, _, actions, location, error, targets, statuses, _, _, connection, _, _, _ = forwarded
    assert (kind, label, target, status, target_status) == ("http", name, f"127.0.0.1:{upstream.port}", "200", "200")
    assert client.startswith("127.") and all(0 <= float(time) < 5 for time in times) and int(received) > 200 and int(sent) > 100
    assert request == f"POST http://{balancer.address}:{balancer.port}/orders?a=1 HTTP/1.1" and agent == r'a \x22quoted\x22 agent'
    assert (cipher, protocol, group_arn, priority, actions, location, targets, statuses) == ("-", "-", group, "0", "forward", "-", target, "200")
    assert trace.startswith("Root=1-") and connection.startswith("TID_")
    assert fixed[8] == "404" and fixed[4:8] == ["-", "-1", "-1", "-1"] and fixed[20] == "7" and fixed[22] == "fixed-response"
    assert moved[8] == "302" and moved[23].endswith("/there") and moved[22] == "redirect"
    assert broken[8] == "400" and broken[12] == "- - -" and broken[20] == "-1"


def test_slow_ways_and_turning_off(daemon, upstream):
    daemon.client("s3").create_bucket(Bucket="other")
    acm = daemon.client("acm")
    arn = acm.request_certificate(DomainName="log.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    balancer = Balancer(daemon, "secure-log")
    group = balancer.elb.create_target_group(Name="secure-log-g", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", HealthCheckPath="/health", HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2)["TargetGroups"][0]["TargetGroupArn"]
    gone = free_port()
    balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port} for port in (upstream.port, gone)])
    balancer.listen({"Type": "forward", "TargetGroupArn": group}, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
    for kind in ("access_logs", "connection_logs", "health_check_logs"):
        turn_on(balancer, kind, "other")
    balancer.until_healthy(group, 1)
    wait_for(lambda: ("unhealthy", "Target.FailedHealthChecks") in balancer.states(group), what="the other target")
    for version in ("--http1.1", "--http2"):
        subprocess.run(["curl", "-sS", "-k", version, "--resolve", f"log.example.com:{balancer.port}:{balancer.address}", f"https://log.example.com:{balancer.port}/x"], check=True, capture_output=True, timeout=20)
    # Turning a log off delivers what it had.
    turn_on(balancer, "access_logs", "other", enabled="false")
    https, h2 = (shlex.split(line) for line in delivered(daemon, "other", r".*/000000000000_elastic.*\.log\.gz"))
    for entry, kind, version in ((https, "https", "HTTP/1.1"), (h2, "h2", "HTTP/2.0")):
        assert entry[0] == kind and entry[12] == f"GET https://log.example.com:{balancer.port}/x {version}" and entry[14:16] == ["ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2"]
        assert entry[18] == "log.example.com" and entry[19] == arn and entry[8:10] == ["200", "200"] and entry[4] == f"127.0.0.1:{upstream.port}"
    connections = [shlex.split(line) for line in delivered(daemon, "other", r".*/conn_log\..*\.log\.gz")]
    assert [one[3:6:2] for one in connections] == [[str(balancer.port), "ECDHE-RSA-AES128-GCM-SHA256"]] * 2 and {one[-1] for one in connections} == {https[29], h2[29]}
    checks = [line.split() for line in delivered(daemon, "other", r".*/health_check_log_.*\.log\.gz")]
    assert {(one[3], one[5], one[6], one[7]) for one in checks} >= {(f"127.0.0.1:{upstream.port}", "PASS", "200", "-"), (f"127.0.0.1:{gone}", "FAIL", "-", "Target.FailedHealthChecks")}


def test_a_missing_bucket(daemon):
    balancer = Balancer(daemon, "no-bucket")
    with pytest.raises(balancer.elb.exceptions.ClientError, match="Access Denied for bucket: nowhere"):
        turn_on(balancer, "access_logs", "nowhere")


def test_tls_connections_of_a_network_balancer(daemon):
    daemon.client("s3").create_bucket(Bucket="network")
    acm, elb = daemon.client("acm"), daemon.client("elbv2")
    arn = acm.request_certificate(DomainName="tcp.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    made = elb.create_load_balancer(Name="tls-log", Type="network", Subnets=daemon.subnets(1))["LoadBalancers"][0]["LoadBalancerArn"]
    dns = elb.describe_load_balancers(LoadBalancerArns=[made])["LoadBalancers"][0]["DNSName"]
    group = elb.create_target_group(Name="tls-log", Protocol="TCP", Port=80, VpcId="vpc-1", TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
    with Upstream(lambda *_: (200, {}, b"hello")) as upstream:
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": upstream.port}])
        port, address = free_port(), address_of(daemon, dns)
        listener = elb.create_listener(LoadBalancerArn=made, Protocol="TLS", Port=port, Certificates=[{"CertificateArn": arn}], DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])["Listeners"][0]["ListenerArn"]
        plain_port = free_port()
        elb.create_listener(LoadBalancerArn=made, Protocol="TCP", Port=plain_port, DefaultActions=[{"Type": "forward", "TargetGroupArn": group}])
        elb.modify_load_balancer_attributes(LoadBalancerArn=made, Attributes=[{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in (("enabled", "true"), ("bucket", "network"), ("prefix", "nlb"))])
        wait_for(lambda: elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "healthy", what="a healthy target")
        curl = subprocess.run(["curl", "-sS", "-k", "-i", "--resolve", f"tcp.example.com:{port}:{address}", f"https://tcp.example.com:{port}/x"], check=True, capture_output=True, timeout=20)
        subprocess.run(["curl", "-sS", f"http://{address}:{plain_port}/"], check=True, capture_output=True, timeout=20)   # TCP is not logged
        with socket.create_connection((address, port), timeout=10) as refused:
            refused.sendall(b"no TLS at all\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                while refused.recv(100):
                    pass
    name = made.split("loadbalancer/")[1]
    assert name.startswith("net/")
    pattern = r"nlb/AWSLogs/000000000000/elasticloadbalancing/us-east-1/\d{4}/\d\d/\d\d/000000000000_elasticloadbalancing_us-east-1_" + name.replace("/", r"\.") + r"_\d{8}T\d{4}Z_\w+\.log\.gz"
    lines = [line.split(" ") for line in delivered(daemon, "network", pattern)]
    assert len(lines) == 2
    kind, version, ended, label, of, client, destination, took, handshake, received, sent, alert, certificate, serial, cipher, protocol, group_name, domain, front, back, preference, began = lines[0]
    assert (kind, version, label, of, destination) == ("tls", "2.0", name, listener.rsplit("/", 1)[1], f"{address}:{port}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", ended) and began <= ended and client.startswith("127.") and int(took) >= int(handshake) >= 0
    assert int(sent) == len(curl.stdout) and int(received) > 50 and (certificate, domain, protocol) == (arn, "tcp.example.com", "tlsv12") and cipher.startswith("ECDHE-")
    assert {alert, serial, group_name, front, back, preference} == {"-"}
    assert lines[1][8] == "-" and lines[1][12:18] == ["-"] * 6
