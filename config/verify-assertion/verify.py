"""Verifies X-Linkgate-Assertion with PyJWT: python verify.py JWKS_FILE ISSUER AUDIENCE METHOD PATH < TOKEN"""

import json
import sys

import jwt


def verify(token, jwks, issuer, audience, method, path):
    """The claims, or an exception. `jwks`: the keys as linkgate shows them; read them again for an unknown `kid`."""
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(key for key in jwks["keys"] if key["kid"] == kid)
    claims = jwt.decode(
        token,
        jwt.PyJWK(key, algorithm="ES256"),
        algorithms=["ES256"],  # never what the token says
        issuer=issuer,
        audience=audience,
        options={"require": ["iss", "aud", "exp", "method", "path"]},
    )
    # It is for this one request: the path as it came over the wire, without the query, not decoded.
    if (claims["method"], claims["path"]) != (method, path):
        raise ValueError("the assertion is for another request")
    return claims


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        keys = json.load(file)
    print(verify(sys.stdin.read().strip(), keys, *sys.argv[2:6])["sub"])
