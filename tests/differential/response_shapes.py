"""The answers that the application gives to both programs."""

from request_shapes import Shape, message, post

GET = message()
OK = "HTTP/1.1 200 OK"
HELLO = "Content-Length: 5"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = "5\r\nhello\r\n0\r\n\r\n"
SHAPES = []


def add(name, response, request=GET, **options):
    """Adds a shape."""
    SHAPES.append(Shape(f"answer {name}", request, response=response, **options))


def each(group, values, make, **options):
    """Adds a shape for each value."""
    for value in values:
        text = ascii(str(value))[1:-1]
        label = text if len(text) <= 60 else f"{text[:40]}~{len(value)}"
        add(f"{group} {label}", make(value), **options)


def answer(*fields, line=OK, body=""):
    """The text of an answer."""
    return "\r\n".join([line, *fields, "", ""]) + body


def hello(text):
    """An answer with a further field and a body of five bytes."""
    return answer(text, HELLO, body="hello")


# ---- the status line

each("status", [
    "200", "201", "202", "203", "206", "207", "226", "299", "300", "301", "302", "303", "307", "308", "400", "401", "402", "403", "404",
    "405", "407", "408", "409", "411", "413", "414", "416", "417", "418", "421", "422", "426", "428", "429", "431", "451", "499", "500",
    "501", "502", "503", "504", "505", "511", "599", "600", "999",
], lambda status: answer(HELLO, line=f"HTTP/1.1 {status} Words of it", body="hello"))
each("odd status", [
    "99", "099", "000", "0", "1000", "20", "2", "-200", "+200", "0x200", "2OO", "2 00", "", "200.1", "\xb2\xb2\xb2",
], lambda status: answer(HELLO, line=f"HTTP/1.1 {status} OK", body="hello"))
for status in ["204", "205", "304", "100", "101", "102", "103", "199"]:
    line, is_interim = f"HTTP/1.1 {status} Words", status.startswith("1")
    add(f"status {status} alone", answer(line=line), then="close" if is_interim else "keep")
    add(f"status {status} with a length", answer(HELLO, line=line), then="close" if is_interim else "keep")
    add(f"status {status} with a length and a body", answer(HELLO, line=line, body="hello"))
    add(f"status {status} with chunks", answer(CHUNKED, line=line, body=CHUNKS))
    add(f"status {status}, then 200", answer("X-First: 1", line=line) + hello("X-Second: 2"))
    if not is_interim:
        add(f"status {status}, then the end", answer(line=line), then="close")
each("304 with", [
    "Content-Length: 0", "Content-Length: 5, 5", "Content-Length: 05", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: x",
    "ETag: \"a\"", "Transfer-Encoding: gzip", "Content-Type: text/plain",
], lambda text: answer(text, line="HTTP/1.1 304 Not Modified"))
each("204 with", [
    "Content-Length: 0", "Content-Length: x", "Transfer-Encoding: gzip", "Connection: close",
], lambda text: answer(text, line="HTTP/1.1 204 No Content"))
add("many interim", answer(line="HTTP/1.1 103 Early Hints") * 20 + hello("X: a"))
add("interim 101 asked for", answer("Connection: Upgrade", "Upgrade: websocket", line="HTTP/1.1 101 Switching Protocols"))
add("interim 101 to h2c", answer("Connection: Upgrade", "Upgrade: h2c", line="HTTP/1.1 101 Switching Protocols"))
ASKING = message("Connection: Upgrade", "Upgrade: websocket")
for label, fields in [
    ("to websocket", ["Connection: Upgrade", "Upgrade: websocket"]), ("to h2c", ["Connection: Upgrade", "Upgrade: h2c"]),
    ("to nothing", []), ("to two", ["Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c"]),
    ("with a length", ["Connection: Upgrade", "Upgrade: websocket", HELLO]),
]:
    add(f"switch {label}", answer(*fields, line="HTTP/1.1 101 Switching Protocols"), request=ASKING, later="hello", then="close")
add("switch refused", answer("Upgrade: websocket", HELLO, line="HTTP/1.1 426 Upgrade Required", body="hello"), request=ASKING)
each("reason", [
    "", " ", " OK", "  OK", " Quite fine", " caf\xe9", " caf\xc3\xa9", " \xff", " a\tb", " a\0b", " a\x01", " a\x7f", " " + "a" * 5000,
    "OK", "\tOK", " OK ",
], lambda reason: answer(HELLO, line=f"HTTP/1.1 200{reason}", body="hello"))
each("version", [
    "HTTP/1.0", "HTTP/1.2", "HTTP/2", "HTTP/2.0", "HTTP/0.9", "HTTP/1", "http/1.1", "HTTP/1.1\t", "ICY", "HTTP", "", "HTTP/11.1",
    "HTTP/ 1.1", " HTTP/1.1", "SSH-2.0-x",
], lambda version: answer(HELLO, line=f"{version} 200 OK", body="hello"))
each("1.0 with", [
    "Connection: keep-alive", "Connection: close", CHUNKED, "X: a",
], lambda text: answer(text, HELLO, line="HTTP/1.0 200 OK", body="hello"), then="close")
each("1.0 kept with", [
    "Connection: keep-alive", "Connection: Keep-Alive, x",
], lambda text: answer(text, HELLO, line="HTTP/1.0 200 OK", body="hello"))
add("1.0 to the end", answer(line="HTTP/1.0 200 OK", body="hello"), then="close")

# ---- where a body ends

each("length", [
    "5", "05", "0000000000000005", "5, 5", "5,5", "5, 6", "5\r\nContent-Length: 5", "5\r\nContent-Length: 6", "5\r\nContent-Length: 05",
    "+5", "-5", " 5 ", "\t5", "", "x", "5.0", "0x5", "5 5", "5;", ",5", "5,", "18446744073709551616", "\xb5", "5\r\n 5",
], lambda text: answer(f"Content-Length: {text}", body="hello"), then="close")
each("length kept", ["5", "05", "5, 5", "5\r\nContent-Length: 5"], lambda text: answer(f"Content-Length: {text}", body="hello"))
add("length 0", answer("Content-Length: 0"))
add("length too short", answer("Content-Length: 3", body="hello"))
add("length too long", answer("Content-Length: 9", body="hello"), then="close")
add("length too long, reset", answer("Content-Length: 9", body="hello"), then="reset")
add("length without a body", answer("Content-Length: 9"), then="close")
add("length of a large body", answer("Content-Length: 200000", body="x" * 200000))
add("length of a huge body", answer("Content-Length: 18446744073709551615", body="hello"), then="close")
add("length, then closed at once", answer(HELLO, body="hello"), then="at once")
each("coding", [
    "Chunked", "chunked ", "gzip, chunked", "gzip,chunked", "chunked, gzip", "chunked, chunked", "identity", "gzip", "xchunked", "",
    ",chunked", "chunked,", '"chunked"', "chunked;q=1", "\x0bchunked", "chunked\r\nTransfer-Encoding: chunked",
    "gzip\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: identity", "chunked\r\n x", "chunked\r\nContent-Length: 15",
    "chunked\r\nContent-Length: 3", "chunked\r\nContent-Length: x", "identity\r\nContent-Length: 15", "gzip, chunked\r\nContent-Length: 15",
], lambda text: answer(f"Transfer-Encoding: {text}", body=CHUNKS), then="close")
add("coding kept", answer(CHUNKED, body=CHUNKS))
add("coding after a length, kept", answer("Content-Length: 15", CHUNKED, body=CHUNKS))
add("coding before a length, kept", answer(CHUNKED, HELLO, body=CHUNKS))
add("coding gzip of content", answer("Content-Encoding: gzip", CHUNKED, body="3\r\n\x1f\x8b\x08\r\n0\r\n\r\n"))
each("chunks", [
    "0\r\n\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "05\r\nhello\r\n00\r\n\r\n", "5;x=y\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "5\r\nhelloX0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n", "5\r\nhello!\r\n0\r\n\r\n",
    "x\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
    "\r\nhello\r\n0\r\n\r\n", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n", "0\r\nX-T: a\r\n\r\n",
    "5\r\nhello\r\n0\r\nX-T: a\r\nSet-Cookie: b\r\n\r\n", "0\r\nbad\r\n\r\n", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0", "5\r\nhello\r\n",
    "5\r\nhel", "5", "", "hello", CHUNKS + "rest", CHUNKS + OK + "\r\n\r\n", "1\r\nx\r\n" * 200 + "0\r\n\r\n",
    "5;" + "x" * 20000 + "\r\nhello\r\n0\r\n\r\n", "0\r\nX: " + "a" * 20000 + "\r\n\r\n", "0\r\n" + "X: a\r\n" * 120 + "\r\n",
], lambda text: answer(CHUNKED, body=text), then="close")
TRAILERS = answer(CHUNKED, "Trailer: X-T", body="5\r\nhello\r\n0\r\nX-T: a\r\n\r\n")
add("chunks with trailers for TE", TRAILERS, request=message("TE: trailers"))
add("chunks to a client of 1.0", answer(CHUNKED, body=CHUNKS), request=message(line="GET /page HTTP/1.0"))
add("chunks, reset", answer(CHUNKED, body="5\r\nhello\r\n"), then="reset")
add("no framing", answer(body="hello"), then="close")
add("no framing, no body", answer(), then="close")
add("no framing, reset", answer(body="hello"), then="reset")
add("no framing to a client of 1.0", answer(body="hello"), then="close", request=message(line="GET /page HTTP/1.0"))
HEAD = message(line="HEAD /page HTTP/1.1")
for label, text, options in [
    ("a length", answer(HELLO), {}), ("length 0", answer("Content-Length: 0"), {}), ("chunked", answer(CHUNKED), {}),
    ("nothing", answer(), {}), ("a length and a body", answer(HELLO, body="hello"), {}), ("length 05", answer("Content-Length: 05"), {}),
    ("length 5, 5", answer("Content-Length: 5, 5"), {}), ("two lengths", answer("Content-Length: 5", "Content-Length: 6"), {}),
    ("length x", answer("Content-Length: x"), {}), ("gzip", answer("Transfer-Encoding: gzip"), {}),
    ("chunked and a length", answer(CHUNKED, HELLO), {}), ("204", answer(line="HTTP/1.1 204 No Content"), {}),
    ("304 with a length", answer(HELLO, line="HTTP/1.1 304 Not Modified"), {}), ("nothing, then the end", answer(), {"then": "close"}),
    ("404", answer(HELLO, line="HTTP/1.1 404 Not Found"), {}),
]:
    add(f"to HEAD {label}", text, request=HEAD, head=True, **options)

# ---- fields

each("field", [
    "X-A: b\r\n c", "X-A:\r\n b", " X-A: b", "X-A : b", "X A: b", "X-A", ": b", ":", "X-A:", "X-A: ", "X-A:b", "X-A:  b  ", "X-A:\tb\t",
    "X-A: b\rc", "X-A: b\nX-B: c", "X-A: b\0c", "X-\0A: b", "X-A: b\x01", "X-A: b\x7f", "X-A: caf\xe9", "X-A: \x80", "X-\xe9: b", "X-A(: b",
    "X[]: b", "X!#$%&'*+-.^_`|~A: b", "X-A: a\r\nx-a: b\r\nX-A: c", "X-A: a\r\nX-B: b\r\nX-A: c", "X-A: " + "a" * 20000,
    "X-A: " + "a" * 250000, "X-A: " + "a" * 1000000, "X" * 300 + ": a", "X" * 70000 + ": a", "Date: x",
    "Date: Thu, 01 Jan 1970 00:00:00 GMT", "Date: x\r\nDate: y", "Server: x", "Host: x", "Content-Type: text/html", "Vary: *",
    "X-Linkgate-User: mallory", "Remote-User: x", "Location: /a\\b", "WWW-Authenticate: Basic",
    "WWW-Authenticate: OAuth oauth_problem=\"x\"", "Set-Cookie: a=b\r\nSet-Cookie: c=d", "Set-Cookie: linkgate-session=x", "\0", "\r",
], hello)
each("fields", [
    30, 97, 98, 99, 100, 101, 126, 127, 128, 129, 200, 3000,
], lambda count: answer(*[f"X-{number}: a" for number in range(count)], HELLO, body="hello"))
each("hop by hop", [
    "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "Proxy-Authenticate: Basic", "Proxy-Authentication-Info: a", "TE: trailers",
    "Trailer: X-T", "Upgrade: h2c", "Upgrade: websocket", "Connection: keep-alive", "Connection: close", "Connection: Close, x",
    "Connection: X-A\r\nX-A: b", "Connection: Set-Cookie\r\nSet-Cookie: a=b", "Connection: Content-Type\r\nContent-Type: a/b",
    "Connection: Content-Length", "Connection: Date\r\nDate: x", "Connection:", "Connection: \xff",
    "Connection: close\r\nConnection: keep-alive", "Connection: upgrade\r\nUpgrade: h2c",
], hello)
each("lines", ["\r\n{}", "\n{}", "\r{}", " {}", "\0{}", "\r\n" * 20 + "{}", "hello\r\n{}"], lambda frame: frame.format(hello("X-A: b")))
add("lines end with LF", hello("X-A: b").replace("\r\n", "\n"))
add("lines end with CR", hello("X-A: b").replace("\r\n", "\r"), then="close")
add("lines: CR CR LF", hello("X-A: b").replace("\r\n", "\r\r\n"))

# ---- connections

each("end after", [0, 1, 5, 8, 9, 12, 13, 16, 17, 19, 25, 36, 37, 38, 40], lambda size: hello("X-A: b")[:size], then="close")
each("reset after", [0, 1, 9, 17, 30], lambda size: hello("X-A: b")[:size], then="reset")
add("no answer in time", "", quiet=4)
add("no answer in time after an interim one", answer(line="HTTP/1.1 103 Early Hints"), quiet=4)
add("no end of the head in time", answer("X-A: b")[:-2], quiet=4)
add("no end of a body", answer("Content-Length: 9", body="hello"))
add("at once closed", "", then="at once")
add("not HTTP", "hello", then="close")
add("not HTTP at all", "\0\1\2\3" * 100, then="close")
add("a page without a head", "<html>hello</html>\r\n\r\n", then="close")
each("followed by", [
    "x", "\r\n", "\0", hello("X-Evil: 1"), answer(line="HTTP/1.1 408 Request Timeout"), "hello" * 5000,
], lambda text: hello("X-A: b") + text)
for text in ["\r\n", hello("X-Evil: 1"), answer(line="HTTP/1.1 408 Request Timeout")]:
    add(f"later followed by {ascii(text)[1:30]}", hello("X-A: b"), later=text)
add("kept, then closed", hello("X-A: b"), then="close")
add("kept, then reset", hello("X-A: b"), then="reset")
add("closing, kept open", hello("Connection: close"))
add("closing, closed", hello("Connection: close"), then="close")
add("204, then closed", answer(line="HTTP/1.1 204 No Content"), then="close")
BODY = post("Content-Length: 5", body="hello")
PART = post("Content-Length: 9", body="hello")
LARGE = post("Content-Length: 300000", body="x" * 100000)
REFUSED = answer(HELLO, line="HTTP/1.1 413 Content Too Large", body="large")
for label, request in [
    ("a body", BODY), ("a part of a body", PART), ("a part of a large body", LARGE),
    ("a part of a form", post("Content-Type: application/x-www-form-urlencoded", "Content-Length: 9", body="hello")),
]:
    for then in ["keep", "close", "reset"]:
        add(f"early to {label}, {then}", REFUSED, request=request, early=True, then=then)
    add(f"early to {label}, closing", REFUSED.replace(HELLO, f"{HELLO}\r\nConnection: close"), request=request, early=True, then="close")
    add(f"early to {label}, none", "", request=request, early=True, then="close")
add("to a body", hello("X-A: b"), request=BODY)
add("to a body, closed at once", "", request=BODY, then="at once")
EXPECTING = post("Expect: 100-continue", "Content-Length: 5", body="hello")
add("to a body, continue", answer(line="HTTP/1.1 100 Continue") + hello("X-A: b"), request=EXPECTING)
add("to a closing client", hello("X-A: b"), request=message("Connection: close"))
add("to a closing client, chunks", answer(CHUNKED, body=CHUNKS), request=message("Connection: close"))
add("to two requests", hello("X-A: b"), request=GET + GET, answers=2)
