"""The whole dance with requests-oauthlib, which signs with oauthlib.

usage: dance.py SETTINGS.json     (tests/clients/README.md describes the settings and the output)
"""

import json
import os
import sys
from urllib.parse import parse_qsl

import requests
from oauthlib.oauth1 import SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_BODY, SIGNATURE_TYPE_QUERY
from requests_oauthlib import OAuth1, OAuth1Session

from approval import approve

CLIENT = "python"
# Signed requests that were made before are sent without a look at the environment.
VERIFY = os.environ.get("REQUESTS_CA_BUNDLE", True)
PLACEMENTS = {
    "header": SIGNATURE_TYPE_AUTH_HEADER,
    "query": SIGNATURE_TYPE_QUERY,
    "body": SIGNATURE_TYPE_BODY,
}


def report(step, **more):
    """Prints one line of the result."""
    print(json.dumps({"client": CLIENT, "step": step, **more}, ensure_ascii=False), flush=True)


def require(fact, step, **more):
    """Reports a step, and ends the program when it went wrong."""
    report(step, ok=bool(fact), **more)
    if not fact:
        sys.exit(1)


class Dance:
    """One consumer that connects one user."""

    def __init__(self, settings):
        self.settings = settings
        self.base = settings["base"]
        self.callback = settings["callback"]
        self.keys = {"client_key": settings["consumer_key"]}
        if "private_key_file" in settings:
            with open(settings["private_key_file"], encoding="ascii") as file:
                self.keys["rsa_key"] = file.read()
        else:
            self.keys["client_secret"] = settings["shared_secret"]
        self.keys["signature_method"] = settings["method"]
        self.placement = PLACEMENTS[settings["placement"]]

    def connect(self):
        """Request token, approval, access token."""
        session = OAuth1Session(callback_uri=self.callback, signature_type=self.placement, **self.keys)
        asked = session.fetch_request_token(self.base + "/oauth/request-token")
        require(asked.get("oauth_callback_confirmed") == "true", "request token")
        page = session.authorization_url(self.base + "/oauth/authorize")
        back = approve(page, self.callback, self.settings["user"], self.settings["password"])
        answer = session.parse_authorization_response(back)
        require(answer["oauth_token"] == asked["oauth_token"] and answer["oauth_verifier"], "approval")
        require(back.startswith(self.callback), "callback kept its own query")
        granted = session.fetch_access_token(self.base + "/oauth/access-token")
        require(granted["oauth_token"] and granted["oauth_token_secret"], "access token")
        self.token = {
            "resource_owner_key": granted["oauth_token"],
            "resource_owner_secret": granted["oauth_token_secret"],
        }

    def signed(self, case, token):
        """A prepared request. A GET has no body that parameters could stand in, so there they go to the header."""
        placement = self.placement
        if placement == SIGNATURE_TYPE_BODY and case["method"] == "GET":
            placement = SIGNATURE_TYPE_AUTH_HEADER
        auth = OAuth1(signature_type=placement, **self.keys, **token)
        form = [tuple(pair) for pair in case["form"]] if "form" in case else None
        request = requests.Request(case["method"], self.base + case["target"], data=form, auth=auth)
        return request.prepare()

    def call(self, case, token, user):
        """One guarded call: the application must have seen what we meant, and whom."""
        sent = self.signed(case, token)
        with requests.Session() as http:
            answer = http.send(sent, allow_redirects=False, verify=VERIFY)
        if answer.status_code != 200:
            require(False, case["name"], status=answer.status_code, answer=answer.text)
        seen = answer.json()
        meant = {
            "method": case["method"],
            "target": sent.path_url,
            "user": [user],
            "query": case["query"],
            "form": case.get("form", []),
            "authorization": [],
        }
        got = {
            "method": seen["method"],
            "target": seen["target"],
            "user": seen["headers"].get("remote-user", []),
            "query": without_oauth(seen["query"]),
            "form": without_oauth(seen["form"]),
            "authorization": seen["headers"].get("authorization", []),
        }
        require(got == meant, case["name"], **({} if got == meant else {"got": got, "meant": meant}))
        return sent

    def replay(self, sent):
        """The same bytes once more."""
        with requests.Session() as http:
            answer = http.send(sent, allow_redirects=False, verify=VERIFY)
        problem = dict(parse_qsl(answer.text)).get("oauth_problem")
        challenge = answer.headers.get("WWW-Authenticate", "")
        require(
            answer.status_code == 401 and problem == "nonce_used" and 'oauth_problem="nonce_used"' in challenge,
            "replay",
            status=answer.status_code,
            problem=problem,
        )
        body = sent.body.decode() if isinstance(sent.body, bytes) else sent.body
        headers = {
            name: value.decode() if isinstance(value, bytes) else value
            for name, value in sent.headers.items()
            if name in ("Authorization", "Content-Type")
        }
        report("replayable", ok=True, method=sent.method, target=sent.path_url, headers=headers, body=body)


def without_oauth(pairs):
    """The application's own pairs: in the query and body placements the protocol's stand beside them."""
    return [pair for pair in pairs if not pair[0].startswith("oauth_")]


def main():
    """Reads the settings and dances."""
    with open(sys.argv[1], encoding="utf-8") as file:
        settings = json.load(file)
    with open(settings["cases"], encoding="utf-8") as file:
        cases = json.load(file)
    dance = Dance(settings)
    dance.connect()
    for case in cases:
        unfit = case.get("unfit", {})
        reason = unfit.get(CLIENT) or unfit.get(f"{CLIENT}/{settings['placement']}")
        if reason:
            report(case["name"], ok=True, skipped=reason)
        else:
            dance.call(case, dance.token, settings["user"])
    if "two_legged_user" in settings:
        two_legged = {"name": "two-legged call", "method": "GET", "target": "/api/echo?a=1", "query": [["a", "1"]]}
        dance.call(two_legged, {}, settings["two_legged_user"])
    last = {"name": "the call to replay", "method": "GET", "target": "/api/echo?last=1", "query": [["last", "1"]]}
    dance.replay(dance.call(last, dance.token, settings["user"]))


if __name__ == "__main__":
    main()
