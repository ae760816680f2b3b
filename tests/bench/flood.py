"""Floods linkgate over four connections until it is ended; then prints the answers a second, by status.

usage: flood.py BASE (passwords | forms | large-forms)
"""

import http.client
import re
import signal
import sys
import threading
import time
from collections import Counter
from random import getrandbits
from urllib.parse import urlencode, urlsplit

FORM = "application/x-www-form-urlencoded"


def wrong_password(connection):
    """The sign-in form once, and then other names in it."""
    connection.request("GET", "/oauth/login")
    answer = connection.getresponse()
    cookie = "; ".join(line.split(";")[0] for line in answer.headers.get_all("Set-Cookie", []))
    page = answer.read().decode()
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    assert hidden, page

    def request():
        names = {name: f"nobody-{getrandbits(64)}" for name in re.findall(r'<input[^>]* name="(username|password)"', page)}
        address = ".".join(str(10 + getrandbits(7)) for _ in range(4))
        headers = {"Content-Type": FORM, "Cookie": cookie, "X-Forwarded-For": address}
        return "POST", "/oauth/login", urlencode({**hidden, **names}), headers

    return request


def false_signature(size):
    """A form that was not signed, each time with another nonce."""
    body = "a=" + "b" * size

    def request():
        oauth = {
            "oauth_consumer_key": "ck",
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D",
            "oauth_timestamp": int(time.time()),
            "oauth_nonce": getrandbits(64),
        }
        header = "OAuth " + ", ".join(f'{name}="{value}"' for name, value in oauth.items())
        return "POST", "/protected", body, {"Content-Type": FORM, "Authorization": header}

    return request


def flood(base, kind, answers):
    """One connection's part."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc)
    request = wrong_password(connection) if kind == "passwords" else false_signature(15_000 if kind == "forms" else 1_000_000)
    while True:
        try:
            connection.request(*request())
            answer = connection.getresponse()
            answer.read()
            answers[answer.status] += 1
        except (http.client.HTTPException, OSError):
            answers["cut"] += 1
            connection.close()


def main():
    """Starts the connections, and waits for the end."""
    base, kind = sys.argv[1:]
    answers, began = Counter(), time.monotonic()

    def end(*_):
        seconds = time.monotonic() - began
        print(", ".join(f"{status}: {count / seconds:.0f}" for status, count in answers.items()) or "none", flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    for _ in range(4):
        threading.Thread(target=flood, args=(base, kind, answers), daemon=True).start()
    signal.pause()


if __name__ == "__main__":
    main()
