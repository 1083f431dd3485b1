"""The hosted pages and endpoints of user pools, functions that pools call, and stacks of them."""
import base64
import hashlib
import html
import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest
from botocore.exceptions import ClientError
from cognito import Pool
from support import function_package
from web_tokens import claims_of

BACK = "https://shop.example.com/back"


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


class Browser:
    """Keeps cookies and follows nothing."""

    def __init__(self, base):
        self.base, self.jar = base, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(self.jar))

    def get(self, path, form=None, headers=None):
        url = urllib.parse.urljoin(self.base, path) if path.startswith(("/", "http")) else self.base + "/" + path
        asked = urllib.request.Request(url, data=urllib.parse.urlencode(form).encode() if form is not None else None, headers=headers or {})
        try:
            reply = self.opener.open(asked)
        except urllib.error.HTTPError as error:
            reply = error
        return reply.status, reply.headers, reply.read().decode()


def field(page, name):
    return html.unescape(re.search(f'name="{name}" value="([^"]*)"', page)[1])


def action(page):
    return html.unescape(re.search('action="([^"]*)"', page)[1])


def sign_in(browser, query, name, password="Passw0rd!"):
    status, headers, _ = browser.get("oauth2/authorize?" + urllib.parse.urlencode(query))
    assert status == 302 and "/login?" in headers["location"], (status, headers["location"])
    status, _, page = browser.get(headers["location"])
    assert status == 200
    return browser.get(action(page), {"_csrf": field(page, "_csrf"), "username": name, "password": password})


def query_of(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


@pytest.fixture(scope="module")
def pool(daemon):
    made = Pool(daemon, "hosted", AutoVerifiedAttributes=["email"])
    made.api.create_user_pool_domain(Domain="shop-people", UserPoolId=made.id)
    made.base = daemon.url + "/_aws/cognito-domain/shop-people"
    made.app = made.client(AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["code"], AllowedOAuthScopes=["openid", "email"], CallbackURLs=[BACK], LogoutURLs=["https://shop.example.com/bye"],
                           SupportedIdentityProviders=["COGNITO"])["ClientId"]
    made.user("ann", email="ann@example.com", email_verified="true", name="Ann")
    return made


def test_a_browser_signs_in(daemon, pool):
    browser = Browser(pool.base)
    verifier = "v" * 50
    query = {"response_type": "code", "client_id": pool.app, "redirect_uri": BACK, "scope": "openid email", "state": "s&1", "nonce": "n1", "code_challenge_method": "S256",
             "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")}
    status, _, page = sign_in(browser, query, "ann", "wrong")
    assert status == 200 and "Incorrect username or password." in page
    status, _, page = sign_in(browser, query, "<b>nobody")
    assert status == 200 and "<b>" not in page
    status, headers, _ = sign_in(browser, query, "ann")
    assert status == 302 and headers["location"].startswith(BACK + "?code=") and query_of(headers["location"])["state"] == "s&1"
    code = query_of(headers["location"])["code"]
    # A second time the browser's cookie is enough.
    status, headers, _ = browser.get("oauth2/authorize?" + urllib.parse.urlencode(query))
    again = query_of(headers["location"])["code"]

    def exchange(code, **changed):
        return browser.get("oauth2/token", {"grant_type": "authorization_code", "client_id": pool.app, "code": code, "redirect_uri": BACK, "code_verifier": verifier, **changed})

    assert exchange(again, code_verifier="w" * 50)[0] == 400 and exchange(again)[0] == 400  # used up
    status, _, body = exchange(code)
    tokens = json.loads(body)
    assert status == 200 and claims_of(tokens["id_token"])["nonce"] == "n1" and claims_of(tokens["access_token"])["scope"] == "openid email"
    assert "name" not in claims_of(tokens["id_token"]) and claims_of(tokens["id_token"])["email"] == "ann@example.com"
    assert json.loads(exchange(code)[2]) == {"error": "invalid_grant"}
    status, _, body = browser.get("oauth2/userInfo", headers={"Authorization": "Bearer " + tokens["access_token"]})
    assert status == 200 and json.loads(body) == {"sub": claims_of(tokens["id_token"])["sub"], "email": "ann@example.com", "email_verified": "true", "username": "ann"}
    assert browser.get("oauth2/userInfo", headers={"Authorization": "Bearer x"})[0] == 401
    status, _, body = browser.get("oauth2/token", {"grant_type": "refresh_token", "client_id": pool.app, "refresh_token": tokens["refresh_token"]})
    assert status == 200 and claims_of(json.loads(body)["access_token"])["username"] == "ann"
    assert browser.get("oauth2/revoke", {"token": tokens["refresh_token"], "client_id": pool.app})[0] == 200
    assert json.loads(browser.get("oauth2/token", {"grant_type": "refresh_token", "client_id": pool.app, "refresh_token": tokens["refresh_token"]})[2]) == {"error": "invalid_grant"}
    status, headers, _ = browser.get(f"logout?client_id={pool.app}&logout_uri=https://shop.example.com/bye")
    assert status == 302 and headers["location"] == "https://shop.example.com/bye"
    assert "/login?" in browser.get("oauth2/authorize?" + urllib.parse.urlencode(query))[1]["location"]


def test_nobody_is_sent_elsewhere(pool):
    browser = Browser(pool.base)
    good = {"response_type": "code", "client_id": pool.app, "redirect_uri": BACK, "scope": "openid"}
    assert browser.get("oauth2/authorize?" + urllib.parse.urlencode({**good, "redirect_uri": "https://evil.example.com"}))[0] == 400
    assert browser.get("oauth2/authorize?" + urllib.parse.urlencode({**good, "client_id": "none"}))[0] == 400
    for changed, error in (({"scope": "phone"}, "invalid_scope"), ({"response_type": "token"}, "unauthorized_client"), ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request")):
        assert query_of(browser.get("oauth2/authorize?" + urllib.parse.urlencode({**good, **changed}))[1]["location"])["error"] == error
    # A form of somebody else's page does not sign this browser in.
    assert browser.get("login?" + urllib.parse.urlencode(good), {"_csrf": "x", "username": "ann", "password": "Passw0rd!"})[0] == 403
    assert browser.get(f"logout?client_id={pool.app}&logout_uri=https://evil.example.com")[0] == 400


def test_invited_users_choose_a_password(pool):
    pool.api.admin_create_user(UserPoolId=pool.id, Username="ina", TemporaryPassword="Tempor4ry!", MessageAction="SUPPRESS")
    browser = Browser(pool.base)
    status, _, page = sign_in(browser, {"response_type": "code", "client_id": pool.app, "redirect_uri": BACK, "scope": "openid"}, "ina", "Tempor4ry!")
    assert status == 200 and "new_password" in page
    status, _, again = browser.get(action(page), {"_csrf": field(page, "_csrf"), "step": field(page, "step"), "new_password": "short"})
    assert status == 200 and "Password not long enough" in again
    status, headers, _ = browser.get(action(page), {"_csrf": field(page, "_csrf"), "step": field(page, "step"), "new_password": "Passw0rd!"})
    assert status == 302 and headers["location"].startswith(BACK)


def test_machines_get_tokens(pool):
    pool.api.create_resource_server(UserPoolId=pool.id, Identifier="orders", Name="Orders", Scopes=[{"ScopeName": "read", "ScopeDescription": "r"}, {"ScopeName": "write", "ScopeDescription": "w"}])
    with pytest.raises(pool.api.exceptions.ScopeDoesNotExistException):
        pool.client(GenerateSecret=True, AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["client_credentials"], AllowedOAuthScopes=["orders/none"])
    machine = pool.client(GenerateSecret=True, AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["client_credentials"], AllowedOAuthScopes=["orders/read", "orders/write"])
    basic = {"Authorization": "Basic " + base64.b64encode(f"{machine['ClientId']}:{machine['ClientSecret']}".encode()).decode()}
    browser = Browser(pool.base)
    status, _, body = browser.get("oauth2/token", {"grant_type": "client_credentials", "scope": "orders/read"}, basic)
    claims = claims_of(json.loads(body)["access_token"])
    assert status == 200 and claims["scope"] == "orders/read" and claims["sub"] == claims["client_id"] == machine["ClientId"] and "id_token" not in json.loads(body)
    assert json.loads(browser.get("oauth2/token", {"grant_type": "client_credentials", "scope": "orders/all"}, basic)[2]) == {"error": "invalid_scope"}
    assert json.loads(browser.get("oauth2/token", {"grant_type": "client_credentials", "client_id": machine["ClientId"], "client_secret": "x"})[2]) == {"error": "invalid_client"}


FUNCTION = """
exports.handler = async event => {
  const kind = event.triggerSource.split('_')[0];
  if (kind === 'PreSignUp') {
    if (event.userName === 'refused') throw new Error('not you');
    event.response.autoConfirmUser = event.userName === 'trusted';
  }
  if (kind === 'PreAuthentication' && event.userName === 'late') throw new Error('too late');
  if (kind === 'CustomMessage') { event.response.emailSubject = 'Hello'; event.response.emailMessage = `Dear ${event.request.userAttributes.email}: ${event.request.codeParameter}`; }
  if (kind === 'TokenGeneration') event.response = { claimsOverrideDetails: { claimsToAddOrOverride: { tenant: 'acme', sub: 'forged' }, claimsToSuppress: ['email'] } };
  return event;
};
"""


def test_functions_take_part(daemon):
    functions = daemon.client("lambda")
    arn = functions.create_function(FunctionName="pool-hooks", Runtime="nodejs22.x", Handler="index.handler", Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": function_package(FUNCTION)})["FunctionArn"]
    pool = Pool(daemon, "hooked", AutoVerifiedAttributes=["email"],
                LambdaConfig={name: arn for name in ("PreSignUp", "PreAuthentication", "CustomMessage", "PreTokenGeneration", "PostAuthentication", "PostConfirmation")})
    app = pool.client()["ClientId"]
    with pytest.raises(ClientError, match="UserLambdaValidationException.*PreSignUp failed with error not you."):
        pool.api.sign_up(ClientId=app, Username="refused", Password="Passw0rd!")
    assert pool.api.sign_up(ClientId=app, Username="trusted", Password="Passw0rd!", UserAttributes=[{"Name": "email", "Value": "t@example.com"}])["UserConfirmed"]
    pool.api.sign_up(ClientId=app, Username="late", Password="Passw0rd!", UserAttributes=[{"Name": "email", "Value": "l@example.com"}])
    assert pool.messages()[-1]["subject"] == "Hello" and pool.messages()[-1]["message"] == "Dear l@example.com: " + pool.code()
    pool.api.confirm_sign_up(ClientId=app, Username="late", ConfirmationCode=pool.code())
    with pytest.raises(ClientError, match="UserLambdaValidationException.*PreAuthentication failed with error too late."):
        pool.sign_in(app, "late")
    claims = claims_of(pool.sign_in(app, "trusted")["IdToken"])
    assert claims["tenant"] == "acme" and claims["sub"] != "forged" and "email" not in claims


def test_a_stack_of_user_pools(daemon):
    template = {"Resources": {
        "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {"UsernameAttributes": ["email"], "Schema": [{"Name": "tier", "AttributeDataType": "String", "Mutable": True}],
                                                                 "Policies": {"PasswordPolicy": {"MinimumLength": 10}}}},
        "Orders": {"Type": "AWS::Cognito::UserPoolResourceServer", "Properties": {"UserPoolId": {"Ref": "Pool"}, "Identifier": "orders", "Name": "Orders", "Scopes": [{"ScopeName": "read", "ScopeDescription": "r"}]}},
        "Client": {"Type": "AWS::Cognito::UserPoolClient", "DependsOn": "Orders", "Properties": {"UserPoolId": {"Ref": "Pool"}, "GenerateSecret": True, "AllowedOAuthFlowsUserPoolClient": True,
                                                                                            "AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": ["orders/read"]}},
        "Domain": {"Type": "AWS::Cognito::UserPoolDomain", "Properties": {"UserPoolId": {"Ref": "Pool"}, "Domain": "stack-people"}},
        "Admins": {"Type": "AWS::Cognito::UserPoolGroup", "Properties": {"UserPoolId": {"Ref": "Pool"}, "GroupName": "admins"}},
        "Ann": {"Type": "AWS::Cognito::UserPoolUser", "Properties": {"UserPoolId": {"Ref": "Pool"}, "Username": "ann@example.com", "MessageAction": "SUPPRESS"}},
        "AnnIsAdmin": {"Type": "AWS::Cognito::UserPoolUserToGroupAttachment", "DependsOn": "Admins", "Properties": {"UserPoolId": {"Ref": "Pool"}, "Username": {"Ref": "Ann"}, "GroupName": "admins"}}},
        "Outputs": {name: {"Value": value} for name, value in (("Pool", {"Ref": "Pool"}), ("Arn", {"Fn::GetAtt": ["Pool", "Arn"]}), ("Url", {"Fn::GetAtt": ["Pool", "ProviderURL"]}),
                                                                ("Secret", {"Fn::GetAtt": ["Client", "ClientSecret"]}))}}
    stacks, api = daemon.client("cloudformation"), daemon.client("cognito-idp")
    stacks.create_stack(StackName="people", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="people", WaiterConfig={"Delay": 1})
    out = {one["OutputKey"]: one["OutputValue"] for one in stacks.describe_stacks(StackName="people")["Stacks"][0]["Outputs"]}
    assert out["Url"] == f"https://cognito-idp.us-east-1.amazonaws.com/{out['Pool']}" and out["Arn"].endswith("userpool/" + out["Pool"]) and len(out["Secret"]) == 51
    assert len(api.list_users_in_group(UserPoolId=out["Pool"], GroupName="admins")["Users"]) == 1
    template["Resources"]["Pool"]["Properties"]["Policies"]["PasswordPolicy"]["MinimumLength"] = 12
    stacks.update_stack(StackName="people", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_update_complete").wait(StackName="people", WaiterConfig={"Delay": 1})
    assert api.describe_user_pool(UserPoolId=out["Pool"])["UserPool"]["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    stacks.delete_stack(StackName="people")
    stacks.get_waiter("stack_delete_complete").wait(StackName="people", WaiterConfig={"Delay": 1})
    with pytest.raises(api.exceptions.ResourceNotFoundException):
        api.describe_user_pool(UserPoolId=out["Pool"])
