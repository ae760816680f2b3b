"""Connects alice, and prints her access token and its secret.

usage: connect.py BASE CONSUMER_KEY (SHARED_SECRET | PRIVATE_KEY.pem)
"""

import pathlib
import sys

from oauthlib.oauth1 import SIGNATURE_HMAC, SIGNATURE_RSA
from requests_oauthlib import OAuth1Session

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "clients" / "python"))

from approval import approve  # noqa: E402

CALLBACK = "http://127.0.0.1:1/back"


def main():
    """Request token, approval, access token."""
    base, key, credential = sys.argv[1:]
    if credential.endswith(".pem"):
        keys = {"signature_method": SIGNATURE_RSA, "rsa_key": pathlib.Path(credential).read_text(encoding="ascii")}
    else:
        keys = {"signature_method": SIGNATURE_HMAC, "client_secret": credential}
    session = OAuth1Session(key, callback_uri=CALLBACK, **keys)
    session.fetch_request_token(base + "/oauth/request-token")
    page = session.authorization_url(base + "/oauth/authorize")
    session.parse_authorization_response(approve(page, CALLBACK, "alice", "alice-password"))
    granted = session.fetch_access_token(base + "/oauth/access-token")
    print(granted["oauth_token"], granted["oauth_token_secret"])


if __name__ == "__main__":
    main()
