"""A webhook receiver on loopback that answers as it is told, remembers all, and agrees to handshakes."""

import asyncio
import base64
import hashlib
import hmac
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True)
class Reply:
    """`hold` keeps the answer back until it is set; `drip` sends the body byte by byte and never ends."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"thanks"
    hold: asyncio.Event | None = None
    hang_up: bool = False
    drip: bool = False


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    def signed_by(self, secret: str) -> bool:
        """By the arithmetic of the specification, whatever the clock says."""
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return expected in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """`handshake` answers OPTIONS, which is remembered in `asked`. To POST, `replies` are used up in order,
    then `usual` holds; per path where the path has replies of its own."""

    replies: deque[Reply] = field(default_factory=deque)
    usual: Reply = field(default_factory=Reply)
    by_path: dict[str, Reply] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    handshake: Reply = field(default_factory=lambda: Reply(headers=(("WebHook-Allowed-Origin", "*"),)))
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    echo: bool = False
    """Answers pings with their challenge."""
    most_at_once: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        self._busy: dict[str, int] = defaultdict(int)
        self._open: set[asyncio.Task[Any]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    def url(self, path: str = "/in") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def bodies_by_id(self) -> dict[str, set[bytes]]:
        bodies: dict[str, set[bytes]] = defaultdict(set)
        for one in self.received:
            bodies[one.id].add(one.body)
        return bodies

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._open.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = head[0].split(" ")
        if method == "OPTIONS":
            self.asked.append((path, headers))
            self.arrived.set()
            if self.handshake.hold is not None:
                await self.handshake.hold.wait()
            await self._answer(writer, self.handshake)
            return True
        self.received.append(Received(path, headers, body))
        self.arrived.set()
        if self.echo and b'"challenge"' in body:
            await self._answer(writer, Reply(200, body=orjson.dumps(orjson.loads(body)["data"])))
            return True
        reply = self.by_path.get(path) or (self.replies.popleft() if self.replies else self.usual)
        self._busy[path] += 1
        self.most_at_once[path] = max(self.most_at_once[path], self._busy[path])
        try:
            if reply.hold is not None:
                await reply.hold.wait()
        finally:
            self._busy[path] -= 1
        if reply.hang_up:
            return False
        await self._answer(writer, reply)
        return not reply.drip

    async def _answer(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{k}: {v}" for k, v in reply.headers)]
        length = 1_000_000_000 if reply.drip else len(reply.body)
        lines.append(f"Content-Length: {length}")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + reply.body)
        await writer.drain()
        while reply.drip:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)
