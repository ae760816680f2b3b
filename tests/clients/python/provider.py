"""An OAuth 1.0a provider whose OAuth part is oauthlib's: linkgate is its consumer.

usage: provider.py SETTINGS.json     {"consumer_key": "...", "public_key": "<bare base64>", "callback": "..."}
Prints {"port": N} when it listens. Every user who comes to the authorize page says yes.
"""

import base64
import json
import sys
import textwrap
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from oauthlib.oauth1 import RequestValidator, WebApplicationServer
from oauthlib.oauth1.rfc5849 import SIGNATURE_RSA
from oauthlib.oauth1.rfc5849.endpoints import SignatureOnlyEndpoint

ENDPOINTS = "/plugins/servlet/oauth"


class Validator(RequestValidator):
    """Keeps everything in memory. RSA-SHA1 alone, as AppLinks providers do."""

    def __init__(self, settings):
        super().__init__()
        self.consumer_key = settings["consumer_key"]
        self.callback = settings["callback"]
        der = base64.b64decode(settings["public_key"])
        lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
        self.public_key = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
        self.requests, self.verifiers, self.tokens, self.seen = {}, {}, {}, set()

    allowed_signature_methods = (SIGNATURE_RSA,)
    enforce_ssl = False
    # The consumer's clock is a test's.
    timestamp_lifetime = 10**9
    dummy_client = dummy_request_token = dummy_access_token = "dummy-dummy-dummy-dummy"
    nonce_length = (8, 64)

    def check_client_key(self, client_key):
        return True

    def validate_client_key(self, client_key, request):
        return client_key == self.consumer_key

    def get_rsa_key(self, client_key, request):
        return self.public_key

    def get_client_secret(self, client_key, request):
        return ""

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        key = (timestamp, nonce, request_token, access_token)
        fresh = key not in self.seen
        self.seen.add(key)
        return fresh

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def get_default_realms(self, client_key, request):
        return []

    def get_realms(self, token, request):
        return []

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri == self.callback

    def get_redirect_uri(self, token, request):
        return self.callback

    def save_request_token(self, token, request):
        self.requests[token["oauth_token"]] = token["oauth_token_secret"]

    def verify_request_token(self, token, request):
        return token in self.requests

    def save_verifier(self, token, verifier, request):
        self.verifiers[token] = verifier["oauth_verifier"]

    def validate_verifier(self, client_key, token, verifier, request):
        return self.verifiers.get(token) == verifier

    def validate_request_token(self, client_key, token, request):
        return token in self.requests

    def get_request_token_secret(self, client_key, token, request):
        return self.requests.get(token, "")

    def invalidate_request_token(self, client_key, request_token, request):
        self.requests.pop(request_token, None)

    def save_access_token(self, token, request):
        self.tokens[token["oauth_token"]] = token["oauth_token_secret"]

    def validate_access_token(self, client_key, token, request):
        return token in self.tokens

    def get_access_token_secret(self, client_key, token, request):
        return self.tokens.get(token, "")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def serve(self, method):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode("latin-1")
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self.chunks()
        if self.path == "/control/revoke":
            self.server.validator.tokens.clear()
            return self.answer(200, {}, "")
        uri = f"http://{self.headers['Host']}{self.path}"
        headers = dict(self.headers.items())
        path = self.path.split("?")[0]
        oauth = self.server.oauth
        if path == f"{ENDPOINTS}/request-token":
            return self.token(*oauth.create_request_token_response(uri, method, body, headers))
        if path == f"{ENDPOINTS}/access-token":
            return self.token(*oauth.create_access_token_response(uri, method, body, headers))
        if path == f"{ENDPOINTS}/authorize":
            headers, _, status = oauth.create_authorization_response(uri, method, body, headers, credentials={})
            return self.answer(status, headers, "")
        self.protected(uri, method, body, headers)

    def chunks(self):
        text = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            text += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return text.decode("latin-1")

    def token(self, headers, body, status):
        self.answer(status, headers, body or "")

    def protected(self, uri, method, body, headers):
        is_form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        signed = body if is_form else ""
        two_legged = 'oauth_token=""' in self.headers.get("Authorization", "")
        if two_legged:
            valid, _ = self.server.two_legged.validate_request(uri, method, signed, headers)
            problem = "signature_invalid"
        else:
            valid, request = self.server.oauth.validate_protected_resource_request(uri, method, signed, headers)
            known = request is not None and request.validator_log.get("resource_owner", False)
            problem = "signature_invalid" if known else "token_rejected"
        if not valid:
            return self.answer(401, {"WWW-Authenticate": f'OAuth realm="oauthlib", oauth_problem="{problem}"'}, "")
        said = {"target": self.path, "method": method, "body": body, "two_legged": two_legged}
        self.answer(200, {"Content-Type": "application/json"}, json.dumps(said))

    def answer(self, status, headers, body):
        data = body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        validator = Validator(json.load(file))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.validator = validator
    server.oauth = WebApplicationServer(validator)
    server.two_legged = SignatureOnlyEndpoint(validator)
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    server.serve_forever()


main()
