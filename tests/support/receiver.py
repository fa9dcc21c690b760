"""A customer's webhook receiver: agrees to handshakes, verifies every signature, keeps what came."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from heardback_router.deliveries.verifying import UnverifiedError, verify


@dataclass
class Message:
    id: str
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        return dict(orjson.loads(self.body)["data"])


@dataclass
class Receiver:
    """A plain HTTP server on loopback. `answers` are statuses to give, one per request; then 200."""

    secret: str | None = None
    answers: list[int] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    badly_signed: int = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"

    def bodies_by_id(self) -> dict[str, set[bytes]]:
        bodies: dict[str, set[bytes]] = {}
        for message in self.messages:
            bodies.setdefault(message.id, set()).add(message.body)
        return bodies

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            if head.startswith("OPTIONS "):
                writer.write(
                    b"HTTP/1.1 200 X\r\nwebhook-allowed-origin: *\r\ncontent-length: 0\r\n"
                    b"connection: close\r\n\r\n"
                )
                await writer.drain()
                return
            status = self.answers.pop(0) if self.answers else 200
            self._keep(headers, body)
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _keep(self, headers: dict[str, str], body: bytes) -> None:
        self.messages.append(Message(headers.get("webhook-id", ""), body))
        if self.secret is not None:
            try:
                verify(headers, body, [self.secret], datetime.now(UTC))
            except UnverifiedError:
                self.badly_signed += 1
