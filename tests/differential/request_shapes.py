"""The requests that both programs are sent. A shape's name says what is special about it.

Texts stand for bytes: each character is the byte with its number (ISO 8859-1).
"""

import base64
import dataclasses
import hashlib
import hmac
import os
import time
import typing
from urllib.parse import parse_qsl, quote

HOST = "Host: builds.example.com"
FORM = "Content-Type: application/x-www-form-urlencoded"
CHUNKED = "Transfer-Encoding: chunked"
SECRET = "a-robot-needs-a-secret"


@dataclasses.dataclass
class Shape:
    """One exchange: what the client sends, and what the application answers."""

    name: str
    request: "str | typing.Callable[[], str]"  # signed requests are made anew each time, because a nonce counts once
    answers: int = 1  # how many answers end the exchange; 0: whatever comes until it is quiet
    head: bool = False  # the answers have no bodies
    ends: bool = False  # the client closes its side after the bytes, a moment later
    trusted: bool = False  # it comes from the address of a trusted proxy
    response: "str | None" = None  # what the application answers; none: its usual answer
    later: str = ""  # what the application says a moment after its answer
    then: str = "keep"  # what it does with the connection after a moment: keep, close, reset, or close "at once"
    early: bool = False  # it answers as soon as it has the head of the request
    quiet: float = 0.1  # after how many seconds without a byte nothing more is awaited


SHAPES = []


def add(name, request, **options):
    """Adds a shape."""
    SHAPES.append(Shape(name, request, **options))


def each(group, values, make, **options):
    """Adds a shape for each value."""
    for value in values:
        text = ascii(str(value))[1:-1]
        label = text if len(text) <= 60 else f"{text[:40]}~{len(value)}"
        add(f"{group} {label}", make(value), **options)


def message(*fields, line="GET /page HTTP/1.1", host=HOST, body=""):
    """The text of a request."""
    return "\r\n".join([line, *([host] if host else []), *fields, "", ""]) + body


def post(*fields, body="", path="/page"):
    """A request that may have a body."""
    return message(*fields, line=f"POST {path} HTTP/1.1", body=body)


def field(text):
    """A GET with a further field."""
    return message(text)


def target(text):
    """A GET of a target."""
    return message(line=f"GET {text} HTTP/1.1")


def chunks(text):
    """A request whose body is these chunks."""
    return post(CHUNKED, body=text)


# ---- the request line

NAMES = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
for method in NAMES:
    for label, fields, body in [
        ("without body", [], ""),
        ("empty", ["Content-Length: 0"], ""),
        ("length", ["Content-Length: 5"], "hello"),
        ("chunks", [CHUNKED], "5\r\nhello\r\n0\r\n\r\n"),
        ("no chunks", [CHUNKED], "0\r\n\r\n"),
    ]:
        text = message(*fields, line=f"{method} /page HTTP/1.1", body=body)
        add(f"method {method} {label}", text, head=method == "HEAD")
each("method", [
    "get", "Get", "M-SEARCH", "G@T", "", " GET", "GET ", "GET\t", "G\0T", "G\xc9T", "(GET)", "!#$%&'*+-.^_`|~", "X" * 40, "X" * 70000,
], lambda method: message(line=f"{method} /page HTTP/1.1"))
each("line", [
    "GET", "GET ", "GET /page", "GET /page ", "GET  /page HTTP/1.1", "GET /page  HTTP/1.1", "GET /page HTTP/1.1 ", "GET\t/page\tHTTP/1.1",
    "GET /page HTTP/1.1 x", "GET /pa ge HTTP/1.1", "GET /page\rHTTP/1.1", "/page HTTP/1.1", "HTTP/1.1 200 OK", "GET /page HTTP/1.1\0",
], lambda line: message(line=line))
each("version", [
    "HTTP/1.0", "HTTP/0.9", "HTTP/1.2", "HTTP/1.9", "HTTP/2", "HTTP/2.0", "HTTP/3.0", "HTTP/1", "HTTP/1.", "HTTP/11.1", "HTTP/1.10",
    "HTTP/01.1", "http/1.1", "HTTP /1.1", "HTTP/ 1.1", "HTTP-1.1", "HTTPS/1.1", "ICAP/1.0", "HTTP/1.\xb9", "HTTP/x.y", "FTP",
], lambda version: message(line=f"GET /page {version}"))
each("version 1.0 with", [
    "Connection: keep-alive", "Connection: close", CHUNKED, "Expect: 100-continue", "Upgrade: websocket",
], lambda text: message(text, line="GET /page HTTP/1.0", body="0\r\n\r\n" if text == CHUNKED else ""))
add("version 1.0 with a length", message("Content-Length: 5", line="POST /page HTTP/1.0", body="hello"))
add("version 1.0 without Host", message(line="GET /page HTTP/1.0", host=""))
each("target", [
    "/", "/a/b?c=d&e=%20f", "/?", "/??", "/a?b?c", "?a", "a", "*", "//", "//a//b", "/.", "/..", "/a/../b", "/a/./b", "/../api/x",
    "/static/../api/x", "/static/..%2fapi/x", "/static/%2e%2e/api/x", "/API/x", "/api", "/api/", "/api%2fx", "/%61pi/x", "/api/x;a=b",
    "/api;a/x", "/static/x", "/%", "/%zz", "/%0", "/%00", "/%0d%0a", "/%c3%a9", "/%252e", "/caf\xe9", "/caf\xc3\xa9", "/a#b", "/#", "#",
    "/a?b#c", "/{}", "/a{b}c", "/[]", "/|", "/\\", "/a\\..\\b", "/^`", '/"', "/<>", "/'()", "/a\x01", "/a\x7f", "/a\tb", "/a\0b", "/a:b@c",
    "/:80", "/http://x/", "/?a=b;c=d", "/?=", "/?&&", "/?a=\xff", "/?q=%ff", "/~a!$&'()*+,;=:@", "/%2F%2f", "/a%20b", "/a/%2e/b",
    "http://builds.example.com/page", "http://builds.example.com", "http://builds.example.com?a=b", "HTTP://BUILDS.EXAMPLE.COM/page",
    "https://builds.example.com/page", "http://builds.example.com:80/page", "http://builds.example.com:/page",
    "http://other.example.com/page", "http://u@builds.example.com/page", "http:///page", "http://", "http:/page",
    "ftp://builds.example.com/page", "mailto:a@b", "builds.example.com:80", "://x", "/" + "a" * 8000, "/" + "a" * 60000, "/" + "a" * 65400,
    "/" + "a" * 65500, "/" + "a" * 66000, "/?" + "a" * 70000,
], target)
each("target of OPTIONS", ["*", "/", "http://builds.example.com", "**"], lambda text: message(line=f"OPTIONS {text} HTTP/1.1"))
each("target of CONNECT", [
    "builds.example.com:80", "builds.example.com", "/page", "*", "[::1]:80", ":80", "http://builds.example.com/",
], lambda text: message(line=f"CONNECT {text} HTTP/1.1"))

# ---- Host

each("host", [
    "", "Host:", "Host: ", "host: builds.example.com", "HOST:builds.example.com", "Host:\t builds.example.com \t",
    "Host: BUILDS.example.COM", "Host: builds.example.com:80", "Host: builds.example.com:443", "Host: builds.example.com:",
    "Host: builds.example.com:080", "Host: builds.example.com:65536", "Host: builds.example.com:8a", "Host: builds.example.com.",
    "Host: other.example.com", "Host: inside", "Host: u@builds.example.com", "Host: a b", "Host: a,b", "Host: a/b", "Host: a?b",
    "Host: a#b", "Host: a\\b", "Host: a%41", "Host: caf\xe9", "Host: [::1]", "Host: [::1]:80", "Host: [::1", "Host: [127.0.0.1]",
    "Host: ::1", "Host: 127.0.0.1", "Host: <b>", "Host: a\0b", "Host: \x7f", "Host: builds.example.com\r\nHost: builds.example.com",
    "Host: builds.example.com\r\nHost: other", "Host: " + "a" * 300, "Host : builds.example.com", " Host: builds.example.com",
    "X-Host: builds.example.com",
], lambda host: message(host=host))
add("host of target and field agree", message(line="GET http://inside/page HTTP/1.1", host="Host: inside"))
add("host of target alone", message(line="GET http://builds.example.com/page HTTP/1.1", host=""))

# ---- where a body ends

each("length", [
    "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5, 5", "Content-Length: 5,6",
    "Content-Length: 05", "Content-Length: 0000000000000000000000005", "Content-Length: +5", "Content-Length: -5", "Content-Length:  5 ",
    "Content-Length:\t5", "Content-Length:5", "Content-Length: 0x5", "Content-Length: 5.0", "Content-Length: 5e0", "Content-Length: 5 5",
    "Content-Length:", "Content-Length: five", "Content-Length: \xb2", "Content-Length: 18446744073709551615",
    "Content-Length: 18446744073709551616", "Content-Length: 99999999999999999999999", "Content-Length: 5;", "Content-Length: ,5",
    "Content-Length : 5", "content-length: 5", "CONTENT-LENGTH: 5", "Content_Length: 5", "Content-Length: 5\r\n 5", "Content-Length\0: 5",
    "Content-Length: 5\0", "X-Content-Length: 5",
], lambda text: post(text, body="hello"))
add("length too short", post("Content-Length: 3", body="hello"))
add("length too long", post("Content-Length: 9", body="hello"))
add("length too long, then the end", post("Content-Length: 9", body="hello"), ends=True)
add("length of a large body", post("Content-Length: 100000", body="x" * 100000))
add("no length", post(body="hello"))
each("coding", [
    "Transfer-Encoding: Chunked", "transfer-encoding:chunked", "Transfer-Encoding: chunked ", "Transfer-Encoding:\tchunked",
    "Transfer-Encoding: identity", "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: gzip,chunked",
    "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx",
    "Transfer-Encoding: chunk", "Transfer-Encoding:", "Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked,",
    'Transfer-Encoding: "chunked"', "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: \x0bchunked", "Transfer-Encoding: \xa0chunked",
    "Transfer-Encoding : chunked", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked\r\n x", " Transfer-Encoding: chunked",
    "Transfer_Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding: chunked\0", "X: y\nTransfer-Encoding: chunked", "Transfer-Encoding: identity\r\nContent-Length: 15",
    "Transfer-Encoding: gzip, chunked\r\nContent-Length: 15", "Content-Length: 15\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 15", "Transfer-Encoding: chunked\r\nContent-Length: 3",
    "Transfer-Encoding: chunked\r\nContent-Length: x", "Transfer-Encoding: chunked\r\nContent-Length: 1\r\nContent-Length: 2",
    "TE: chunked",
], lambda text: post(text, body="5\r\nhello\r\n0\r\n\r\n"))
each("chunks", [
    "5\r\nhello\r\n0\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "05\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n000\r\n\r\n",
    "A\r\n0123456789\r\n0\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n", "5;x=y\r\nhello\r\n0\r\n\r\n", "5 ;x\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n", "5\t\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", '5;x="a;b"\r\nhello\r\n0\r\n\r\n',
    '5;x="a\r\nhello\r\n0\r\n\r\n', "5;x=\n\r\nhello\r\n0\r\n\r\n", "5;\0\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n",
    "5\r\nhello\n0\r\n\r\n", "5\rhello\r0\r\r", "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
    "5g\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", ";x\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n",
    "5\r\nhello!\r\n0\r\n\r\n", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", "10000000000000000\r\nhello\r\n0\r\n\r\n",
    "fffffffffffffffffff\r\nhello", "0\r\nX-Trailer: a\r\n\r\n", "5\r\nhello\r\n0\r\nX-Trailer: a\r\nRemote-User: mallory\r\n\r\n",
    "0\r\nbad trailer\r\n\r\n", "0\r\n folded\r\n\r\n", "0\r\nContent-Length: 3\r\n\r\n", "0\r\nX: " + "a" * 20000 + "\r\n\r\n",
    "0\r\n" + "X: a\r\n" * 120 + "\r\n", "5;" + "x" * 20000 + "\r\nhello\r\n0\r\n\r\n", "hello", "0\r\n\r\nhello", "0\r\n\r\n\r\n",
], chunks)
each("chunks, then the end", [
    "", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0", "5\r\nhello\r\n0\r\n", "0\r\nX: a\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
], chunks, ends=True)
each("chunks, no end", ["5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n"], chunks)
add("chunks with trailers announced", post(CHUNKED, "Trailer: X-Trailer", body="5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n"))
add("chunks with TE: trailers", post(CHUNKED, "TE: trailers", body="5\r\nhello\r\n0\r\nX-Trailer: a\r\n\r\n"))
add("chunks many", chunks("1\r\nx\r\n" * 300 + "0\r\n\r\n"))
add("chunks one large", chunks("11170\r\n" + "x" * 70000 + "\r\n0\r\n\r\n"))

# ---- lines and fields

each("field", [
    "X-A: b\r\n c", "X-A: b\r\n\tc", "X-A:\r\n b", " X-A: b", "\tX-A: b", "X-A : b", "X-A\t: b", "X A: b", "X-A", "X-A b", ": b", ":",
    "X-A:", "X-A: ", "X-A:b", "X-A:  b  ", "X-A:\tb\t", "X-A: b\rc", "X-A: b\r", "X-A: b\nX-B: c", "X-A: b\0c", "X-\0A: b", "X-A: b\x01",
    "X-A: b\x7f", "X-A: b\x0b", "X-A: \x80", "X-A: caf\xe9", "X-A: caf\xc3\xa9", "X-\xe9: b", "X-A(: b", "X-A[]: b", 'X"A: b', "X-A/B: c",
    "X_A: b", "X.A: b", "X!#$%&'*+-.^_`|~A: b", "x-a: b", "X-A: a:b", "X-A: a\r\nx-a: b\r\nX-A: c", "X-A: a\r\nX-B: b\r\nX-A: c",
    "Z: 1\r\nA: 2\r\nM: 3", "X-A: " + "a" * 9000, "X-A: " + "a" * 65400, "X-A: " + "a" * 65500, "X-A: " + "a" * 70000, "X" * 9000 + ": a",
    "X" * 70000 + ": a", "\0", "\r", "X-A: b\r\r", "GET / HTTP/1.1", "Date: x", "Server: x", "User-Agent: \xff", "Accept: text/html",
    "Via: 1.1 x", "Warning: 1", "Age: 3",
], field)
each("fields", [1, 30, 90, 98, 99, 100, 101, 127, 200, 3000], lambda count: message(*[f"X-{number}: a" for number in range(count)]))
each("lines", [
    "\r\n{}", "\r\n\r\n{}", "\n{}", "\n\n\n{}", "\r{}", " {}", "\0{}", "\r\n" * 50 + "{}", "{}\r\n", "{}\n", "{}\0", "{}hello",
    "\xef\xbb\xbf{}", "\t{}",
], lambda frame: frame.format(message("X-A: b")))
add("lines end with LF", message("X-A: b").replace("\r\n", "\n"))
add("lines of a POST end with LF", post("Content-Length: 5", body="hello").replace("\r\n", "\n"))
add("lines end with CR", message("X-A: b").replace("\r\n", "\r"))
add("lines: the head ends with LF", message("X-A: b")[:-2] + "\n")
add("lines: the head ends with LF LF", message("X-A: b")[:-4] + "\n\n")
add("lines: only the first ends with LF", message("X-A: b").replace("\r\n", "\n", 1))
add("lines: CR CR LF", message("X-A: b").replace("\r\n", "\r\r\n"))
add("lines: no end of the head", message("X-A: b")[:-2])
each("cut off after", [1, 3, 4, 8, 14, 17, 18, 19, 20, 30, 43, 44], lambda size: message()[:size], ends=True)

# ---- connections and protocols

each("connection", [
    "close", "Close", "keep-alive", "close, keep-alive", "keep-alive, close", "", ",", "close,", " close ", "x", "X-A", "x-a, close",
    "Host", "Cookie", "Authorization", "Content-Length", "X-Linkgate-User", "X-Forwarded-For", "Forwarded", "te", "upgrade", "Upgrade",
    "h2c", "\xff", "close\r\nConnection: keep-alive", "keep-alive\r\nConnection: close", "proxy-connection", "close;q=1", '"close"',
], lambda text: message("X-A: b", "Cookie: a=b", "Authorization: Basic eA==", f"Connection: {text}"))
each("hop by hop", [
    "Keep-Alive: timeout=5", "Proxy-Connection: close", "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic eA==",
    "Proxy-Authenticate: Basic", "TE: trailers", "TE: gzip", "TE: trailers, deflate;q=0.5", "TE:", "Trailer: X-A",
    "HTTP2-Settings: AAMAAABk", "Upgrade: h2c",
], field)
WEBSOCKET = ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
for path in ["/page", "/switch"]:
    for label, fields, line in [
        ("websocket", ["Connection: Upgrade", "Upgrade: websocket"], "GET {} HTTP/1.1"),
        ("websocket of 1.0", ["Connection: Upgrade", "Upgrade: websocket"], "GET {} HTTP/1.0"),
        ("websocket by POST", ["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 0"], "POST {} HTTP/1.1"),
        ("WebSocket, keep-alive", ["Connection: keep-alive, upgrade", "Upgrade: WebSocket"], "GET {} HTTP/1.1"),
        ("websocket not in Connection", ["Upgrade: websocket"], "GET {} HTTP/1.1"),
        ("no Upgrade", ["Connection: Upgrade"], "GET {} HTTP/1.1"),
        ("h2c", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"], "GET {} HTTP/1.1"),
        ("websocket, h2c", ["Connection: Upgrade", "Upgrade: websocket, h2c"], "GET {} HTTP/1.1"),
        ("two fields", ["Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c"], "GET {} HTTP/1.1"),
        ("websocket/13", ["Connection: Upgrade", "Upgrade: websocket/13"], "GET {} HTTP/1.1"),
        ("TLS/1.0", ["Connection: Upgrade", "Upgrade: TLS/1.0"], "GET {} HTTP/1.1"),
    ]:
        text = message(*fields, *WEBSOCKET, line=line.format(path))
        add(f"upgrade {path} {label}", text + ("ping" if path == "/switch" and label.lower().startswith("websocket") else ""))
each("expect", [
    "100-continue", "100-Continue", "100", "x", "", "100-continue, x", "100-continue\r\nExpect: 100-continue",
], lambda text: post(f"Expect: {text}", "Content-Length: 5", body="hello"))
add("expect without a body", field("Expect: 100-continue"))
add("expect with chunks", post("Expect: 100-continue", CHUNKED, body="5\r\nhello\r\n0\r\n\r\n"))
add("expect, refused", post("Expect: 100-continue", "Content-Length: 5", body="hello", path="/api/x"))
PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = "\0\0\0\4\0\0\0\0\0"
HEADERS = "\0\0\x17\1\5\0\0\0\1\x82\x86\x84\x41\x12builds.example.com"  # GET http://builds.example.com/
each("other protocol", [
    PREFACE, PREFACE + SETTINGS, PREFACE + SETTINGS + HEADERS, PREFACE + "hello, this is no frame", PREFACE[:10],
    PREFACE[:16] + "\r\n\r\nX", "P", "PRI", "PRI * HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + "a" * 154,
    "\x80\x2e\x01\x03\x01", "SSH-2.0-OpenSSH_9.6\r\n", "EHLO builds\r\n", "\0" * 40, "\xff" * 40,
    "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + message(), "\r\n\r\n\0\r\nQUIT\n", "hello", "{}\r\n\r\n", "\r\n", "\r\n" * 2000,
], lambda text: text, answers=0)
add("other protocol: nothing, then the end", "", ends=True)

# ---- more than one request, and the end of one

get, closing = message("X-N: 1"), message("X-N: 2", "Connection: close")
body = post("Content-Length: 5", body="hello")
for label, texts, answers in [
    ("two", [get, get], 2), ("five", [get] * 5, 5), ("the first closes", [closing, get], 1), ("the second closes", [get, closing], 2),
    ("POST, GET", [body, get], 2), ("GET, POST", [get, body], 2), ("POST, POST", [body, body], 2),
    ("chunks, GET", [chunks("5\r\nhello\r\n0\r\n\r\n"), get], 2), ("GET, bad", [get, "bad\r\n\r\n"], 2),
    ("bad, GET", ["bad\r\n\r\n", get], 1), ("GET, half", [get, "GET /half"], 1), ("GET, empty line, GET", [get, "\r\n", get], 2),
    ("GET, LF, GET", [get, "\n", get], 2), ("GET, 1.0", [get, message(line="GET /page HTTP/1.0")], 2),
    ("1.0, GET", [message(line="GET /page HTTP/1.0"), get], 1), ("refused, GET", [target("/api/x"), get], 2),
    ("refused POST, GET", [post("Content-Length: 5", body="hello", path="/api/x"), get], 2),
    ("length and chunks, GET", [post(CHUNKED, "Content-Length: 6", body="0\r\n\r\n"), get], 1), ("GET, preface", [get, PREFACE], 2),
    ("preface, GET", [PREFACE, get], 0), ("slow, GET", [target("/slow"), get], 2), ("GET, bytes", [get, "\0\0\0"], 2),
    ("two of LF", [get.replace("\r\n", "\n")] * 2, 2), ("thirty", [target("/" + "p" * 200)] * 30, 30),
]:
    add(f"pipeline {label}", "".join(texts), answers=answers, quiet=1 if label.startswith("slow") else 0.1)
add("end after GET", message(), ends=True)
add("end while the application is slow", target("/slow"), ends=True, quiet=1)
add("end while the application is slow, after a body", post("Content-Length: 5", body="hello", path="/slow"), ends=True, quiet=1)
add("end within a held form", post(FORM, "Authorization: OAuth oauth_token=x", "Content-Length: 20", body="a=b"), ends=True)
add("end within a refused body", post("Content-Length: 20", body="a=b", path="/api/x"), ends=True)
add("end after a pipeline", get + get, answers=2, ends=True)

# ---- identity, cookies, OAuth

IDENTITY = [
    "Remote-User", "remote_user", "REMOTE.USER", "Remote-User-", "X-Remote-User", "X-Linkgate-User", "x_linkgate_user",
    "X-Linkgate-Consumer", "X-Linkgate-Call", "X-Linkgate-Name", "X-Linkgate-Assertion", "X-Linkgate-Anything", "X-Forwarded-User",
    "X-Forwarded-Preferred-Username", "X_Forwarded_User", "X-WebAuth-User", "X-Auth-Request-User", "X-Forwarded-Email",
    "X-Authenticated-User", "X-User", "SSL-Client-S-DN", "Remote-Users", "X-Real-IP", "Auth-User",
]
each("identity", IDENTITY, lambda name: message(f"{name}: mallory"))
each("identity on /static", [
    "Remote-User", "remote_user", "X-Linkgate-User",
], lambda name: message(f"{name}: mallory", line="GET /static/x HTTP/1.1"))
add("identity in a body's head", post("Remote_User: mallory", "Content-Length: 5", body="hello"))
each("cookie", [
    "a=b", "a=b; c=d", "linkgate-session=x", "a=b; linkgate-session=x", "linkgate-session=x; a=b", "__Host-linkgate-session=x; a=b",
    "LINKGATE-session=x", " a=b ;c=d;", ";;", "", "a", "a=b\r\nCookie: c=d", "a=b\r\nCookie: linkgate-x=y",
    "linkgate-a=b\r\nCookie: linkgate-x=y", "a=\xe9", "a=\"b; linkgate-x=y\"", "linkgate-",
], lambda text: message(f"Cookie: {text}"))
BROKEN = [
    "OAuth", "OAuth ", "oauth x", "OAuth2 x", "OAuth realm=\"x\"", "OAuth oauth_token", "OAuth oauth_token=\"x", "OAuth oauth_token=x",
    "OAuth oauth_consumer_key=\"robot\"", "OAuth oauth_consumer_key=\"robot\",oauth_consumer_key=\"robot\"", "OAuth ,,",
    "OAuth oauth_version=\"2.0\"", "OAuth \xff=\"x\"", "OAuth a=\"%zz\"", "Basic eA==", "Bearer x", "", "OAuth\toauth_token=\"x\"",
    "Basic eA==\r\nAuthorization: OAuth oauth_token=\"x\"", "OAuth oauth_token=\"x\"\r\nAuthorization: OAuth oauth_token=\"y\"",
]
for path in ["/page", "/api/x", "/static/x"]:
    each(f"authorization {path}", BROKEN, lambda text, path=path: message(f"Authorization: {text}", line=f"GET {path} HTTP/1.1"))
each("override", ["X-HTTP-Method-Override: DELETE", "X-HTTP-Method: PUT", "X-Method-Override: GET", "x_http_method_override: PUT"], field)
each("override on /api", [
    "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: GET",
], lambda text: post(text, "Content-Length: 0", path="/api/x"))
for path in ["/page", "/api/x", "/static/x"]:
    for label, fields, text in [
        ("plain", [FORM], "a=b&c=d"), ("with OAuth", [FORM], "oauth_token=x&oauth_consumer_key=robot"),
        ("twice typed", [FORM, "Content-Type: text/plain"], "a=b"), ("compressed", [FORM, "Content-Encoding: gzip"], "a=b"),
        ("with a charset", [FORM + ";charset=utf-8"], "a=b"), ("odd", [FORM], "=&&%zz=\xff"), ("empty", [FORM], ""),
    ]:
        add(f"form {path} {label}", post(*fields, f"Content-Length: {len(text)}", body=text, path=path))
add("form in chunks", post(FORM, CHUNKED, body="3\r\na=b\r\n0\r\n\r\n"))
add("form too large", post(FORM, "Authorization: OAuth oauth_token=\"x\"", "Content-Length: 1048577", body="a=b"))
each("own path", [
    "/oauth/request-token", "/oauth/access-token", "/oauth/none", "/oauth/%61uthorize", "/plugins/servlet/oauth/request-token",
    "/rest/applinks/none", "/.well-known/linkgate/none", "/forward-auth", "/forward-auth/nginx", "/forward-auth/envoy/a",
], target)


def signed(method, path, form="", place="header", change=lambda text: text, fields=(), **own):
    """A request of the consumer `robot`, signed with HMAC-SHA1 (RFC 5849, section 3.4) each time it is made."""

    def make():
        while True:
            oauth = {"oauth_consumer_key": "robot", "oauth_nonce": os.urandom(8).hex(), "oauth_signature_method": "HMAC-SHA1"}
            oauth = {**oauth, "oauth_timestamp": str(int(time.time())), **own}
            bare, _, query = path.partition("?")
            escape = lambda text: quote(text, safe="-._~")
            pairs = [*oauth.items(), *parse_qsl(query, keep_blank_values=True), *parse_qsl(form, keep_blank_values=True)]
            parameters = "&".join("=".join(pair) for pair in sorted((escape(name), escape(value)) for name, value in pairs))
            base = "&".join([method, escape("http://builds.example.com" + bare), escape(parameters)])
            oauth["oauth_signature"] = base64.b64encode(hmac.digest(f"{SECRET}&".encode(), base.encode(), hashlib.sha1)).decode()
            if not set(oauth["oauth_signature"]) & {"+", "/"}:
                break  # each is as long as the others, once it is escaped
        listed = "&".join(f"{name}={escape(value)}" for name, value in oauth.items())
        url, content, header = path, form, []
        if place == "header":
            header = ["Authorization: OAuth " + ", ".join(f'{name}="{escape(value)}"' for name, value in oauth.items())]
        elif place == "query":
            url = f"{path}{'&' if '?' in path else '?'}{listed}"
        else:
            content = f"{form}&{listed}" if form else listed
        lengths = [f"Content-Length: {len(content)}"] if content or method == "POST" else []
        typed = [FORM] if content else []
        return change(message(*header, *typed, *lengths, *fields, line=f"{method} {url} HTTP/1.1", body=content))

    return make


def add_signed():
    """Calls that get through, and some that are spoiled after they were signed."""
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE"]:
        add(f"signed {method}", signed(method, "/api/x"), head=method == "HEAD")
    add("signed with a query", signed("GET", "/api/x?b=2&a=1&a=%20"))
    add("signed in the query", signed("GET", "/api/x?a=b", place="query"))
    add("signed in the form", signed("POST", "/api/x", form="a=b", place="form"))
    add("signed with a form", signed("POST", "/api/x", form="a=b&c=%C3%A9"))
    add("signed elsewhere", signed("GET", "/page"))
    add("signed on /static", signed("GET", "/static/x"))
    further = ["Remote_User: mallory", "X-HTTP-Method-Override: PUT", "Cookie: a=b; linkgate-x=y"]
    add("signed with further fields", signed("GET", "/api/x", fields=further))
    add("signed and closing", signed("GET", "/api/x", fields=["Connection: close, X-Linkgate-User"]))
    add("signed for another name", signed("GET", "/api/x", change=lambda text: text.replace(HOST, "Host: other.example.com")))
    add("signed, another path", signed("GET", "/api/x", change=lambda text: text.replace("/api/x", "/api/y")))
    add("signed, another method", signed("GET", "/api/x", change=lambda text: text.replace("GET", "PUT", 1)))
    add("signed long ago", signed("GET", "/api/x", oauth_timestamp="1500000000"))
    add("signed by a stranger", signed("GET", "/api/x", oauth_consumer_key="nobody"))
    add("signed with an unknown token", signed("GET", "/api/x", oauth_token="unknown"))
    add("signed, version 1.0", signed("GET", "/api/x", change=lambda text: text.replace("HTTP/1.1", "HTTP/1.0")))
    add("signed, absolute target", signed("GET", "/api/x", change=lambda text: text.replace("/api/x", "http://builds.example.com/api/x")))
    add("signed, then plain", lambda: signed("GET", "/api/x")() + message(), answers=2)
    add("signed twice", lambda: signed("GET", "/api/x")() * 2, answers=2)


add_signed()

# ---- behind a front proxy

FORWARDED = [
    "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.1, 192.0.2.2", "X-Forwarded-For: x", "X-Forwarded-For:",
    "X-Forwarded-Host: inside", "X-Forwarded-Host: a b", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http", "X-Forwarded-Proto: ftp",
    "X-Forwarded-Port: 8443", "X-Forwarded-Prefix: /x", "X-Original-URL: /x", "X-Rewrite-URL: /x", "Forwarded: for=192.0.2.1",
    'Forwarded: for="[2001:db8::1]:80";host=inside;proto=https', "Forwarded: host=inside\r\nX-Forwarded-Host: builds.example.com",
    "Forwarded: for=\"", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2",
]
each("forwarded by a stranger", FORWARDED, field)
each("forwarded by a proxy", FORWARDED, field, trusted=True)
add("forwarded by a proxy, signed", signed("GET", "/api/x", fields=["X-Forwarded-For: 192.0.2.1"]), trusted=True)
SHOWN = ["X-Forwarded-Method: GET", "X-Forwarded-Uri: /api/x", "X-Forwarded-Host: builds.example.com"]
add("verdict for a proxy", message(*SHOWN, line="GET /forward-auth HTTP/1.1"), trusted=True)
