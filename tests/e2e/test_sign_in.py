"""Users of a user pool sign in at a load balancer, with a cookie jar, and their token opens an API."""
import html
import http.client
import http.cookiejar
import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request

import pytest
from balancers import Balancer
from botocore.exceptions import ClientError
from cognito import Pool
from support import wait_for
from upstream import Upstream
from web_tokens import claims_of


class Browser:
    """Follows redirects and keeps cookies; the balancer's name leads to its address."""

    def __init__(self, balancer, host):
        self.balancer, self.host = balancer, host
        self.jar = http.cookiejar.CookieJar()
        context = ssl._create_unverified_context()

        class Connection(http.client.HTTPSConnection):
            def connect(inner):
                inner.host, name = balancer.address, inner.host
                super().connect()
                inner.host = name

        class Handler(urllib.request.HTTPSHandler):
            def https_open(inner, request):
                return inner.do_open(Connection, request, context=context)

        self.opener = urllib.request.build_opener(Handler(context=context), urllib.request.HTTPCookieProcessor(self.jar))

    def open(self, url, form=None):
        try:
            reply = self.opener.open(url, data=urllib.parse.urlencode(form).encode() if form is not None else None)
        except urllib.error.HTTPError as error:
            reply = error
        return reply.status, reply.url, reply.read().decode()


@pytest.fixture(scope="module")
def shop(daemon):
    pool = Pool(daemon, "shop", AutoVerifiedAttributes=["email"])
    pool.arn = pool.api.describe_user_pool(UserPoolId=pool.id)["UserPool"]["Arn"]
    pool.api.create_user_pool_domain(Domain="shop-door", UserPoolId=pool.id)
    pool.user("ann", email="ann@example.com", email_verified="true")
    acm = daemon.client("acm")
    certificate = acm.request_certificate(DomainName="shop.example.com")["CertificateArn"]
    wait_for(lambda: acm.describe_certificate(CertificateArn=certificate)["Certificate"]["Status"] == "ISSUED", what="certificate")
    with Upstream() as upstream:
        balancer = Balancer(daemon, "shop-door")
        group = balancer.elb.create_target_group(Name="shop-door-g", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip", HealthCheckPath="/health")["TargetGroups"][0]["TargetGroupArn"]
        balancer.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": upstream.port}])
        balancer.listen({"Type": "forward", "TargetGroupArn": group}, Protocol="HTTPS", Certificates=[{"CertificateArn": certificate}])
        balancer.until_healthy(group, 1)
        base = f"https://shop.example.com:{balancer.port}"
        client = pool.client(GenerateSecret=True, AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["code"], AllowedOAuthScopes=["openid", "email"], CallbackURLs=[base + "/oauth2/idpresponse"])
        pool.group, pool.balancer, pool.base, pool.browser_client = group, balancer, base, client["ClientId"]
        yield pool


def actions(shop, client, **config):
    return [{"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolArn": shop.arn, "UserPoolClientId": client, "UserPoolDomain": "shop-door", "Scope": "openid email", **config}},
            {"Type": "forward", "Order": 2, "TargetGroupArn": shop.group}]


def test_users_sign_in_at_the_balancer(shop):
    elb = shop.balancer.elb
    with pytest.raises(ClientError, match="must have a client secret"):
        elb.create_rule(ListenerArn=shop.balancer.listener, Priority=9, Conditions=[{"Field": "path-pattern", "Values": ["/x"]}], Actions=actions(shop, shop.client()["ClientId"]))
    elb.create_rule(ListenerArn=shop.balancer.listener, Priority=1, Conditions=[{"Field": "path-pattern", "Values": ["/private*"]}], Actions=actions(shop, shop.browser_client))
    browser = Browser(shop.balancer, "shop.example.com")
    status, url, page = browser.open(shop.base + "/private?a=1")
    assert status == 200 and "/_aws/cognito-domain/shop-door/login?" in url, (status, url)
    form = {"_csrf": re.search('name="_csrf" value="([^"]*)"', page)[1], "username": "ann", "password": "Passw0rd!"}
    target = urllib.parse.urljoin(url, html.unescape(re.search('action="([^"]*)"', page)[1]))
    assert "Incorrect username or password." in browser.open(target, {**form, "password": "wrong"})[2]
    status, url, page = browser.open(target, form)
    assert status == 200 and url == shop.base + "/private?a=1", (status, url, page)
    headers = json.loads(page)["headers"]
    user = next(one for one in shop.api.admin_get_user(UserPoolId=shop.id, Username="ann")["UserAttributes"] if one["Name"] == "sub")["Value"]
    assert headers["x-amzn-oidc-identity"] == [user] and claims_of(headers["x-amzn-oidc-data"][0])["email"] == "ann@example.com"
    token = headers["x-amzn-oidc-accesstoken"][0]
    assert claims_of(token)["client_id"] == shop.browser_client and claims_of(token)["username"] == "ann"
    # The session goes on; another browser has none.
    assert browser.open(shop.base + "/private/b")[0] == 200
    assert "/login?" in Browser(shop.balancer, "shop.example.com").open(shop.base + "/private")[1]


def test_tokens_of_a_pool_pass_the_balancer(shop):
    elb, issuer = shop.balancer.elb, f"https://cognito-idp.us-east-1.amazonaws.com/{shop.id}"
    elb.create_rule(ListenerArn=shop.balancer.listener, Priority=2, Conditions=[{"Field": "path-pattern", "Values": ["/api*"]}], Actions=[
        {"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": {"JwksEndpoint": issuer + "/.well-known/jwks.json", "Issuer": issuer}}, {"Type": "forward", "Order": 2, "TargetGroupArn": shop.group}])
    token = shop.sign_in(shop.client()["ClientId"], "ann")["AccessToken"]
    browser = Browser(shop.balancer, "shop.example.com")
    assert browser.open(shop.base + "/api")[0] == 401
    browser.opener.addheaders = [("Authorization", "Bearer " + token)]
    assert browser.open(shop.base + "/api")[0] == 200
    head, claims, signature = token.split(".")
    browser.opener.addheaders = [("Authorization", f"Bearer {head}.{claims}.{signature[:-8]}AAAAAAAA")]
    assert browser.open(shop.base + "/api")[0] == 401
