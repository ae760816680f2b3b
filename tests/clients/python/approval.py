"""A browser's part of the dance: whatever forms the pages hold are read from the pages."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Forms(HTMLParser):
    """Collects every form of a page: where it goes, its fields and its buttons."""

    def __init__(self, page):
        super().__init__()
        self.forms = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append({"method": attrs.get("method", "get"), "action": attrs.get("action"), "fields": []})
        elif tag in ("input", "button") and self.forms and "name" in attrs:
            kind = attrs.get("type", "text" if tag == "input" else "submit").lower()
            self.forms[-1]["fields"].append((kind, attrs["name"], attrs.get("value", "")))


def fill(forms, user, password):
    """Chooses the form that a person would, and fills it in."""
    for form in forms:
        kinds = [kind for kind, _, _ in form["fields"]]
        names = [name for _, name, _ in form["fields"]]
        if "password" in kinds:
            said = {"text": user, "email": user, "password": password}
            pairs = [(name, said.get(kind, value)) for kind, name, value in form["fields"] if kind != "submit"]
            return form, pairs
        if "approve" in names:
            pairs = [
                (name, value) for kind, name, value in form["fields"] if kind != "submit" or name == "approve"
            ]
            return form, pairs
    raise SystemExit("no form on the page that asks for a password or an approval")


def approve(page, callback, user, password):
    """Opens a page, signs in and approves; returns the URL at which the browser leaves for the consumer."""
    with requests.Session() as browser:
        answer = browser.get(page, allow_redirects=False)
        for _ in range(10):
            if answer.is_redirect:
                page = urljoin(page, answer.headers["Location"])
                if page.startswith(callback):
                    return page
                answer = browser.get(page, allow_redirects=False)
                continue
            if answer.status_code != 200:
                raise SystemExit(f"{page} answered {answer.status_code}: {answer.text[:500]}")
            form, pairs = fill(Forms(answer.text).forms, user, password)
            assert form["method"].lower() == "post", "a form that changes something is sent by POST"
            page = urljoin(page, form["action"] or "")
            answer = browser.post(page, data=pairs, allow_redirects=False)
    raise SystemExit("ten pages and no end")
