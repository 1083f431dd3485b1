"""Application load balancers: rules, actions, target groups, health, TLS and functions."""
import collections
import json
import subprocess
import time
import urllib.request

import pytest

from balancers import Balancer, address_of
from support import function_package, wait_for
from upstream import Upstream, free_port


@pytest.fixture(scope="module")
def pair(daemon):
    with Upstream(name="a") as first, Upstream(name="b") as second:
        yield first, second


def server_of(balancer, **ask):
    return json.loads(balancer.ask(**ask)[1])["server"]


def test_rules_choose_by_every_condition(daemon, pair):
    balancer = Balancer(daemon, "rules")
    a, b = balancer.group("a", pair[0].port), balancer.group("b", pair[1].port, wait=False)
    elb, priority = balancer.elb, iter(range(1, 100))

    def rule(target, *conditions):
        return elb.create_rule(ListenerArn=balancer.listener, Priority=next(priority), Conditions=list(conditions),
                               Actions=[{"Type": "forward", "TargetGroupArn": target}])["Rules"][0]

    rule(b, {"Field": "path-pattern", "Values": ["/api/*"]}, {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}})
    rule(b, {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.b.example.com"]}})
    rule(b, {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Version", "Values": ["2*"]}})
    rule(b, {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "version", "Value": "2"}]}})
    rule(b, {"Field": "path-pattern", "Values": ["/local"]}, {"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}})
    rule(b, {"Field": "path-pattern", "Values": ["/far"]}, {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}})
    balancer.until_healthy(b, 1)
    assert server_of(balancer) == "a"
    assert server_of(balancer, target="/api/x") == "a" and server_of(balancer, method="POST", target="/api/x", body="") == "b"
    assert server_of(balancer, headers={"Host": "X.b.Example.com:80"}) == "b" and server_of(balancer, headers={"Host": "b.example.com"}) == "a"
    assert server_of(balancer, headers={"x-version": "2.1"}) == "b" and server_of(balancer, headers={"x-version": "1"}) == "a"
    assert server_of(balancer, target="/?a=1&Version=2") == "b"
    assert server_of(balancer, target="/local") == "b" and server_of(balancer, target="/far") == "a"
    shown = elb.describe_rules(ListenerArn=balancer.listener)["Rules"]
    assert [one["Priority"] for one in shown] == ["1", "2", "3", "4", "5", "6", "default"]
    # Two rules change places in one call.
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": shown[0]["RuleArn"], "Priority": 2}, {"RuleArn": shown[1]["RuleArn"], "Priority": 1}])
    with pytest.raises(elb.exceptions.PriorityInUseException):
        elb.set_rule_priorities(RulePriorities=[{"RuleArn": shown[0]["RuleArn"], "Priority": 3}])
    elb.delete_rule(RuleArn=shown[1]["RuleArn"])
    assert server_of(balancer, headers={"Host": "x.b.example.com"}) == "a"


def test_redirects_and_fixed_answers(daemon):
    balancer = Balancer(daemon, "answers")
    balancer.listen({"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}})
    elb = balancer.elb
    reply, content = balancer.ask(target="/a/b?c=d", headers={"Host": f"shop.example.com:{balancer.port}"})
    assert reply.status == 301 and reply.getheader("location") == "https://shop.example.com:443/a/b?c=d"
    assert reply.getheader("server") == "awselb/2.0" and b"301 Moved Permanently" in content
    elb.create_rule(ListenerArn=balancer.listener, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/old/*"]}], Actions=[
        {"Type": "redirect", "RedirectConfig": {"Host": "new.#{host}", "Path": "/v2/#{path}", "Query": "from=#{query}", "StatusCode": "HTTP_302"}}])
    elb.create_rule(ListenerArn=balancer.listener, Priority=2, Conditions=[{"Field": "path-pattern", "Values": ["/teapot"]}], Actions=[
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418", "ContentType": "application/json", "MessageBody": "{}"}}])
    reply, _ = balancer.ask(target="/old/x?y", headers={"Host": "h"})
    assert reply.status == 302 and reply.getheader("location") == f"http://new.h:{balancer.port}/v2/old/x?from=y"
    reply, content = balancer.ask(target="/teapot")
    assert reply.status == 418 and content == b"{}" and reply.getheader("content-type") == "application/json; charset=utf-8"
    assert balancer.ask("HEAD", "/teapot")[1] == b""
    # The same connection goes on after them.
    connection = balancer.connect()
    for _ in range(3):
        connection.request("GET", "/teapot")
        assert connection.getresponse().read() == b"{}"


def test_weights_and_group_stickiness(daemon, pair):
    balancer = Balancer(daemon, "weights")
    a, b = balancer.group("a", pair[0].port), balancer.group("b", pair[1].port, wait=False)
    elb = balancer.elb

    def weigh(first, second, sticky=False):
        elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[{"Type": "forward", "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": a, "Weight": first}, {"TargetGroupArn": b, "Weight": second}],
            "TargetGroupStickinessConfig": {"Enabled": sticky, **({"DurationSeconds": 60} if sticky else {})}}}])

    weigh(9, 1)
    balancer.until_healthy(b, 1)
    counts = collections.Counter(server_of(balancer) for _ in range(300))
    assert 5 < counts["b"] < 70 and counts["a"] + counts["b"] == 300
    weigh(0, 1)
    assert {server_of(balancer) for _ in range(20)} == {"b"}
    weigh(1, 1, sticky=True)
    reply, content = balancer.ask()
    cookie = reply.getheader("set-cookie").split(";")[0]
    assert cookie.startswith("AWSALBTG=")
    assert {server_of(balancer, headers={"Cookie": "x=1; " + cookie}) for _ in range(20)} == {json.loads(content)["server"]}


def test_target_stickiness(daemon, pair):
    balancer = Balancer(daemon, "sticky")
    group = balancer.group("g", pair[0].port, pair[1].port, attributes=[("stickiness.enabled", "true"), ("stickiness.type", "lb_cookie")])
    reply, content = balancer.ask()
    cookies = [one.split(";")[0] for one in reply.headers.get_all("set-cookie")]
    assert cookies[0].startswith("AWSALB=") and cookies[1].startswith("AWSALBCORS=") and "SameSite=None" in reply.headers.get_all("set-cookie")[1]
    server = json.loads(content)["server"]
    assert {server_of(balancer, headers={"Cookie": cookies[0]}) for _ in range(10)} == {server}
    assert {server_of(balancer) for _ in range(10)} == {"a", "b"}
    balancer.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[
        {"Key": "stickiness.type", "Value": "app_cookie"}, {"Key": "stickiness.app_cookie.cookie_name", "Value": "SESSION"}])
    assert balancer.ask()[0].getheader("set-cookie") is None
    for one in pair:
        one.handler = lambda method, target, headers, body, one=one: (200, {"Set-Cookie": "SESSION=x"}, json.dumps({"server": one.name}).encode())
    reply, content = balancer.ask()
    cookie = [one.split(";")[0] for one in reply.headers.get_all("set-cookie") if one.startswith("AWSALBAPP-0=")][0]
    server = json.loads(content)["server"]
    assert {server_of(balancer, headers={"Cookie": f"SESSION=x; {cookie}"}) for _ in range(10)} == {server}
    for one in pair:
        one.handler = one.echo


def test_health_is_looked_at(daemon):
    status = {"code": 503}

    def handler(method, target, headers, body):
        if target == "/health":
            assert headers["user-agent"] == ["ELB-HealthChecker/2.0"]
            return status["code"], {}, b""
        return 200, {}, b"served"

    with Upstream(handler) as upstream:
        balancer = Balancer(daemon, "health")
        group = balancer.elb.create_target_group(Name="lonely", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", HealthCheckPath="/health", HealthCheckIntervalSeconds=5,
                                                 HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2, UnhealthyThresholdCount=2)["TargetGroups"][0]["TargetGroupArn"]
        balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": upstream.port}])
        assert balancer.states(group) == [("unused", "Target.NotInUse")]
        balancer.listen({"Type": "forward", "TargetGroupArn": group})
        assert balancer.states(group)[0][0] == "initial"
        daemon.advance(6)
        wait_for(lambda: balancer.states(group) == [("unhealthy", "Target.ResponseCodeMismatch")], what="unhealthy")
        shown = balancer.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]
        assert shown["Description"] == "Health checks failed with these codes: [503]"
        # With no healthy target at all, requests go to all.
        assert balancer.ask()[1] == b"served"
        status["code"] = 200
        for _ in range(2):
            assert balancer.states(group)[0][0] == "unhealthy"
            daemon.advance(5.1)
            time.sleep(0.1)
        wait_for(lambda: balancer.states(group) == [("healthy", None)], what="healthy")
        assert balancer.elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "10.9.9.9", "Port": 1}])["TargetHealthDescriptions"][0]["TargetHealth"][
            "Reason"] == "Target.NotRegistered"


def test_unhealthy_targets_get_nothing(daemon):
    with Upstream(name="good") as good, Upstream(lambda method, target, *_: (500 if target == "/health" else 200, {}, b'{"server": "bad"}')) as bad:
        balancer = Balancer(daemon, "mixed")
        group = balancer.group("g", good.port, bad.port, wait=False, UnhealthyThresholdCount=2)
        balancer.until_healthy(group, 1)
        assert {server_of(balancer) for _ in range(10)} == {"good"}


def test_all_targets_serve_when_too_few_are_healthy(daemon):
    key = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
    with Upstream(name="good") as good, Upstream(lambda method, target, *_: (500 if target == "/health" else 200, {}, b'{"server": "bad"}')) as bad:
        balancer = Balancer(daemon, "failopen")
        group = balancer.group("g", good.port, bad.port, wait=False, UnhealthyThresholdCount=2)
        balancer.until_healthy(group, 1)

        def served_by(**minimum):
            balancer.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": key + name, "Value": value} for name, value in minimum.items()])
            return {server_of(balancer) for _ in range(10)}
        assert served_by(percentage="50") == {"good"}
        assert served_by(percentage="51") == {"good", "bad"}
        assert served_by(percentage="off", count="2") == {"good", "bad"}
        assert served_by(count="1") == {"good"}
        for wrong in ({"count": "0"}, {"percentage": "101"}):
            with pytest.raises(balancer.elb.exceptions.ClientError, match="not valid"):
                served_by(**wrong)


def test_deregistered_targets_finish_what_they_have(daemon):
    import threading
    started, release = threading.Event(), threading.Event()

    def slow(method, target, headers, body):
        if target == "/slow":
            started.set()
            release.wait(10)
        return 200, {}, b'{"server": "old"}'

    with Upstream(slow) as old, Upstream(name="new") as new:
        balancer = Balancer(daemon, "drain")
        group = balancer.group("g", old.port)
        got = []
        waiting = threading.Thread(target=lambda: got.append(balancer.ask(target="/slow")))
        waiting.start()
        started.wait(5)
        balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": new.port}])
        balancer.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": old.port}])
        assert ("draining", "Target.DeregistrationInProgress") in balancer.states(group)
        balancer.until_healthy(group, 1)
        assert {server_of(balancer) for _ in range(5)} == {"new"}
        release.set()
        waiting.join()
        assert got[0][0].status == 200
        wait_for(lambda: len(balancer.states(group)) == 1, what="the drained target to go")


def test_least_outstanding_requests(daemon):
    import threading
    release = threading.Event()

    def stuck(method, target, headers, body):
        if target == "/stuck":
            release.wait(10)
        return 200, {}, b'{"server": "busy"}'

    with Upstream(stuck) as busy, Upstream(name="idle") as idle:
        balancer = Balancer(daemon, "least")
        balancer.group("g", busy.port, idle.port, attributes=[("load_balancing.algorithm.type", "least_outstanding_requests")])
        threads = []
        while not any(target == "/stuck" for _, target, *_ in busy.requests):
            threads.append(threading.Thread(target=balancer.ask, kwargs={"target": "/stuck"}))
            threads[-1].start()
            time.sleep(0.05)
        assert {server_of(balancer) for _ in range(10)} == {"idle"}
        release.set()
        for thread in threads:
            thread.join()


FUNCTION = """
exports.handler = async (event) => ({statusCode: 201, headers: {"x-seen": (event.headers || {})["x-own"] || "none"}, multiValueHeaders: {"x-many": ["1", "2"]},
  body: JSON.stringify(event), isBase64Encoded: false});
"""


def test_functions_are_targets(daemon):
    role = "arn:aws:iam::000000000000:role/r"
    function = daemon.client("lambda").create_function(FunctionName="behind-alb", Runtime="nodejs20.x", Role=role, Handler="index.handler",
                                                       Code={"ZipFile": function_package(FUNCTION)})["FunctionArn"]
    daemon.client("lambda").get_waiter("function_active_v2").wait(FunctionName="behind-alb")
    balancer = Balancer(daemon, "lambda")
    group = balancer.elb.create_target_group(Name="functions", TargetType="lambda")["TargetGroups"][0]["TargetGroupArn"]
    balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": function}])
    balancer.listen({"Type": "forward", "TargetGroupArn": group})
    reply, content = balancer.ask("POST", "/a%20b?x=1&x=2&y=%26", {"X-Own": "me", "Content-Type": "text/plain"}, "hello")
    event = json.loads(content)
    assert reply.status == 201 and reply.getheader("x-seen") == "me"
    assert event["requestContext"] == {"elb": {"targetGroupArn": group}} and event["httpMethod"] == "POST" and event["path"] == "/a%20b"
    assert event["queryStringParameters"] == {"x": "2", "y": "%26"} and event["body"] == "hello" and event["isBase64Encoded"] is False
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1" and event["headers"]["x-amzn-trace-id"].startswith("Root=1-")
    balancer.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": "lambda.multi_value_headers.enabled", "Value": "true"}])
    reply, content = balancer.ask("POST", "/?x=1&x=2", {"Content-Type": "application/octet-stream"}, b"\xff\x00")
    event = json.loads(content)
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]} and "headers" not in event and reply.headers.get_all("x-many") == ["1", "2"]
    assert event["isBase64Encoded"] is True and event["body"] == "/wA="
    assert balancer.states(group) == [("unavailable", "Target.HealthCheckDisabled")]


def curl(balancer, host, path="/", *options):
    done = subprocess.run(["curl", "-sS", "-i", "--resolve", f"{host}:{balancer.port}:{balancer.address}", *options, f"https://{host}:{balancer.port}{path}"],
                          capture_output=True, text=True, timeout=20)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def authority(daemon):
    return str(daemon.data / "acm" / "authority.pem")


def test_https_with_several_certificates(daemon, pair, authority):
    acm = daemon.client("acm")
    shop, api = (acm.request_certificate(DomainName=name)["CertificateArn"] for name in ("shop.example.com", "*.api.example.com"))
    for arn in (shop, api):
        wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    balancer = Balancer(daemon, "tls")
    group = balancer.elb.create_target_group(Name="tls-g", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", HealthCheckPath="/health")["TargetGroups"][0]["TargetGroupArn"]
    balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": pair[0].port}])
    balancer.listen({"Type": "forward", "TargetGroupArn": group}, Protocol="HTTPS", Certificates=[{"CertificateArn": shop}], SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    balancer.elb.add_listener_certificates(ListenerArn=balancer.listener, Certificates=[{"CertificateArn": api}])
    balancer.until_healthy(group, 1)
    for host in ("shop.example.com", "v1.api.example.com"):
        for version in ("--http1.1", "--http2"):
            out = curl(balancer, host, "/x", version, "--cacert", authority)
            assert f'"host": ["{host}:{balancer.port}"]' in out and '"x-forwarded-proto": ["https"]' in out, out
    assert "no alternative certificate subject name matches" in curl(balancer, "other.example.com", "/", "--cacert", authority)
    assert acm.describe_certificate(CertificateArn=api)["Certificate"]["InUseBy"] == [balancer.arn]
    big = subprocess.run(["curl", "-sS", "--http2", "--resolve", f"shop.example.com:{balancer.port}:{balancer.address}", "--cacert", authority, "--data-binary", "@-",
                          f"https://shop.example.com:{balancer.port}/"], input=b"z" * 2_000_000, capture_output=True, timeout=20).stdout
    assert len(json.loads(big)["body"]) == 2_000_000
    with pytest.raises(balancer.elb.exceptions.SSLPolicyNotFoundException):
        balancer.elb.modify_listener(ListenerArn=balancer.listener, SslPolicy="ELBSecurityPolicy-1999")
    balancer.elb.modify_listener(ListenerArn=balancer.listener, SslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06")
    assert "HTTP/2 200" in curl(balancer, "shop.example.com", "/", "--cacert", authority)
    assert "HTTP/" not in curl(balancer, "shop.example.com", "/", "--cacert", authority, "--tls-max", "1.2")


def test_a_network_balancer_before_an_application_balancer(daemon, pair):
    inner = Balancer(daemon, "inner")
    inner.group("g", pair[0].port)
    elb = inner.elb
    with pytest.raises(elb.exceptions.ClientError, match="TCP"):
        elb.create_target_group(Name="alb-bad", Protocol="TLS", Port=inner.port, VpcId="vpc-1", TargetType="alb")
    group = elb.create_target_group(Name="alb", Protocol="TCP", Port=inner.port, VpcId="vpc-1", TargetType="alb", HealthCheckPath="/health")["TargetGroups"][0]
    assert group["HealthCheckProtocol"] == "HTTP"
    with pytest.raises(elb.exceptions.InvalidTargetException):
        elb.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/x/1", "Port": inner.port}])
    elb.register_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": inner.arn, "Port": inner.port}])
    outer = elb.create_load_balancer(Name="outer", Type="network", Subnets=daemon.subnets(1))["LoadBalancers"][0]
    port = free_port()
    elb.create_listener(LoadBalancerArn=outer["LoadBalancerArn"], Protocol="TCP", Port=port, DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}])
    inner.until_healthy(group["TargetGroupArn"], 1)
    reply = urllib.request.urlopen(f"http://{address_of(daemon, outer['DNSName'])}:{port}/through?x")
    assert json.load(reply)["target"] == "/through?x"


def test_the_gateway_port_reaches_a_balancer_by_name(daemon, pair):
    balancer = Balancer(daemon, "byname")
    balancer.group("g", pair[0].port)
    request = urllib.request.Request(daemon.url + "/over/4566?q=1", headers={"Host": balancer.dns})
    assert json.load(urllib.request.urlopen(request))["target"] == "/over/4566?q=1"


def test_everything_is_there_after_a_kill(new_daemon):
    daemon = new_daemon()
    with Upstream(name="a") as upstream:
        balancer = Balancer(daemon, "durable")
        group = balancer.group("g", upstream.port)
        balancer.elb.create_rule(ListenerArn=balancer.listener, Priority=5, Conditions=[{"Field": "path-pattern", "Values": ["/no"]}],
                                 Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}])
        daemon.kill()
        daemon.start()
        wait_for(lambda: [state for state, _ in balancer.states(group)] == ["healthy"], what="health after the restart")
        assert address_of(daemon, balancer.dns) == balancer.address
        assert server_of(balancer) == "a" and balancer.ask(target="/no")[0].status == 404
        balancer.elb.delete_load_balancer(LoadBalancerArn=balancer.arn)
        with pytest.raises(OSError):
            balancer.ask()
        balancer.elb.delete_target_group(TargetGroupArn=group)
        assert balancer.elb.describe_target_groups()["TargetGroups"] == []
