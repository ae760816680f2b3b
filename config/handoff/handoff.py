"""The application's side of linkgate's signed hand-off. Python 3.8 or newer, nothing else."""

import base64
import hashlib
import hmac
import json
import sys
import time
from urllib.parse import parse_qs


def way_back(secret, query, sub, name, auth_time, now=None):
    """For a user who entered the password at auth_time: the URL to redirect the browser to. ValueError: not a request of
    linkgate's, or the user must sign in again."""
    now = int(time.time()) if now is None else now
    sign = lambda what, text: hmac.new(secret.encode(), f"{what}.{text}".encode(), hashlib.sha256).hexdigest()
    given = parse_qs(query)
    request, signature = given.get("lg_request", [""])[0], given.get("lg_sig", [""])[0]
    if not hmac.compare_digest(sign("lg_request", request).encode(), signature.encode()):
        raise ValueError("not signed by linkgate")
    asked = json.loads(base64.urlsafe_b64decode(request + "=" * (-len(request) % 4)))
    if asked["exp"] <= now:
        raise ValueError("too late")
    if asked["fresh"] and auth_time < asked["iat"]:
        raise ValueError("sign in again")
    answer = {"jti": asked["jti"], "sub": sub, "name": name, "iat": now, "exp": now + 60, "auth_time": auth_time}
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(text).rstrip(b"=").decode()
    return f"{asked['return_to']}?lg_answer={text}&lg_sig={sign('lg_answer', text)}"


if __name__ == "__main__":
    secret, now, query, sub, name, auth_time = sys.argv[1:]
    try:
        print(way_back(secret, query, sub, name, int(auth_time), int(now)))
    except ValueError as why:
        sys.exit(str(why))
