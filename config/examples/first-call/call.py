"""A consumer that gets a user's approval and then makes a signed call: python3 call.py [BASE] [PATH]

It signs with HMAC-SHA1 (RFC 5849) and the secret in bitbucket.secret, and needs nothing but Python.
"""

import base64
import hashlib
import hmac
import secrets
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qsl, quote
from urllib.request import Request, urlopen

BASE = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9080"
PATH = sys.argv[2] if len(sys.argv) > 2 else "/"
CONSUMER_KEY = "bitbucket"
CONSUMER_SECRET = Path(__file__).with_name("bitbucket.secret").read_text().strip()


def encode(text):
    """Percent-encoding (RFC 5849, section 3.6)."""
    return quote(text, safe="~")


def request(method, path, token_secret="", **parameters):
    """Sends a signed request to a path without a query; returns the status and the body of the response."""
    parameters |= {
        "oauth_consumer_key": CONSUMER_KEY,
        "oauth_nonce": secrets.token_hex(16),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_version": "1.0",
    }
    pairs = sorted((encode(name), encode(value)) for name, value in parameters.items())
    normalized = "&".join(f"{name}={value}" for name, value in pairs)
    base_string = "&".join([method, encode(BASE + path), encode(normalized)])
    key = f"{encode(CONSUMER_SECRET)}&{encode(token_secret)}"
    digest = hmac.new(key.encode(), base_string.encode(), hashlib.sha1).digest()
    parameters["oauth_signature"] = base64.b64encode(digest).decode()
    header = ", ".join(f'{name}="{encode(value)}"' for name, value in parameters.items())
    try:
        response = urlopen(Request(BASE + path, method=method, headers={"Authorization": f"OAuth {header}"}))
    except HTTPError as error:
        response = error
    return response.status, response.read().decode()


def token(path, **parameters):
    """A token and its secret from one of the token endpoints."""
    status, body = request("POST", path, **parameters)
    if status != 200:
        sys.exit(f"{status} {body}")
    values = dict(parse_qsl(body))
    return values["oauth_token"], values["oauth_token_secret"]


request_token, secret = token("/oauth/request-token", oauth_callback="oob")
print(f"Open {BASE}/oauth/authorize?oauth_token={request_token}")
print("Sign in, press Allow, and enter the code of the page here: ", end="", flush=True)
verifier = sys.stdin.readline().strip()
access_token, secret = token(
    "/oauth/access-token", token_secret=secret, oauth_token=request_token, oauth_verifier=verifier
)
status, body = request("GET", PATH, token_secret=secret, oauth_token=access_token)
print(f"\n{status}\n{body}", end="")
sys.exit(0 if status == 200 else 1)
