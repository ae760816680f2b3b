"""Web sockets by a library that nobody here wrote, on both sides of linkgate.

sockets.py serve PORT                          an application: echoes, after it said whom it sees
sockets.py call BASE KEY SECRET [CA_FILE]      a client of linkgate's
"""

import asyncio
import json
import ssl
import sys

from oauthlib.oauth1 import Client
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidStatus


async def application(socket):
    headers = socket.request.headers
    seen = {name: headers.get_all(name) for name in ("Remote-User", "X-Linkgate-Call", "Authorization", "Upgrade")}
    await socket.send(json.dumps({"path": socket.request.path, **seen}))
    async for message in socket:
        if message == "close":
            await socket.close(4001, "as you wish")
        await socket.send(message)


async def listen(port):
    async with serve(application, "127.0.0.1", port, max_size=None):
        await asyncio.get_running_loop().create_future()


async def call(base, key, secret, ca_file=None):
    context = ssl.create_default_context(cafile=ca_file) if ca_file else None
    target = f"{base}/chat?xoauth_requestor_id=alice&q=%2F"
    address = target.replace("http", "ws", 1)
    _, signed, _ = Client(key, client_secret=secret).sign(target)

    def open_socket(address, headers):
        return connect(address, additional_headers=headers, ssl=context, max_size=None, proxy=None)

    async with open_socket(address, {**signed, "Remote-User": "mallory"}) as socket:
        seen = json.loads(await socket.recv())
        assert seen["path"] == "/chat?xoauth_requestor_id=alice&q=%2F", seen
        assert seen["Remote-User"] == ["alice"] and seen["X-Linkgate-Call"] == ["impersonated"], seen
        assert seen["Authorization"] == [] and seen["Upgrade"] == ["websocket"], seen
        for message in ("text: äöü", b"\0\xff" * 500_000, ""):
            await socket.send(message)
            assert await socket.recv() == message
        await (await socket.ping())
        await socket.send("close")
        try:
            await socket.recv()
        except ConnectionClosed as end:
            assert (end.rcvd.code, end.rcvd.reason) == (4001, "as you wish"), end
        else:
            raise AssertionError("the socket is still open")
    print("a signed socket: ok")

    async with open_socket(address, {"Remote-User": "mallory", "remote_user": "mallory"}) as socket:
        seen = json.loads(await socket.recv())
        assert seen["Remote-User"] == [] and seen["X-Linkgate-Call"] == [], seen
    print("an unsigned socket: ok")

    for refused, headers in ((address, signed), (address.replace("alice", "bob"), signed)):
        try:
            async with open_socket(refused, headers):
                raise AssertionError("a replay, or a changed call, came through")
        except InvalidStatus as error:
            assert error.response.status_code == 401, error
    print("refused sockets: ok")


if sys.argv[1] == "serve":
    asyncio.run(listen(int(sys.argv[2])))
else:
    asyncio.run(call(*sys.argv[2:]))
