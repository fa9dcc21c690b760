"""What leaves by way of a proxy, and what never leaves: rebinding names and redirects, on every path."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest
from tests.integration.router_loops.test_webhook_tls import NAME, PUBLIC, certificate

from heardback_router.deliveries.addresses import Address, UrlRules
from heardback_router.deliveries.domain import Response
from heardback_router.deliveries.httpcore_sender import HttpcoreSender, SocketOption
from heardback_router.deliveries.proxy import Proxy, read_proxy

URL = f"https://{NAME}/in"


class Names:
    """One set of answers after the other; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = [*answers]

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [ip_address(a) for a in answer]


class Internet(httpcore.AsyncNetworkBackend):
    """Leads the public address to a port of this machine, and everything else where it says."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._real = httpcore.AnyIOBackend()
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        to = ("127.0.0.1", self._port) if host == PUBLIC else (host, port)
        return await self._real.connect_tcp(*to, timeout)


@dataclass
class ProxyServer:
    """A real CONNECT proxy on loopback. It too finds the public address at a port of this machine."""

    target: int
    answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    heads: list[bytes] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        writer.write(self.answer)
        await writer.drain()
        if b" 200 " not in self.answer:
            writer.close()
            return
        onward = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(_pump(reader, onward[1]), _pump(onward[0], writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def running(proxy: ProxyServer) -> AsyncIterator[ProxyServer]:
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    server.close()
    await server.wait_closed()


@dataclass
class TlsServer:
    port: int
    pair: Path
    heads: list[bytes]
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TlsServer]:
    pair = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair)
    made = TlsServer(0, pair, [])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(made.answer)
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


async def send(
    server: TlsServer, names: Names, internet: Internet, proxy: Proxy | None = None, *, ask: bool = False
) -> Response:
    sender = HttpcoreSender(
        names,
        UrlRules(),
        timeout_seconds=5,
        connections=1,
        user_agent="test",
        backend=internet,
        tls=ssl.create_default_context(cafile=server.pair),
        proxy=proxy,
    )
    try:
        return await (sender.ask(URL, {}) if ask else sender.send(URL, {}, b"{}"))
    finally:
        await sender.close()


async def test_a_normal_endpoint_is_reached(server: TlsServer) -> None:
    internet = Internet(server.port)
    assert (await send(server, Names([PUBLIC]), internet)).status == 200
    assert internet.connected == [(PUBLIC, 443)]


@pytest.mark.parametrize("ask", [False, True])
async def test_a_rebinding_name_is_refused_the_moment_it_turns_private(server: TlsServer, ask: bool) -> None:
    """The receiver listens on loopback all along: only the guard keeps it from being reached as 127.0.0.1."""
    internet, names = Internet(server.port), Names([PUBLIC], ["127.0.0.1"])
    assert (await send(server, names, internet, ask=ask)).status == 200
    after = await send(server, names, internet, ask=ask)
    assert (after.status, after.error) == (None, "refused: 127.0.0.1 is not a public address (loopback)")
    assert internet.connected == [(PUBLIC, 443)]
    assert len(server.heads) == 1


@pytest.mark.parametrize("ask", [False, True])
async def test_a_redirect_is_not_followed_by_a_post_nor_by_a_handshake(server: TlsServer, ask: bool) -> None:
    server.answer = b"HTTP/1.1 307 X\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    internet = Internet(server.port)
    assert (await send(server, Names([PUBLIC]), internet, ask=ask)).status == 307
    assert internet.connected == [(PUBLIC, 443)]


async def test_a_proxy_is_given_the_checked_address_and_the_receiver_its_name(server: TlsServer) -> None:
    async with running(ProxyServer(server.port)) as proxy:
        internet = Internet(0)
        through = read_proxy(f"http://ann:p%40ss@127.0.0.1:{proxy.port}")
        answer = await send(server, Names([PUBLIC]), internet, through)
    assert (answer.status, answer.error) == (200, None)
    assert internet.connected == [("127.0.0.1", proxy.port)]
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT {PUBLIC}:443 HTTP/1.1\r\n".encode())
    assert b"proxy-authorization: basic yw5uonbac3m=" in head.lower()
    assert NAME.encode() not in head
    assert f"host: {NAME}\r\n".encode() in server.heads[0].lower()


async def test_behind_a_proxy_private_addresses_are_refused_all_the_same(server: TlsServer) -> None:
    async with running(ProxyServer(server.port)) as proxy:
        through = Proxy("127.0.0.1", proxy.port)
        for private in ("10.0.0.7", "127.0.0.1", "169.254.169.254"):
            answer = await send(server, Names([private]), Internet(0), through)
            assert answer.error is not None
            assert answer.error.startswith(f"refused: {private} is not a public address")
    assert proxy.heads == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answered 407 to CONNECT 93."),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy answered 403 to CONNECT 93."),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "ProxyError: the proxy answered 502"),
        (b"SSH-2.0-x 200 \r\n\r\n", "ProxyError: the proxy did not answer in HTTP"),
        (b"", "ProxyError: the proxy"),
    ],
)
async def test_a_proxy_that_refuses_is_a_failed_attempt(server: TlsServer, said: bytes, error: str) -> None:
    async with running(ProxyServer(server.port, said)) as proxy:
        answer = await send(server, Names([PUBLIC]), Internet(0), Proxy("127.0.0.1", proxy.port))
    assert answer.status is None
    assert answer.error is not None
    assert answer.error.startswith(error)
    assert answer.ours == (b" 40" in said)  # what the proxy refuses is no fault of the receiver's
    assert ("takes names only" in answer.error) == answer.ours
    assert server.heads == []


async def test_a_proxy_that_is_not_there_is_no_fault_of_the_receiver(server: TlsServer) -> None:
    answer = await send(server, Names([PUBLIC]), Internet(0), Proxy("127.0.0.1", 1))
    assert (answer.error, answer.ours) == ("the proxy for webhooks cannot be reached", True)


@pytest.mark.parametrize(
    "url",
    ["proxy:3128", "https://proxy:3128", "http://proxy", "http://:3128", "http://proxy:x", "http://p:1/x"],
)
def test_a_proxy_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the webhook proxy is http://host:port$"):
        read_proxy(url)
