"""User pools: users by themselves and by administrators, passwords, codes, tokens."""
import json
import time
import urllib.request

import pytest
from botocore.exceptions import ClientError
from cognito import Pool, Srp, secret_hash, totp
from web_tokens import claims_of, decode


@pytest.fixture(scope="module")
def pool(daemon):
    made = Pool(daemon, "people", AutoVerifiedAttributes=["email"], AliasAttributes=["email"])
    made.app = made.client()["ClientId"]
    return made


def refused(code, text=""):
    return pytest.raises(ClientError, match=rf"\({code}\).*{text}")


def test_a_user_signs_up_and_in(pool):
    api = pool.api
    with refused("InvalidPasswordException", "Password did not conform with policy: Password not long enough"):
        api.sign_up(ClientId=pool.app, Username="ann", Password="Aa1!")
    made = api.sign_up(ClientId=pool.app, Username="ann", Password="Passw0rd!", UserAttributes=[{"Name": "email", "Value": "ann@example.com"}, {"Name": "name", "Value": "Ann"}])
    assert made["UserConfirmed"] is False and made["CodeDeliveryDetails"] == {"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    with refused("UsernameExistsException", "User already exists"):
        api.sign_up(ClientId=pool.app, Username="Ann", Password="Passw0rd!")
    with refused("UserNotConfirmedException", "User is not confirmed."):
        pool.sign_in(pool.app, "ann")
    with refused("CodeMismatchException", "Invalid verification code provided, please try again."):
        api.confirm_sign_up(ClientId=pool.app, Username="ann", ConfirmationCode="x")
    api.resend_confirmation_code(ClientId=pool.app, Username="ann")
    api.confirm_sign_up(ClientId=pool.app, Username="ann", ConfirmationCode=pool.code())
    with refused("NotAuthorizedException", "User cannot be confirmed. Current status is CONFIRMED"):
        api.confirm_sign_up(ClientId=pool.app, Username="ann", ConfirmationCode="123456")
    with refused("NotAuthorizedException", "Incorrect username or password."):
        pool.sign_in(pool.app, "ann", "Passw0rd?")
    tokens = pool.sign_in(pool.app, "ann@example.com")
    access, identity = claims_of(tokens["AccessToken"]), claims_of(tokens["IdToken"])
    assert access["token_use"] == "access" and access["client_id"] == pool.app and access["username"] == "ann" and access["scope"] == "aws.cognito.signin.user.admin"
    assert identity["aud"] == pool.app and identity["email"] == "ann@example.com" and identity["email_verified"] is True and identity["cognito:username"] == "ann"
    assert access["iss"] == identity["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}" and access["sub"] == identity["sub"] == made["UserSub"]
    assert tokens["ExpiresIn"] == 3600 == access["exp"] - access["iat"] and tokens["TokenType"] == "Bearer"
    shown = api.get_user(AccessToken=tokens["AccessToken"])
    assert shown["Username"] == "ann" and {"Name": "name", "Value": "Ann"} in shown["UserAttributes"]
    again = api.initiate_auth(ClientId=pool.app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]})["AuthenticationResult"]
    assert "RefreshToken" not in again and claims_of(again["AccessToken"])["origin_jti"] == access["origin_jti"]
    # A token of another pool's key, or changed, is none.
    head, claims, signature = tokens["AccessToken"].split(".")
    with refused("NotAuthorizedException", "Invalid Access Token"):
        api.get_user(AccessToken=f"{head}.{claims}.{signature[:-8]}AAAAAAAA")
    api.revoke_token(ClientId=pool.app, Token=tokens["RefreshToken"])
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        api.get_user(AccessToken=again["AccessToken"])
    with refused("NotAuthorizedException", "Refresh Token has been revoked"):
        api.initiate_auth(ClientId=pool.app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]})


def test_keys_are_published(daemon, pool):
    keys = json.load(urllib.request.urlopen(f"{daemon.url}/{pool.id}/.well-known/jwks.json"))["keys"]
    asked = urllib.request.Request(f"{daemon.url}/{pool.id}/.well-known/openid-configuration", headers={"Host": "cognito-idp.us-east-1.amazonaws.com"})
    assert json.load(urllib.request.urlopen(asked))["issuer"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    pool.user("keys")
    token = pool.sign_in(pool.app, "keys")["IdToken"]
    assert keys[0]["kid"] == decode(token.split(".")[0])["kid"] and keys[0]["alg"] == "RS256" and keys[0]["e"] == "AQAB"


def test_passwords_without_sending_them(pool):
    pool.user("srp", "Secret-1!")

    def sign_in(password, name="srp"):
        srp = Srp(pool.id)
        started = pool.api.initiate_auth(ClientId=pool.app, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": name, "SRP_A": f"{srp.public:x}"})
        assert started["ChallengeName"] == "PASSWORD_VERIFIER"
        return pool.api.respond_to_auth_challenge(ClientId=pool.app, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=srp.answer(started["ChallengeParameters"], password))

    assert claims_of(sign_in("Secret-1!")["AuthenticationResult"]["AccessToken"])["username"] == "srp"
    with refused("NotAuthorizedException", "Incorrect username or password."):
        sign_in("Secret-1?")
    with refused("UserNotFoundException", "User does not exist."):
        sign_in("Secret-1!", "nobody")


def test_temporary_passwords(pool):
    api = pool.api
    made = api.admin_create_user(UserPoolId=pool.id, Username="tom", UserAttributes=[{"Name": "email", "Value": "tom@example.com"}], TemporaryPassword="Tempor4ry!")["User"]
    assert made["UserStatus"] == "FORCE_CHANGE_PASSWORD" and "Tempor4ry!" in pool.messages()[-1]["message"]
    with refused("UsernameExistsException", "User account already exists"):
        api.admin_create_user(UserPoolId=pool.id, Username="tom")
    started = api.admin_initiate_auth(UserPoolId=pool.id, ClientId=pool.app, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "tom", "PASSWORD": "Tempor4ry!"})
    assert started["ChallengeName"] == "NEW_PASSWORD_REQUIRED" and json.loads(started["ChallengeParameters"]["userAttributes"])["email"] == "tom@example.com"
    with refused("NotAuthorizedException", "Invalid session for the user"):
        api.respond_to_auth_challenge(ClientId=pool.app, ChallengeName="NEW_PASSWORD_REQUIRED", Session="a" * 20, ChallengeResponses={"USERNAME": "tom", "NEW_PASSWORD": "Passw0rd!"})
    done = api.respond_to_auth_challenge(ClientId=pool.app, ChallengeName="NEW_PASSWORD_REQUIRED", Session=started["Session"], ChallengeResponses={"USERNAME": "tom", "NEW_PASSWORD": "Passw0rd!", "userAttributes.name": "Tom"})
    assert claims_of(done["AuthenticationResult"]["IdToken"])["name"] == "Tom"
    assert api.admin_get_user(UserPoolId=pool.id, Username="tom")["UserStatus"] == "CONFIRMED"
    # A session is good for one new password.
    with refused("NotAuthorizedException"):
        api.respond_to_auth_challenge(ClientId=pool.app, ChallengeName="NEW_PASSWORD_REQUIRED", Session=started["Session"], ChallengeResponses={"USERNAME": "tom", "NEW_PASSWORD": "Passw0rd?"})


def test_forgotten_and_changed_passwords(pool):
    api = pool.api
    pool.user("fay", email="fay@example.com", email_verified="true")
    assert api.forgot_password(ClientId=pool.app, Username="fay")["CodeDeliveryDetails"]["AttributeName"] == "email"
    code = pool.code()
    for _ in range(5):
        with refused("CodeMismatchException"):
            api.confirm_forgot_password(ClientId=pool.app, Username="fay", ConfirmationCode="1", Password="Changed-1!")
    with refused("LimitExceededException", "Attempt limit exceeded, please try after some time."):
        api.confirm_forgot_password(ClientId=pool.app, Username="fay", ConfirmationCode=code, Password="Changed-1!")
    api.forgot_password(ClientId=pool.app, Username="fay")
    api.confirm_forgot_password(ClientId=pool.app, Username="fay", ConfirmationCode=pool.code(), Password="Changed-1!")
    token = pool.sign_in(pool.app, "fay", "Changed-1!")["AccessToken"]
    with refused("NotAuthorizedException", "Incorrect username or password."):
        api.change_password(AccessToken=token, PreviousPassword="wrong", ProposedPassword="Changed-2!")
    api.change_password(AccessToken=token, PreviousPassword="Changed-1!", ProposedPassword="Changed-2!")
    assert pool.sign_in(pool.app, "fay", "Changed-2!")
    api.global_sign_out(AccessToken=token)
    with refused("NotAuthorizedException", "Access Token has been revoked"):
        api.get_user(AccessToken=token)
    assert api.get_user(AccessToken=pool.sign_in(pool.app, "fay", "Changed-2!")["AccessToken"])["Username"] == "fay"


def test_guesses_lock(pool):
    pool.user("gus")
    for _ in range(5):
        with refused("NotAuthorizedException", "Incorrect username or password."):
            pool.sign_in(pool.app, "gus", "wrong")
    with refused("NotAuthorizedException", "Password attempts exceeded"):
        pool.sign_in(pool.app, "gus")


def test_attributes(pool):
    api = pool.api
    api.add_custom_attributes(UserPoolId=pool.id, CustomAttributes=[{"Name": "shoe", "AttributeDataType": "Number", "Mutable": True, "NumberAttributeConstraints": {"MaxValue": "60"}}])
    pool.user("amy", email="amy@example.com", email_verified="true")
    token = pool.sign_in(pool.app, "amy")["AccessToken"]
    api.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "custom:shoe", "Value": "41"}])
    assert claims_of(pool.sign_in(pool.app, "amy")["IdToken"])["custom:shoe"] == "41"
    for name, value, code in (("custom:shoe", "61", "InvalidParameterException"), ("custom:hat", "x", "InvalidParameterException"), ("email_verified", "true", "NotAuthorizedException"), ("email", "no", "InvalidParameterException")):
        with refused(code):
            api.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": name, "Value": value}])
    sent = api.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "email", "Value": "amy@example.org"}])["CodeDeliveryDetailsList"]
    assert [one["AttributeName"] for one in sent] == ["email"]
    api.verify_user_attribute(AccessToken=token, AttributeName="email", Code=pool.code())
    assert pool.sign_in(pool.app, "amy@example.org")
    with refused("AliasExistsException"):
        pool.user("amy2")
        api.admin_update_user_attributes(UserPoolId=pool.id, Username="amy2", UserAttributes=[{"Name": "email", "Value": "amy@example.org"}])
    api.delete_user_attributes(AccessToken=token, UserAttributeNames=["custom:shoe"])
    found = api.list_users(UserPoolId=pool.id, Filter='email = "amy@example.org"')["Users"]
    assert [user["Username"] for user in found] == ["amy"] and not [one for one in found[0]["Attributes"] if one["Name"] == "custom:shoe"]
    assert [user["Username"] for user in api.list_users(UserPoolId=pool.id, Filter='username ^= "amy"')["Users"]] == ["amy", "amy2"]
    with refused("InvalidParameterException"):
        api.list_users(UserPoolId=pool.id, Filter='custom:shoe = "1"')
    pages = list(api.get_paginator("list_users").paginate(UserPoolId=pool.id, PaginationConfig={"PageSize": 2}))
    assert len(pages) > 1 and sum(len(page["Users"]) for page in pages) == len(api.list_users(UserPoolId=pool.id)["Users"])


def test_groups_and_states(pool):
    api = pool.api
    pool.user("gil")
    api.create_group(UserPoolId=pool.id, GroupName="admins", Precedence=1)
    with refused("GroupExistsException"):
        api.create_group(UserPoolId=pool.id, GroupName="admins")
    api.admin_add_user_to_group(UserPoolId=pool.id, Username="gil", GroupName="admins")
    with refused("ResourceNotFoundException", "Group not found."):
        api.admin_add_user_to_group(UserPoolId=pool.id, Username="gil", GroupName="none")
    token = pool.sign_in(pool.app, "gil")
    assert claims_of(token["IdToken"])["cognito:groups"] == claims_of(token["AccessToken"])["cognito:groups"] == ["admins"]
    assert [user["Username"] for user in api.list_users_in_group(UserPoolId=pool.id, GroupName="admins")["Users"]] == ["gil"]
    api.admin_disable_user(UserPoolId=pool.id, Username="gil")
    with refused("NotAuthorizedException", "User is disabled."):
        pool.sign_in(pool.app, "gil")
    with refused("NotAuthorizedException"):
        api.get_user(AccessToken=token["AccessToken"])
    api.admin_enable_user(UserPoolId=pool.id, Username="gil")
    assert pool.sign_in(pool.app, "gil")
    api.admin_delete_user(UserPoolId=pool.id, Username="gil")
    with refused("UserNotFoundException", "User does not exist."):
        api.admin_get_user(UserPoolId=pool.id, Username="gil")


def test_clients_with_secrets_and_hidden_users(pool):
    api, client = pool.api, pool.client(GenerateSecret=True, PreventUserExistenceErrors="ENABLED", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    pool.user("sue")
    id, secret = client["ClientId"], client["ClientSecret"]

    def sign_in(name, **more):
        return api.initiate_auth(ClientId=id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": "Passw0rd!", **more})

    with refused("NotAuthorizedException", "SECRET_HASH was not received"):
        sign_in("sue")
    with refused("NotAuthorizedException"):
        sign_in("sue", SECRET_HASH=secret_hash(id, "wrong", "sue"))
    assert sign_in("sue", SECRET_HASH=secret_hash(id, secret, "sue"))["AuthenticationResult"]
    with refused("NotAuthorizedException", "Incorrect username or password."):
        sign_in("nobody", SECRET_HASH=secret_hash(id, secret, "nobody"))
    with refused("InvalidParameterException", "USER_SRP_AUTH flow not enabled for this client"):
        api.initiate_auth(ClientId=id, AuthFlow="USER_SRP_AUTH", AuthParameters={"USERNAME": "sue", "SRP_A": "2"})
    with refused("ResourceNotFoundException", "User pool client none does not exist."):
        api.initiate_auth(ClientId="none", AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "a", "PASSWORD": "b"})


def test_authenticator_apps(daemon):
    pool = Pool(daemon, "careful")
    app = pool.client()["ClientId"]
    pool.api.set_user_pool_mfa_config(UserPoolId=pool.id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="ON")
    pool.user("mia")

    def start():
        return pool.api.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "mia", "PASSWORD": "Passw0rd!"})

    setup = start()
    assert setup["ChallengeName"] == "MFA_SETUP"
    with refused("NotAuthorizedException"):
        pool.api.respond_to_auth_challenge(ClientId=app, ChallengeName="MFA_SETUP", Session=setup["Session"], ChallengeResponses={"USERNAME": "mia"})
    associated = pool.api.associate_software_token(Session=setup["Session"])
    with refused("EnableSoftwareTokenMFAException", "Code mismatch"):
        pool.api.verify_software_token(Session=associated["Session"], UserCode="000000")
    verified = pool.api.verify_software_token(Session=associated["Session"], UserCode=totp(associated["SecretCode"], time.time()))
    done = pool.api.respond_to_auth_challenge(ClientId=app, ChallengeName="MFA_SETUP", Session=verified["Session"], ChallengeResponses={"USERNAME": "mia"})
    assert done["AuthenticationResult"]["AccessToken"]
    asked = start()
    assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    with refused("CodeMismatchException"):
        pool.api.respond_to_auth_challenge(ClientId=app, ChallengeName="SOFTWARE_TOKEN_MFA", Session=asked["Session"], ChallengeResponses={"USERNAME": "mia", "SOFTWARE_TOKEN_MFA_CODE": "000000"})
    done = pool.api.respond_to_auth_challenge(ClientId=app, ChallengeName="SOFTWARE_TOKEN_MFA", Session=asked["Session"],
                                              ChallengeResponses={"USERNAME": "mia", "SOFTWARE_TOKEN_MFA_CODE": totp(associated["SecretCode"], time.time())})
    assert done["AuthenticationResult"]["AccessToken"]


def test_users_survive_a_crash(new_daemon):
    daemon = new_daemon()
    pool = Pool(daemon, "durable", UsernameAttributes=["email"])
    app = pool.client()["ClientId"]
    pool.user("ann@example.com")
    tokens = pool.sign_in(app, "ann@example.com")
    daemon.kill()
    daemon.start()
    pool.api = daemon.client("cognito-idp")
    assert claims_of(pool.sign_in(app, "ANN@example.com")["IdToken"])["email"] == "ann@example.com"
    assert pool.api.get_user(AccessToken=tokens["AccessToken"])["Username"] == claims_of(tokens["AccessToken"])["sub"]
    assert pool.api.initiate_auth(ClientId=app, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]})["AuthenticationResult"]
