"""Sends the same bytes to two programs, and compares what they do. `tests/differential/run --help` says how."""

import argparse
import asyncio
import collections
import ctypes
import dataclasses
import fnmatch
import functools
import multiprocessing
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import request_shapes
import response_shapes

SHAPES = request_shapes.SHAPES + response_shapes.SHAPES

# Differences that are meant: shape, kind, aspect (patterns of fnmatch), and the reason. Kinds: "program": the programs differ
# in what is not cut; "cut, both", "cut, base", "cut, new": what is cut has another outcome than what is not.
HYPER_CLOSES = "hyper closes a connection when the body of a refused request is not there yet"
SHORTER = "the reference on a page about an error has nine characters instead of ten"
FRAMES = "the first frames of HTTP/2 are written in another order when its preface comes in parts"
ALLOWED = [
    ("*", "program", "*order of fields", "date, content-length, transfer-encoding and connection stand where hyper writes them"),
    ("other protocol PRI *", "program", "*", "HTTP/2 in clear text is served if server.h2c is set"),
    ("pipeline *preface*", "program", "*", "HTTP/2 in clear text is served if server.h2c is set"),
    ("answer chunks *X: a*", "program", "*", "trailers of an answer are bounded as hyper bounds them"),
    ("chunks 0*X: aaa*", "program", "*", "trailers of a request, which are dropped, are bounded as its head is: 64 KiB"),
    ("answer chunks *", "program", "*fields", "what stands before a fault has gone to the client, unless it comes together with the fault"),
    ("answer chunks [5h]*", "program", "*body", "what stands before a fault has gone to the client, unless it comes together with the fault"),
    ("answer chunks hello", "program", "connections to the application", "who closes first after a fault is a matter of moments"),
    ("answer early to a part of a*body, none", "program", "generated fields", "the rest of the request is not read: the connection is announced to close"),
    ("answer 1.0 with *", "program", "connections to the application", "hyper would speak HTTP/1.0 to a server that once did: its connection is not kept"),
    ("answer chunks *", "program", "start line", "what stands before a fault has gone to the client, unless it comes together with the fault"),
    ("answer length of a huge body", "program", "*", "hyper refuses a length that it cannot count"),
    ("answer 1.0 kept *", "program", "connections to the application", "hyper would speak HTTP/1.0 to a server that once did: its connection is not kept"),
    ("answer*304 with*ength*", "program", "generated fields", "S10: hyper's server leaves content-length out of a 304"),
    ("answer to HEAD gzip", "program", "generated fields", SHORTER),
    ("answer to HEAD length x", "program", "generated fields", SHORTER),
    ("answer to HEAD two lengths", "program", "generated fields", SHORTER),
    ("answer early to a part of a large body, [cr]*", "*", "*", "C12: who hangs up within a body may be heard before, or not"),
    ("chunks *", "cut, both", "*", "what stands before a fault has gone to the application, unless it comes together with the fault"),
    ("answer chunks *", "cut, both", "*", "what stands before a fault has gone to the client, unless it comes together with the fault"),
    ("coding *", "cut, both", "*", HYPER_CLOSES),
    ("form *", "cut, both", "*", HYPER_CLOSES),
    ("*refused*", "cut, both", "*", HYPER_CLOSES),
    ("target /aaa*", "cut, both", "*", "hyper looks whether a head is too long before it reads on, and not after"),
    ("other protocol PRI *", "cut, both", "*", FRAMES),
    ("pipeline preface, GET", "cut, both", "*", FRAMES),
]

CONFIG = """
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
public_url = "http://builds.example.com"
public_urls = ["http://inside"]
trusted_proxies = ["127.0.0.2"]
[upstream]
url = "http://127.0.0.1:{port}"
response_timeout = "1s"
[store]
url = "sqlite://linkgate.db"
[login]
method = "file"
[login.file]
path = "users.toml"
[identity]
preset = "remote-user"
[[routes]]
path = "/api/**"
auth = "oauth"
[[routes]]
path = "/static/**"
auth = "none"
[[consumers]]
key = "robot"
shared_secret = "{secret}"
callbacks = ["https://bitbucket.example.com"]
two_legged = true
two_legged_user = "svc-robot"
"""
USERS = '[[users]]\nname = "svc-robot"\ndisplay_name = "Robot"\nsign_in = false\n'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello"
PROBE = b"GET /probe HTTP/1.1\r\nHost: builds.example.com\r\n\r\n"

PROGRAMS = 8  # how many of each run at a time, each with an application of its own
REPEATS = 3  # how often what is not cut is sent
MOMENT = 0.002  # seconds after which a program that sleeps has done what it does at once

C, PR_SET_PDEATHSIG = ctypes.CDLL(None), 1  # a program ends with this one (prctl(2))
GENERATED = {b"date", b"content-length", b"transfer-encoding", b"connection"}
VOLATILE = [  # what differs from one time to the next
    (re.compile(pattern), text)
    for pattern, text in [
        (rb"(?i)\bdate: \w{3}, \d\d \w{3} 20[2-9]\d \d\d:\d\d:\d\d GMT", b"date: NOW"),
        (rb"(Reference: (?:<code>)?|\"reference\":\")[\w-]{9,10}", rb"\1REFERENCE"),
        (rb"\b[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}\b", b"REFERENCE"),
        (rb"(oauth_(?:nonce|timestamp|signature|token|token_secret)=)[\w%.~-]{10,}", rb"\1VOLATILE"),
        (rb"(oauth_acceptable_timestamps=\"?|here%20it%20is%20)[\d-]+", rb"\1VOLATILE"),
    ]
]


@functools.lru_cache(4096)
def steady(data):
    """Bytes without what differs each time."""
    for pattern, text in VOLATILE:
        data = pattern.sub(text, data)
    return data


def steady_field(field, message):
    """The same for a field; a length counts what is left of the body."""
    is_its_length = field.lower() == b"content-length: %d" % len(message.body)
    return b"content-length: %d" % len(steady(message.body)) if is_its_length else steady(field)


# ---- messages


@dataclasses.dataclass
class Message:
    """A message as it came. Chunks are joined: where one ends depends on when bytes came."""

    line: bytes
    fields: list
    body: bytes = b""
    end: str = "none"  # how its body ended: none, length, chunks, connection, or "cut off"
    connection: object = None

    def get(self, name):
        return [field.partition(b":")[2].strip() for field in self.fields if name_of(field) == name]


def name_of(field):
    return field.partition(b":")[0].lower()


def unchunk(data):
    """The content of chunks, what is odd about them, and how long they are; no length: they go on."""
    content, odd, at, size = b"", "", 0, None
    while (end := data.find(b"\r\n", at)) >= 0:
        line, at = data[at:end], end + 2
        if size == 0 and not line:
            return content, odd, at
        if size == 0:
            odd += f" trailer {line!r}"
        elif not re.fullmatch(rb"[1-9A-Fa-f][0-9A-Fa-f]*|0", line):
            return content + data[at:], f" bad chunk {line!r}", None
        elif size := int(line, 16):
            content, at = content + data[at : at + size], at + size + 2
            if len(data) >= at and data[at - 2 : at] != b"\r\n":
                odd += " bad end of a chunk"
    return content, odd, None


def parse(data, bodiless=False, is_answer=False, ended=False):
    """The first message and how many bytes it takes; no number: it is not whole."""
    head, there, rest = data.partition(b"\r\n\r\n")
    if not there:
        return Message(data, [], end="cut off"), None
    at = len(head) + 4
    line, *fields = head.split(b"\r\n")
    message = Message(line, fields)
    if is_answer and (bodiless or re.match(rb"HTTP/1\.\d (1|204|304)", line)):
        return message, at
    length = (message.get(b"content-length") or [b""])[0]
    if message.get(b"transfer-encoding"):
        message.body, odd, used = unchunk(rest)
        message.end = ("chunks" if used else "cut off") + odd
        return message, used and at + used
    if length.isdigit():
        message.body = rest[: int(length)]
        is_whole = len(message.body) == int(length)
        message.end = "length" if is_whole else "cut off"
        return message, at + int(length) if is_whole else None
    if is_answer:
        message.body, message.end = rest, "connection"
        return message, len(data) if ended else None
    return message, at


def frames(data):
    """Type, flags and stream of each frame, if it is HTTP/2 (RFC 9113, section 4.1): what is in them has a date."""
    listed = b""
    while data[:1] == b"\0" and len(data) >= 9:
        listed += b"frame %d %d %d " % (data[3], data[4], int.from_bytes(data[5:9]))
        data = data[9 + int.from_bytes(data[:3]) :]
    return listed + data


# ---- the two ends


class Program:
    """A program that runs, and what stands behind it: one exchange after the other."""

    def __init__(self, binary, folder, processor):
        self.application, self.folder, self.port = Application(self), pathlib.Path(folder), None
        self.folder.mkdir()
        config = CONFIG.format(port=self.application.listener.getsockname()[1], secret=request_shapes.SECRET)
        (self.folder / "linkgate.toml").write_text(config, "utf-8")
        (self.folder / "users.toml").write_text(USERS, "utf-8")
        with open(self.folder / "log", "wb") as log:
            # One processor and so one thread: which connection to the application is used next depends on nothing else.
            self.process = subprocess.Popen(
                [binary, "serve", "--config", "linkgate.toml"], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=lambda: (os.sched_setaffinity(0, {processor}), C.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)),
            )
        self.threads, self.states = f"/proc/{self.process.pid}/task", []
        self.moves = 0  # how often something was sent to it or received from it
        self.plays = 0  # answers of the application that are under way
        self.patience = 1  # how much longer than usual it is waited for

    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    async def start(self):
        asyncio.create_task(self.application.run())
        until = time.monotonic() + 60
        while not (found := re.search(r"public=127\.0\.0\.1:(\d+)", self.log())):
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"a program does not start:\n{self.log()}")
            await asyncio.sleep(0.05)
        self.port = int(found[1])

    def stop(self):
        self.process.kill()
        self.process.wait()

    def is_busy(self):
        """Whether any of its threads does something, or would if it had a processor."""
        try:
            if os.stat(self.threads).st_nlink != len(self.states) + 2:
                self.states = [open(f"{self.threads}/{thread}/stat", "rb", 0) for thread in os.listdir(self.threads)]
            return any(os.pread(state.fileno(), 200, 0).rpartition(b") ")[2][:1] in b"RD" for state in self.states)
        except OSError:
            self.states = []  # a thread has ended, or all have
            return False

    async def sleeps(self, seconds, event=None):
        """Returns when nothing has happened on any side for so long, or when the event has."""
        now = asyncio.get_running_loop().time
        seconds *= self.patience
        until = now() + seconds
        while not (event and event.done()):
            before = self.moves
            step = min(max(until - now(), 0.0005), 0.02)
            await (asyncio.wait([event], timeout=step) if event else asyncio.sleep(step))
            is_busy, is_over = self.is_busy(), now() >= until
            for _ in range(8 if is_over else 0):
                await asyncio.sleep(0)  # what it did before it slept arrives first
            if is_busy or self.moves != before:
                until = now() + seconds
            elif is_over:
                return

    async def exchange(self, shape, cut):
        """Sends a shape; returns what was seen, aspect by aspect."""
        is_request = shape.response is None
        self.application.begin(shape, None if is_request else cut)
        with socket.socket() as sock:
            client = Client(sock, self)
            # Reset at the end, when all has been seen: thousands of closed connections would keep their ports.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if shape.trusted:
                sock.bind(("127.0.0.2", 0))
            try:
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
            except OSError as error:
                return aspects([], str(error), [], cut is None)
            text = shape.request() if callable(shape.request) else shape.request
            await client.send_cut(text.encode("latin-1"), cut if is_request else None)
            state = await client.converse(shape)
            if client.data:
                message, _ = parse(frames(client.data), is_answer=True)
                client.answers.append(dataclasses.replace(message, end="cut off"))
            if cut is None:
                await self.sleeps(MOMENT)
            return aspects(client.answers, state, self.application.finish(), cut is None)


class Connection:
    """One end of a connection, and what has come on it."""

    def __init__(self, sock, program):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.program, self.data, self.state = sock, program, b"", "open"

    async def more(self, seconds=None):
        """Reads on; false: nothing comes, while the program sleeps, for so many seconds, or nothing more will."""
        if self.state != "open":
            return False
        loop, number = asyncio.get_running_loop(), self.sock.fileno()
        ready = loop.create_future()
        loop.add_reader(number, lambda: ready.done() or ready.set_result(True))
        try:
            if seconds is not None:
                await self.program.sleeps(seconds, ready)
                if not ready.done():
                    return False
            await ready
            data = self.sock.recv(1 << 18)
        except OSError:
            self.state = "reset by the program"
            return False
        finally:
            loop.remove_reader(number)
            self.program.moves += ready.done()
        self.data += data
        if not data:
            self.state = "closed by the program"
        return bool(data)

    async def send(self, data):
        """Sends, unless the other side has gone; what came before says why."""
        self.program.moves += 1
        try:
            await asyncio.get_running_loop().sock_sendall(self.sock, data)
        except OSError:
            pass

    async def send_cut(self, data, cut):
        """Sends in two parts, or in one."""
        if cut is not None:
            await self.send(data[:cut])
            await self.program.sleeps(MOMENT)
            data = data[cut:]
        await self.send(data)

    def close_half(self, how=socket.SHUT_WR):
        try:
            self.sock.shutdown(how)
        except OSError:
            pass  # the other side was faster


class Application:
    """What stands behind one program. It records what arrives, and answers as the shape says that is under way."""

    def __init__(self, program):
        self.program = program
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.listener.setblocking(False)
        self.connections, self.tasks = [], set()
        self.begin(None, None)

    def begin(self, shape, cut):
        self.shape, self.cut, self.received = shape, cut, []

    def finish(self):
        """The messages that have arrived, whole or not."""
        for connection in self.connections:
            if connection.data:
                self.note_rest(connection)
                connection.close_half(socket.SHUT_RDWR)
        return self.received

    async def run(self):
        while True:
            sock, _ = await asyncio.get_running_loop().sock_accept(self.listener)
            self.program.moves += 1
            self.connections.append(Connection(sock, self.program))
            task = asyncio.create_task(self.serve(self.connections[-1]))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def serve(self, connection):
        while connection.state == "open":
            await self.serve_one(connection)
        self.note_rest(connection)
        connection.sock.close()
        self.connections.remove(connection)

    def note_rest(self, connection):
        if connection.data:
            message, _ = parse(connection.data)
            message.end, message.connection = "cut off", connection
            self.received.append(message)
            connection.data = b""

    async def serve_one(self, connection):
        is_answered = False
        while True:
            message, used = parse(connection.data)
            path = (message.line.split(b" ") + [b""])[1]
            shape = self.shape if path != b"/probe" and self.shape and self.shape.response is not None else None
            is_early = shape and shape.early and b"\r\n\r\n" in connection.data
            if used:
                message.connection, connection.data = connection, connection.data[used:]
                self.received.append(message)
            if (used or is_early) and not is_answered:
                is_answered = True
                await (self.play(connection, shape) if shape else self.answer(connection, path, message))
            if used or not await connection.more():
                return

    async def answer(self, connection, path, message):
        """Answers as usual."""
        if path == b"/slow":
            await asyncio.sleep(0.5)
        if path != b"/switch" or not message.get(b"upgrade"):
            return await connection.send(ANSWER if message.line.startswith(b"HEAD") else ANSWER + b"ok")
        await connection.send(SWITCH)
        while len(connection.data) < 4 and await connection.more():
            pass
        await connection.send(b"pong")
        connection.state = "closed by the application"

    async def play(self, connection, shape):
        """Answers as a shape says."""
        self.program.plays += 1
        await connection.send_cut(shape.response.encode("latin-1"), self.cut)
        if shape.later:
            await self.program.sleeps(MOMENT)
            await connection.send(shape.later.encode("latin-1"))
        while shape.then in ("close", "reset") and await connection.more(MOMENT):
            pass
        if shape.then == "reset":
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if shape.then != "keep":
            connection.sock.close()
            connection.state = "closed by the application" if connection.state == "open" else connection.state
        self.program.plays -= 1


class Client(Connection):
    """The end from which requests come."""

    def __init__(self, sock, program):
        super().__init__(sock, program)
        self.answers = []

    async def read(self, count, quiet, bodiless=False):
        """Reads so many answers, as far as they come; says whether they did."""
        while count:
            if not b"HTTP/1".startswith(self.data[:6]):
                return False  # something else than an answer
            ended = self.state != "open"
            message, used = parse(self.data, bodiless, True, ended) if self.data else (None, None)
            if used:
                self.answers.append(message)
                self.data = self.data[used:]
                count -= not re.match(rb"HTTP/1\.1 1(?!01)", message.line)
            elif ended or not await self.more(quiet) and self.state == "open":
                return False
        return True

    async def read_all(self, quiet):
        while await self.more(quiet):
            pass

    async def converse(self, shape):
        """Reads what a shape is answered; returns what becomes of the connection."""
        is_complete = await self.read(shape.answers, 0.1 if shape.ends else shape.quiet, shape.head)
        if shape.ends or not is_complete or not shape.answers:
            if not shape.ends:
                await self.read_all(shape.quiet)
            before = self.state
            self.close_half()
            await self.read_all(shape.quiet)
            return self.state if shape.ends or before != "open" else f"more is awaited, then {self.state}"
        if b" 101 " in self.answers[-1].line:
            await self.read_all(shape.quiet)
            return self.state
        says_close = b"close" in b",".join(self.answers[-1].get(b"connection"))
        # What closes the connection without a word does so at once; the next request must not come first.
        while self.program.plays and self.state == "open":
            await self.more(MOMENT)
        await self.more(2 if says_close else MOMENT / 4)
        if says_close or self.state != "open":
            return self.state
        await self.send(PROBE)
        return "kept" if await self.read(1, shape.quiet) else f"no answer to another request, {self.state}"


def aspects(answers, state, received, is_whole):
    """What is compared."""
    # Whether bytes that come too late reset a connection depends on when they come.
    seen = {"connection": state.replace("reset", "closed")}
    for side, messages in (("", answers), ("application's ", received)):
        fields = [[steady_field(field, message) for field in message.fields] for message in messages]
        found = {
            "start line": [steady(message.line) for message in messages],
            "fields": [[field for field in each if name_of(field) not in GENERATED] for each in fields],
            "generated fields": [sorted(field for field in each if name_of(field) in GENERATED) for each in fields],
            "order of fields": [[name_of(field) for field in each] for each in fields],
            "body": [steady(message.body) for message in messages],
            "end of the body": [message.end for message in messages],
        }
        seen.update((side + name, repr(value)) for name, value in found.items())
    if is_whole:
        used = list(dict.fromkeys(message.connection for message in received))
        order = [used.index(message.connection) for message in received]
        seen["end of the connection"] = state
        ends = [connection.state.replace("reset", "closed") for connection in used]
        seen["connections to the application"] = f"{order}: {ends}"
    return seen


# ---- the whole


def cuts(shape):
    """Where a shape is cut: everywhere, or, if it is long, around the ends of lines and here and there."""
    text = shape.response if shape.response is not None else shape.request
    text = text() if callable(text) else text
    if len(text) <= 2000:
        return range(1, len(text))
    lines = [match.start() + near for match in re.finditer("\r\n", text) for near in (0, 1, 2)]
    places = [*lines[:30], *lines[-15:], *range(1, len(text), len(text) // 20)]
    return sorted({at for at in places if 0 < at < len(text)})


@dataclasses.dataclass
class Seen:
    """What one program did."""

    whole: dict  # by shape: of each aspect, what was seen
    cut: list  # of what is cut: shape, place, aspect, and what was seen, if it was not seen of the whole
    counts: collections.Counter
    panics: list


async def observe(label, binary, names, is_quick, folder, patience):
    """Sends everything to one program."""
    processors = sorted(os.sched_getaffinity(0))
    programs = [Program(binary, f"{folder}-{number}", processors[number % len(processors)]) for number in range(PROGRAMS)]
    seen = Seen(collections.defaultdict(lambda: collections.defaultdict(set)), [], collections.Counter(), [])
    shapes = [shape for shape in SHAPES if shape.name in names]
    whole = [(shape, None) for shape in shapes for _ in range(REPEATS)]
    cut = [] if is_quick else [(shape, place) for shape in shapes for place in cuts(shape)]
    try:
        await asyncio.gather(*[program.start() for program in programs])
        for tasks in (whole, cut):
            left = iter(tasks)
            workers = [asyncio.create_task(work(program, left, seen, patience)) for program in programs]
            while (await asyncio.wait(workers, timeout=10))[1]:
                print(f"{label}: {seen.counts['exchanges']} of {len(whole) + len(cut)}", file=sys.stderr, flush=True)
            await asyncio.gather(*workers)
        seen.panics = [line for program in programs for line in program.log().splitlines() if "panicked" in line]
        seen.whole = {name: dict(found) for name, found in seen.whole.items()}
        return seen
    finally:
        for program in programs:
            program.stop()


async def work(program, tasks, seen, patience):
    """Does one program's part of the tasks."""
    for shape, cut in tasks:
        known = seen.whole[shape.name]
        for program.patience in (patience, patience * 5, patience * 25):
            found = await program.exchange(shape, cut)
            strange = [aspect for aspect in found if cut is not None and found[aspect] not in known[aspect]]
            if not strange:
                break
            seen.counts["repeated"] += 1  # on a busy machine, a part may come late
        seen.cut += [(shape.name, cut, aspect, found[aspect]) for aspect in strange]
        for aspect in found if cut is None else ():
            known[aspect].add(found[aspect])
        seen.counts["exchanges"] += 1


def run(job):
    """One program, in a process of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return asyncio.run(observe(*job))


def compare(base, new):
    """All differences: kind, shape, aspect, what one did, what the other did."""
    for name, before in base.whole.items():
        for aspect, old in before.items():
            now = new.whole[name][aspect]
            if old != now:
                yield "program", name, aspect, " | or ".join(sorted(old)), " | or ".join(sorted(now))
    found = {"base": collections.defaultdict(list), "new": collections.defaultdict(list)}
    for label, side in (("base", base), ("new", new)):
        for name, place, aspect, value in side.cut:
            found[label][name, aspect, value].append(place)
        yield from ((f"panic, {label}", "", "log", "", line) for line in side.panics)
    for label, side in (("base", base), ("new", new)):
        for (name, aspect, value), places in found[label].items():
            is_both = all((name, aspect, value) in each for each in found.values())
            whole = " | or ".join(sorted(side.whole[name][aspect]))
            if label == "base" or not is_both:
                yield f"cut, {'both' if is_both else label}", name, aspect, f"{value} (cut at {places[:9]})", whole


def reason(*values):
    """Why a difference is allowed."""
    return next((why for *patterns, why in ALLOWED if all(map(fnmatch.fnmatchcase, values, patterns))), None)


def report(found):
    """Prints the differences; returns of how many shapes they are, but for those that are allowed."""
    reasons, shapes = collections.defaultdict(set), collections.defaultdict(list)
    for kind, name, aspect, *texts in found:
        why = reason(name, kind, aspect)
        if why:
            reasons[why].add(name)
        else:
            shapes[kind, name].append((aspect, texts))
    for (kind, name), differences in sorted(shapes.items()):
        print(f"\n{kind}: {name}")
        listed = [aspect for aspect, _ in differences]
        for aspect, texts in differences:
            side = "application's " * aspect.startswith("application's ")
            if f"{side}start line" in listed and aspect not in (f"{side}start line", "connection", "connections to the application"):
                continue  # other messages have other fields
            at = len(os.path.commonprefix(texts))
            print(f"  {aspect}, from byte {at}")
            for text in texts:
                print(f"    {'...' if at > 80 else ''}{text[max(0, at - 80) : at + 200] or 'nothing'}")
    for why, names in reasons.items():
        few = ", ".join(sorted(names)[:4]) + ", ..." * (len(names) > 4)
        print(f"\nallowed, of {len(names)} shapes ({few}):\n  {why}")
    return len(shapes)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("new")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="*")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    start = time.monotonic()
    binaries = {"base": os.path.abspath(arguments.base), "new": os.path.abspath(arguments.new)}
    with tempfile.TemporaryDirectory(prefix="linkgate-differential.") as folder, multiprocessing.Pool(2) as pool:

        def both(names, is_quick, part, patience):
            jobs = [(label, binary, names, is_quick, f"{folder}/{part}-{label}", patience) for label, binary in binaries.items()]
            return pool.map(run, jobs, chunksize=1)

        names = {shape.name for shape in SHAPES if fnmatch.fnmatchcase(shape.name, arguments.only)}
        base, new = both(names, arguments.quick, "first", 1)
        found = compare(base, new)
        suspects = {name for kind, name, aspect, *_ in found if kind == "program" and not reason(name, kind, aspect)}
        if suspects:  # what counts is seen twice: on a busy machine, something may come late
            again = both(suspects, True, "second", 3)
            for name in suspects:
                if again[0].whole[name] == again[1].whole[name]:
                    print(f"not seen again: {name}")
                base.whole[name], new.whole[name] = again[0].whole[name], again[1].whole[name]
    bad = report(compare(base, new))
    counts = base.counts + new.counts
    requests = sum(shape.response is None and shape.name in names for shape in SHAPES)
    print(f"\n{requests} requests and {len(names) - requests} answers, {counts['exchanges']} exchanges", end=" ")
    print(f"and {counts['repeated']} once more, in {time.monotonic() - start:.0f} s:", end=" ")
    print(f"{bad} shapes differ" if bad else "no difference that is not allowed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
