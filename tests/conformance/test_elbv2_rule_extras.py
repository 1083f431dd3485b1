"""Application load balancers: rules with regular expressions, transforms, and checks of tokens."""
import json
import http.client
import ssl
import time

import pytest
from balancers import Balancer
from botocore.exceptions import ClientError
from support import wait_for
from upstream import Upstream
from web_tokens import Key


@pytest.fixture(scope="module")
def target():
    with Upstream() as upstream:
        yield upstream


def rule(balancer, priority, *conditions, group, **more):
    return balancer.elb.create_rule(ListenerArn=balancer.listener, Priority=priority, Conditions=list(conditions),
                                    Actions=[{"Type": "forward", "TargetGroupArn": group}], **more)["Rules"][0]


def regex(field, *values):
    config = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}[field]
    return {"Field": field, config: {"RegexValues": list(values)}}


def test_conditions_by_regular_expression(daemon, target):
    balancer = Balancer(daemon, "regex")
    group = balancer.group("g", target.port)
    balancer.elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}])
    made = rule(balancer, 1, regex("host-header", r"^(.+)\.Example\.com$"), group=group)
    assert made["Conditions"][0]["HostHeaderConfig"]["RegexValues"] == [r"^(.+)\.Example\.com$"]
    rule(balancer, 2, regex("path-pattern", r"^/api/v[0-9]+/", r"\.png$"), group=group)
    rule(balancer, 3, {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Version", "RegexValues": ["^[23]\\."]}}, group=group)

    def status(target="/", **headers):
        return balancer.ask(target=target, headers=headers)[0].status

    assert status(Host="shop.EXAMPLE.com:80") == 200 and status(Host="example.com") == 404
    assert status("/api/v12/x") == 200 and status("/api/vx/x") == 404 and status("/a/b.png") == 200 and status("/a/b.pngx") == 404
    assert status(**{"x-version": "2.1"}) == 200 and status(**{"x-version": "12.1"}) == 404
    for bad in (regex("path-pattern", "a("), regex("path-pattern", "(?=a)"), regex("path-pattern", "(a)\\1"), regex("host-header", "a" * 129),
                {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"], "RegexValues": ["/b"]}}, {"Field": "http-request-method", "RegexValues": ["GET"]}):
        with pytest.raises(ClientError, match="ValidationError"):
            rule(balancer, 9, bad, group=group)


def test_transforms(daemon, target):
    balancer = Balancer(daemon, "transforms")
    group = balancer.group("g", target.port)

    def url(expression, replacement):
        return {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": expression, "Replace": replacement}]}}

    def host(expression, replacement):
        return {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": expression, "Replace": replacement}]}}

    both = [host("^mywebsite-(.+).com$", "internal.dev.$1.myweb.com"), url("^/dp/([A-Za-z0-9]+)/?$", "/product.php?id=$1")]
    made = rule(balancer, 1, {"Field": "path-pattern", "Values": ["/dp/*"]}, group=group, Transforms=both)
    assert made["Transforms"] == both == balancer.elb.describe_rules(RuleArns=[made["RuleArn"]])["Rules"][0]["Transforms"]
    seen = json.loads(balancer.ask(target="/dp/B09G3HRMW", headers={"Host": "mywebsite-example.com"})[1])
    assert seen["target"] == "/product.php?id=B09G3HRMW" and seen["headers"]["host"] == ["internal.dev.example.myweb.com"]
    # What does not match stays as it was.
    seen = json.loads(balancer.ask(target="/dp/a-b?c", headers={"Host": "other.com"})[1])
    assert seen["target"] == "/dp/a-b?c" and seen["headers"]["host"][0].startswith("other.com")
    # What becomes no URL is the balancer's error.
    rule(balancer, 2, {"Field": "path-pattern", "Values": ["/bad*"]}, group=group, Transforms=[url("^/bad", "bad")])
    assert balancer.ask(target="/bad")[0].status == 500
    changed = balancer.elb.modify_rule(RuleArn=made["RuleArn"], ResetTransforms=True)["Rules"][0]
    assert not changed.get("Transforms")
    assert json.loads(balancer.ask(target="/dp/B09")[1])["target"] == "/dp/B09"
    for bad in ([url("a", "$1")], [url("a", "b"), url("a", "c")], [url("(", "b")], [{"Type": "url-rewrite"}]):
        with pytest.raises(ClientError, match="ValidationError"):
            rule(balancer, 9, {"Field": "path-pattern", "Values": ["/x"]}, group=group, Transforms=bad)


def test_tokens_are_checked(daemon, target, tmp_path):
    key, other = Key(tmp_path, "one"), Key(tmp_path, "two")
    keys, asked = [key.json], []

    def issuer(method, path, headers, body):
        asked.append(path)
        return 200, {"Content-Type": "application/json"}, json.dumps({"keys": keys}).encode()

    acm = daemon.client("acm")
    arn = acm.request_certificate(DomainName="tokens.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    with Upstream(issuer) as provider:
        balancer = Balancer(daemon, "tokens")
        group = balancer.elb.create_target_group(Name="tokens-g", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", HealthCheckPath="/health")["TargetGroups"][0]["TargetGroupArn"]
        balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": target.port}])
        config = {"JwksEndpoint": f"http://127.0.0.1:{provider.port}/jwks", "Issuer": "https://issuer.example.com",
                  "AdditionalClaims": [{"Format": "space-separated-values", "Name": "scope", "Values": ["orders/read", "orders/write"]},
                                       {"Format": "string-array", "Name": "groups", "Values": ["staff"]}]}
        balancer.listen({"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": config}, {"Type": "forward", "Order": 2, "TargetGroupArn": group},
                        Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
        balancer.until_healthy(group, 1)
        now = int(time.time())
        good = {"iss": config["Issuer"], "exp": now + 600, "nbf": now - 10, "iat": now - 10, "scope": "x orders/read", "groups": ["staff"]}

        def ask(token=None):
            connection = http.client.HTTPSConnection(balancer.address, balancer.port, context=ssl._create_unverified_context(), timeout=10)
            connection.request("GET", "/", headers={"Authorization": "Bearer " + token} if token else {})
            reply = connection.getresponse()
            reply.read()
            return reply.status

        assert ask(key.sign(good)) == 200 and ask() == 401 and ask("a.b.c") == 401
        for changed in ({"iss": "https://other"}, {"exp": now - 1}, {"exp": "soon"}, {"nbf": now + 600}, {"iat": now + 600}, {"scope": "orders"}, {"scope": ["orders/read"]}, {"groups": "staff"}):
            assert ask(key.sign({**good, **changed})) == 401, changed
        # Another's signature, under this key's name or its own; none at all.
        assert ask(other.sign(good, kid="one")) == 401 and ask(other.sign(good)) == 401
        assert ask(key.sign(good, alg="none").rsplit(".", 1)[0] + ".") == 401 and ask(key.sign(good, alg="HS256")) == 401
        assert len(asked) < 10  # not for each request
        elb = balancer.elb
        for bad in ({"JwksEndpoint": "http://far.example.com/jwks"}, {"AdditionalClaims": [{"Format": "single-string", "Name": "exp", "Values": ["1"]}]}):
            with pytest.raises(ClientError, match="ValidationError"):
                elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[{"Type": "jwt-validation", "JwtValidationConfig": {**config, **bad}}, {"Type": "forward", "TargetGroupArn": group}])
