"""A small application with a sign-in of its own, which knows nothing of OAuth: for the logins `probe` and `handoff`.

usage: application.py PORT SECRET HANDOFF_FOLDER

/login?from=URL  a form; whoever signs in is who they say they are     /logout  and back to the form
/api/me          {"name", "fullName"} for a session, 401 without       /linkgate-login  the page of the signed hand-off
"""

import html
import json
import secrets
import sys
import time
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

PORT, SECRET, FOLDER = sys.argv[1:]
sys.path.insert(0, FOLDER)
from handoff import way_back  # noqa: E402: what the documentation tells an application to use

SESSIONS = {}


class Application(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        user = self.user()
        if url.path == "/api/me":
            if not user:
                return self.answer(401, "application/json", "{}")
            return self.answer(200, "application/json", json.dumps({"name": user, "fullName": f"{user} of the application"}))
        if url.path == "/logout":
            SESSIONS.pop(self.session(), None)
            return self.answer(303, "text/plain", "", Location="/login")
        if url.path == "/linkgate-login":
            sign_in = f"/login?from={quote(self.path, safe='')}"
            if not user:
                return self.answer(303, "text/plain", "", Location=sign_in)
            try:
                back = way_back(SECRET, url.query, user, f"{user} of the application", self.signed_in()[1])
            except ValueError as why:
                if str(why) == "sign in again":
                    return self.answer(303, "text/plain", "", Location=sign_in)
                return self.answer(403, "text/plain", str(why))
            return self.answer(303, "text/plain", "", Location=back)
        if url.path == "/login":
            there = html.escape(query.get("from", ["/"])[0])
            return self.answer(200, "text/html", f"""<!doctype html><title>Sign in</title><form method="post" action="/login">
<input type="hidden" name="from" value="{there}"><input name="user"><button id="enter">Enter</button></form>""")
        return self.answer(200, "text/html", f"<!doctype html><p id='who'>{html.escape(user or 'nobody')}</p>")

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        there = form.get("from", ["/"])[0]
        # Only addresses of this site: the one that the browser has it under.
        if not there.startswith((f"http://{self.headers['Host']}/", "/")) or there.startswith("//"):
            there = "/"
        session = secrets.token_urlsafe()
        SESSIONS[session] = (form["user"][0], int(time.time()))
        self.answer(303, "text/plain", "", Location=there, Cookie=f"session={session}; Path=/; HttpOnly; SameSite=Lax")

    def session(self):
        found = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        return found.value if found else None

    def signed_in(self):
        """The user, and when they signed in."""
        return SESSIONS.get(self.session(), (None, 0))

    def user(self):
        return self.signed_in()[0]

    def answer(self, status, kind, body, Location=None, Cookie=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        if Location:
            self.send_header("Location", Location)
        if Cookie:
            self.send_header("Set-Cookie", Cookie)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(PORT)), Application)
print("listening", flush=True)
server.serve_forever()
