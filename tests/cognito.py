"""User pools for tests: made through the API, with the codes that would be mailed."""
import base64
import hashlib
import hmac
import json
import os
import re
from datetime import datetime, timezone

N = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245"
        "E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
        "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9"
        "DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
        "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB31"
        "43DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF", 16)


def pad(value):
    text = value if isinstance(value, str) else f"{value:x}"
    if len(text) % 2:
        text = "0" + text
    elif text[0] in "89abcdefABCDEF":
        text = "00" + text
    return bytes.fromhex(text)


def digest(data):
    return hashlib.sha256(data).digest()


class Srp:
    """The client's side, as the SDKs have it."""

    def __init__(self, pool):
        self.pool, self.secret = pool.split("_", 1)[1], int.from_bytes(os.urandom(128), "big") % N
        self.public = pow(2, self.secret, N)

    def answer(self, challenge, password):
        user, salt, server = challenge["USER_ID_FOR_SRP"], challenge["SALT"], int(challenge["SRP_B"], 16)
        u = int.from_bytes(digest(pad(self.public) + pad(server)), "big")
        x = int.from_bytes(digest(pad(salt) + digest(f"{self.pool}{user}:{password}".encode())), "big")
        k = int.from_bytes(digest(pad(N) + pad(2)), "big")
        shared = pow(server - k * pow(2, x, N), self.secret + u * x, N)
        key = hmac.new(hmac.new(pad(u), pad(shared), hashlib.sha256).digest(), b"Caldera Derived Key\x01", hashlib.sha256).digest()[:16]
        now = datetime.now(timezone.utc)
        timestamp = f"{now:%a %b} {now.day} {now:%H:%M:%S UTC %Y}"
        message = self.pool.encode() + user.encode() + base64.b64decode(challenge["SECRET_BLOCK"]) + timestamp.encode()
        return {"USERNAME": user, "TIMESTAMP": timestamp, "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
                "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()}


def secret_hash(client, secret, name):
    return base64.b64encode(hmac.new(secret.encode(), (name + client).encode(), hashlib.sha256).digest()).decode()


def totp(secret, seconds):
    key, counter = base64.b32decode(secret + "=" * (-len(secret) % 8)), int(seconds) // 30
    mac = hmac.new(key, counter.to_bytes(8, "big"), "sha1").digest()
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7fffffff) % 1000000:06}"


class Pool:
    def __init__(self, daemon, name, **settings):
        self.daemon, self.api = daemon, daemon.client("cognito-idp")
        self.id = self.api.create_user_pool(PoolName=name, **settings)["UserPool"]["Id"]

    def client(self, **settings):
        settings = {"ClientName": "app", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"], **settings}
        return self.api.create_user_pool_client(UserPoolId=self.id, **settings)["UserPoolClient"]

    def user(self, name, password="Passw0rd!", /, **attributes):
        self.api.admin_create_user(UserPoolId=self.id, Username=name, MessageAction="SUPPRESS", UserAttributes=[{"Name": key, "Value": value} for key, value in attributes.items()])
        self.api.admin_set_user_password(UserPoolId=self.id, Username=name, Password=password, Permanent=True)

    def sign_in(self, client, name, password="Passw0rd!"):
        return self.api.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": password})["AuthenticationResult"]

    def messages(self):
        events = self.daemon.client("logs").get_log_events(logGroupName=f"/atoll/cognito/{self.id}", logStreamName="messages", startFromHead=True)["events"]
        return [json.loads(event["message"]) for event in events]

    def code(self):
        """The newest code of six digits."""
        return re.search(r"\b\d{6}\b", self.messages()[-1]["message"])[0]
