"""Users sign in by OpenID Connect at the load balancer, with a provider that checks what it is sent."""
import base64
import json
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest
from balancers import Balancer
from support import wait_for
from upstream import Upstream

SECRET = "s3cret/+&"


class Provider(Upstream):
    """Hands out one code per user, tokens for codes, claims for tokens."""

    def __init__(self):
        super().__init__(self.reply)
        self.lasts, self.claims, self.refreshed, self.broken, self.codes, self.tokens = 3600, {"sub": "user-1", "email": "ann@example.com"}, 0, False, {}, set()
        self.url = f"http://127.0.0.1:{self.port}"

    def reply(self, method, target, headers, body):
        if self.broken:
            return 500, {}, b""
        if target == "/token":
            name, password = base64.b64decode(headers["authorization"][0].split()[1]).decode().split(":")
            form = {key: value[0] for key, value in urllib.parse.parse_qs(body.decode()).items()}
            if (name, urllib.parse.unquote(password)) != ("shop", SECRET) or method != "POST":
                return 401, {}, b"{}"
            if form["grant_type"] == "refresh_token" and form["refresh_token"] == "again":
                self.refreshed += 1
            elif self.codes.pop(form.get("code"), None) != form.get("redirect_uri"):
                return 400, {}, b'{"error":"invalid_grant"}'
            token = f"token-{len(self.tokens)}"
            self.tokens.add(token)
            return 200, {"Content-Type": "application/json"}, json.dumps({"access_token": token, "refresh_token": "again", "expires_in": self.lasts, "id_token": "x.y.z"}).encode()
        if target == "/userinfo" and headers["authorization"][0].removeprefix("Bearer ") in self.tokens:
            return 200, {"Content-Type": "application/json"}, json.dumps(self.claims).encode()
        return 404, {}, b""

    def code(self, redirect_uri):
        code = f"code-{len(self.codes)}"
        self.codes[code] = redirect_uri
        return code


class Browser:
    def __init__(self, balancer, host, folder):
        self.balancer, self.host, self.jar = balancer, host, folder / "cookies"
        self.base = f"https://{host}:{balancer.port}"

    def get(self, target, *options):
        """Status, headers, body."""
        done = subprocess.run(["curl", "-sS", "-k", "-i", "--http1.1", "-b", self.jar, "-c", self.jar, "--resolve", f"{self.host}:{self.balancer.port}:{self.balancer.address}",
                               *options, self.base + target], capture_output=True, text=True, timeout=20, check=True)
        head, _, body = done.stdout.partition("\n\n")
        lines = head.split("\n")
        return int(lines[0].split()[1]), {line.split(": ", 1)[0].lower(): line.split(": ", 1)[1] for line in lines[1:] if ": " in line}, body


@pytest.fixture(scope="module")
def provider():
    with Provider() as made:
        yield made


@pytest.fixture(scope="module")
def shop(daemon, provider):
    with Upstream() as upstream:
        acm = daemon.client("acm")
        arn = acm.request_certificate(DomainName="shop.example.com")["CertificateArn"]
        wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
        balancer = Balancer(daemon, "sign-in")
        group = balancer.elb.create_target_group(Name="sign-in-g", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", HealthCheckPath="/health")["TargetGroups"][0]["TargetGroupArn"]
        balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": upstream.port}])
        balancer.listen({"Type": "forward", "TargetGroupArn": group}, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
        balancer.group_arn = group
        balancer.until_healthy(group, 1)
        for priority, path, otherwise in ((1, "/private*", "authenticate"), (2, "/api*", "deny"), (3, "/maybe*", "allow")):
            add_rule(balancer, provider, priority, path, OnUnauthenticatedRequest=otherwise)
        yield balancer


def add_rule(balancer, provider, priority, path, **config):
    config = {"Issuer": provider.url, "AuthorizationEndpoint": provider.url + "/authorize?prompt=login", "TokenEndpoint": provider.url + "/token",
              "UserInfoEndpoint": provider.url + "/userinfo", "ClientId": "shop", "ClientSecret": SECRET, "Scope": "openid email", **config}
    return balancer.elb.create_rule(ListenerArn=balancer.listener, Priority=priority, Conditions=[{"Field": "path-pattern", "Values": [path]}], Actions=[
        {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config}, {"Type": "forward", "Order": 2, "TargetGroupArn": balancer.group_arn}])["Rules"][0]["RuleArn"]


def sign_in(browser, provider, target="/private?a=1"):
    """Follows the way to the provider and back; what the first page says at last."""
    status, headers, _ = browser.get(target)
    assert status == 302 and "AWSALBAuthNonce=" in headers.get("set-cookie", ""), headers
    asked = urllib.parse.urlsplit(headers["location"])
    query = {key: value[0] for key, value in urllib.parse.parse_qs(asked.query).items()}
    assert query["prompt"] == "login" and query["client_id"] == "shop" and query["response_type"] == "code" and query["scope"] == "openid email"
    assert query["redirect_uri"] == browser.base + "/oauth2/idpresponse"
    back = "/oauth2/idpresponse?" + urllib.parse.urlencode({"code": provider.code(query["redirect_uri"]), "state": query["state"]})
    status, headers, _ = browser.get(back)
    assert status == 302 and headers["location"] == browser.base + target, (status, headers)
    return back


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part))


def test_a_user_signs_in_once(daemon, shop, provider, tmp_path):
    browser = Browser(shop, "shop.example.com", tmp_path)
    sign_in(browser, provider)
    status, _, body = browser.get("/private", "-H", "x-amzn-oidc-identity: somebody-else", "-H", "X-Amzn-Oidc-Data: forged")
    headers = json.loads(body)["headers"]
    assert status == 200 and headers["x-amzn-oidc-identity"] == ["user-1"] and headers["x-amzn-oidc-accesstoken"][0] in provider.tokens
    head, claims, _ = headers["x-amzn-oidc-data"][0].split(".")
    assert decode(claims)["email"] == "ann@example.com" and decode(head)["alg"] == "ES256" and decode(head)["signer"] == shop.arn and decode(head)["client"] == "shop"
    # A target verifies the token with the published key.
    key = urllib.request.urlopen(f"{daemon.url}/_aws/elb/public-keys/{decode(head)['kid']}").read()
    assert verifies(key, headers["x-amzn-oidc-data"][0], tmp_path)
    # The same session serves the other rules of this provider.
    assert browser.get("/api")[0] == 200
    # HTTP/2 too.
    assert json.loads(browser.get("/private", "--http2")[2])["headers"]["x-amzn-oidc-identity"] == ["user-1"]


def verifies(key, token, folder):
    head, claims, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature)

    def integer(number):
        number = number.lstrip(b"\0") or b"\0"
        number = b"\0" + number if number[0] & 0x80 else number
        return b"\x02" + bytes([len(number)]) + number

    body = integer(raw[:32]) + integer(raw[32:])
    (folder / "key.pem").write_bytes(key)
    (folder / "signature").write_bytes(b"\x30" + bytes([len(body)]) + body)
    done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", folder / "key.pem", "-signature", folder / "signature"], input=f"{head}.{claims}".encode(), capture_output=True)
    return done.returncode == 0


def test_who_is_not_signed_in(shop, tmp_path):
    browser = Browser(shop, "shop.example.com", tmp_path)
    assert browser.get("/api")[0] == 401
    status, _, body = browser.get("/maybe", "-H", "x-amzn-oidc-identity: somebody-else")
    assert status == 200 and "x-amzn-oidc-identity" not in json.loads(body)["headers"]
    forged = "AWSELBAuthSessionCookie-0=" + "A" * 200
    assert browser.get("/api", "-b", forged)[0] == 401


def test_only_the_browser_that_was_sent_away_comes_back(shop, provider, tmp_path):
    one, other = (tmp_path / name for name in ("one", "other"))
    one.mkdir(), other.mkdir()
    back = sign_in(Browser(shop, "shop.example.com", one), provider)
    assert Browser(shop, "shop.example.com", other).get(back)[0] == 401
    assert Browser(shop, "shop.example.com", one).get("/oauth2/idpresponse?code=x&state=forged")[0] == 401


def test_a_failing_provider(shop, provider, tmp_path):
    browser = Browser(shop, "shop.example.com", tmp_path)
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(browser.get("/private")[1]["location"]).query)["state"][0]
    assert browser.get("/oauth2/idpresponse?" + urllib.parse.urlencode({"code": "never-given", "state": state}))[0] == 561
    assert browser.get("/oauth2/idpresponse?" + urllib.parse.urlencode({"error": "access_denied", "state": state}))[0] == 401


def is_open(balancer):
    with socket.socket() as probe:
        return probe.connect_ex((balancer.address, balancer.port)) == 0


def test_tokens_are_refreshed_and_sessions_end(new_daemon, provider, tmp_path):
    daemon = new_daemon()
    acm = daemon.client("acm")
    arn = acm.request_certificate(DomainName="clock.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED", what="certificate")
    with Upstream() as upstream:
        balancer = Balancer(daemon, "clock")
        balancer.group_arn = balancer.elb.create_target_group(Name="clock-g", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip")["TargetGroups"][0]["TargetGroupArn"]
        balancer.elb.register_targets(TargetGroupArn=balancer.group_arn, Targets=[{"Id": "127.0.0.1", "Port": upstream.port}])
        balancer.listen({"Type": "forward", "TargetGroupArn": balancer.group_arn}, Protocol="HTTPS", Certificates=[{"CertificateArn": arn}])
        rule = add_rule(balancer, provider, 1, "/private*", SessionTimeout=7200)
        browser = Browser(balancer, "clock.example.com", tmp_path)
        sign_in(browser, provider, "/private")
        before, refreshed = browser.get("/private")[2], provider.refreshed
        provider.claims["email"] = "new@example.com"
        daemon.advance(3700)
        after = json.loads(browser.get("/private")[2])["headers"]
        assert provider.refreshed == refreshed + 1 and after["x-amzn-oidc-accesstoken"] != json.loads(before)["headers"]["x-amzn-oidc-accesstoken"]
        assert decode(after["x-amzn-oidc-data"][0].split(".")[1])["email"] == "new@example.com"
        # The secret is never shown, and kept when the rule is changed without it.
        actions = balancer.elb.describe_rules(RuleArns=[rule])["Rules"][0]["Actions"]
        assert "ClientSecret" not in actions[0]["AuthenticateOidcConfig"]
        actions[0]["AuthenticateOidcConfig"].update(UseExistingClientSecret=True, Scope="openid")
        for action in actions[1:]:
            action.pop("ForwardConfig", None)
        balancer.elb.modify_rule(RuleArn=rule, Actions=actions)
        # Sessions outlive the daemon.
        daemon.stop()
        daemon.start()
        wait_for(lambda: is_open(balancer), what="the balancer after a restart")
        assert browser.get("/private")[0] == 200
        daemon.advance(7300)
        assert browser.get("/private")[0] == 302


def test_what_a_sign_in_needs(shop, provider):
    rules = len(shop.elb.describe_rules(ListenerArn=shop.listener)["Rules"])
    for wrong, config in (("HTTPS URL", {"TokenEndpoint": "http://idp.example.com/token"}), ("session timeout", {"SessionTimeout": 604801}), ("client secret", {"ClientSecret": ""})):
        with pytest.raises(shop.elb.exceptions.ClientError, match=wrong):
            add_rule(shop, provider, 50, "/x", **config)
    assert len(shop.elb.describe_rules(ListenerArn=shop.listener)["Rules"]) == rules
