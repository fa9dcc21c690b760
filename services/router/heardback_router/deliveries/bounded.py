"""A connection that takes no more of one answer than an answer needs, however much is sent."""

import ssl
from typing import Any

import httpcore

MOST_READ = 128 * 1024
"""Of one answer, head and beginning of the body together."""
AT_ONCE = 8 * 1024
"""What is read is worked off before anybody else has a turn: so little that nobody waits."""


class BoundedStream(httpcore.AsyncNetworkStream):
    """Every request is a write, and begins the count anew: connections are used again."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._read = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if self._read >= MOST_READ:
            raise httpcore.ReadError(f"the answer is longer than {MOST_READ} bytes")
        got = await self._inner.read(min(max_bytes, AT_ONCE), timeout)
        self._read += len(got)
        return got

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._read = 0
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return BoundedStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
