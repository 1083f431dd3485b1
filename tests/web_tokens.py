"""Keys and RS256 tokens for tests, by the openssl command."""
import base64
import json
import re
import subprocess


def encode(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def claims_of(token):
    return decode(token.split(".")[1])


class Key:
    def __init__(self, folder, name):
        self.name, self.path = name, folder / f"{name}.pem"
        subprocess.run(["openssl", "genrsa", "-out", self.path, "2048"], check=True, capture_output=True)
        text = subprocess.run(["openssl", "rsa", "-in", self.path, "-modulus", "-noout"], check=True, capture_output=True, text=True).stdout
        modulus = bytes.fromhex(re.search("Modulus=([0-9A-F]+)", text)[1])
        self.json = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": encode(modulus), "e": "AQAB"}

    def sign(self, claims, **head):
        text = encode({"alg": "RS256", "kid": self.name, **head}) + "." + encode(claims)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=text.encode(), check=True, capture_output=True)
        return text + "." + encode(done.stdout)
