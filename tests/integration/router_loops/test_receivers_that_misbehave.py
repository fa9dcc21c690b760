"""Receivers that answer slowly, endlessly, in pieces or in nonsense: one attempt each, soon over."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import perf_counter

import httpcore
import pytest

from heardback_router.deliveries.addresses import UrlRules
from heardback_router.deliveries.bounded import AT_ONCE, MOST_READ, BoundedStream
from heardback_router.deliveries.domain import EXCERPT_BYTES, Response
from heardback_router.deliveries.httpcore_sender import HttpcoreSender, SystemResolver

SECONDS = 1.5
OK = b"HTTP/1.1 200 OK\r\n"
Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def forever(writer: asyncio.StreamWriter, piece: bytes, every: float = 0.0) -> None:
    while not writer.is_closing():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(every)


def says(*pieces: bytes) -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return act


async def drips_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    await forever(writer, b"X-A: b\r\n", 0.05)


async def never_ends(writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Content-Type: text/plain\r\n\r\n")
    await forever(writer, b"x" * 65_536)


async def floods_with_interim_answers(writer: asyncio.StreamWriter) -> None:
    await forever(writer, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2_000)


async def hears_and_hangs(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


BOMB = gzip.compress(b"0" * 50_000_000)
NO_ANSWER = f"no answer within {SECONDS:g} s"

CASES: dict[str, tuple[Act, int | None, str]] = {
    "headers that never end": (drips_headers, None, NO_ANSWER),
    "a body that never ends": (never_ends, 200, ""),
    "interim answers without end": (floods_with_interim_answers, None, ""),
    "no answer at all": (hears_and_hangs, None, NO_ANSWER),
    "a header of a megabyte": (says(OK + b"X-A: " + b"a" * 1_000_000), None, ""),
    "a hundred thousand headers": (says(OK, *[b"X-A: b\r\n" * 1_000] * 100), None, ""),
    "go on, then yes": (says(b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"Content-Length: 0\r\n\r\n"), 200, ""),
    "another protocol": (
        says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        None,
        "ProtocolError",
    ),
    "chunks that are none": (says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nno\r\n"), 200, ""),
    "a chunk of a negative size": (says(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nno\r\n"), 200, ""),
    "a gzip bomb": (
        says(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB),
        200,
        "",
    ),
    "HTTP of 1996": (says(b"HTTP/1.0 200 OK\r\n\r\nthanks"), 200, ""),
    "less than was promised": (says(OK + b"Content-Length: 100\r\n\r\nhalf"), 200, ""),
    "two lengths": (says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), None, "ProtocolError"),
    "nothing": (says(), None, "ProtocolError"),
    "no HTTP": (says(b"SSH-2.0-OpenSSH_9.6\r\n"), None, "ProtocolError"),
    "a status that is none": (says(b"HTTP/1.1 20 OK\r\n\r\n"), None, "ProtocolError"),
    "a status that says nothing": (says(b"HTTP/1.1 999 ???\r\nContent-Length: 0\r\n\r\n"), 999, ""),
    "bytes that are no text": (says(OK + b"Content-Length: 4\r\n\r\n\x00\xff\xfe\x00"), 200, ""),
}


@asynccontextmanager
async def receiver(act: Act) -> AsyncIterator[str]:
    serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving[task] = writer
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await act(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/in"
    server.close()
    for task, writer in serving.items():
        writer.transport.abort()
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
    await server.wait_closed()


@asynccontextmanager
async def sending() -> AsyncIterator[HttpcoreSender]:
    rules = UrlRules(allow_loopback=True)
    made = HttpcoreSender(
        SystemResolver(), rules, timeout_seconds=SECONDS, connections=4, user_agent="heardback/test"
    )
    yield made
    await made.close()


@pytest.mark.parametrize("name", CASES)
async def test_one_failed_attempt_soon_over_and_small(name: str) -> None:
    act, status, error = CASES[name]
    async with receiver(act) as url, sending() as sender:
        tracemalloc.start()
        started = perf_counter()
        got = await sender.send(url, {"webhook-id": "msg_1"}, b"{}")
        took = perf_counter() - started
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert got.status == status, got
    assert error in (got.error or "")
    assert len(got.excerpt.encode()) <= EXCERPT_BYTES
    assert "\x00" not in got.excerpt
    assert took < SECONDS + 5
    assert peak < 8_000_000


class Flood(httpcore.AsyncNetworkStream):
    """As many bytes as are asked for, for ever."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return b"x" * max_bytes

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """It takes whatever comes."""


async def test_a_connection_takes_so_much_of_an_answer_in_small_pieces_and_anew_with_each_request() -> None:
    stream = BoundedStream(Flood())
    for _ in range(2):
        await stream.write(b"POST")
        taken = [len(await stream.read(1_000_000)) for _ in range(MOST_READ // AT_ONCE)]
        assert (max(taken), sum(taken)) == (AT_ONCE, MOST_READ)
        with pytest.raises(httpcore.ReadError, match="the answer is longer than 131072 bytes"):
            await stream.read(1_000_000)


async def test_after_any_of_them_the_sender_still_delivers() -> None:
    async with sending() as sender:
        for act, _, _ in CASES.values():
            async with receiver(act) as url:
                await asyncio.gather(*(sender.send(url, {}, b"{}") for _ in range(2)))
        async with receiver(says(OK + b"Content-Length: 2\r\n\r\nok")) as url:
            assert await sender.send(url, {}, b"{}") == Response(200, None, "ok")
