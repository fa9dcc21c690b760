"""POSTs over a connection that is pinned to checked addresses.

httpcore is used directly: unlike a full client it follows no redirect, reads no proxy settings, keeps no
cookies and unpacks no body, so there is nothing to switch off.
"""

import asyncio
import importlib.util
import socket
import ssl
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from ipaddress import ip_address

import h11
import httpcore
import httpx
import structlog

from heardback_router.deliveries.addresses import (
    Address,
    RefusedError,
    Target,
    UrlRules,
    check_addresses,
    is_loopback_host,
    read_url,
)
from heardback_router.deliveries.bounded import BoundedStream
from heardback_router.deliveries.domain import EXCERPT_BYTES, Response, excerpt
from heardback_router.deliveries.ports import Resolver
from heardback_router.deliveries.proxy import Proxy, ProxyRefusesError, tunnel

_log = structlog.get_logger(__name__)

# httpcore looks for this package several times per request; where it is absent, each look searches the disk.
if "sniffio" not in sys.modules and importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class SystemResolver:
    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ip_address(str(entry[4][0]).split("%", 1)[0]) for entry in found]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name once, refuses it unless every address is allowed, and connects to those addresses only.

    TLS and the Host header still use the name: httpcore takes them from the URL.
    """

    def __init__(
        self,
        resolver: Resolver,
        rules: UrlRules,
        inner: httpcore.AsyncNetworkBackend | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self._proxy = proxy
        self._resolver = resolver
        self._rules = rules
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the signature is httpcore's)
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolver.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name could not be resolved") from error
        check_addresses(addresses, loopback=self._rules.allow_loopback and is_loopback_host(host))
        failure: Exception | None = None
        for address in dict.fromkeys(addresses):
            try:
                return BoundedStream(
                    await self._connect(address, port, timeout, local_address, socket_options)
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError) as error:
                failure = error
        raise failure or httpcore.ConnectError("no address could be reached")

    async def _connect(
        self,
        address: Address,
        port: int,
        timeout: float | None,  # noqa: ASYNC109  (the signature is httpcore's)
        local_address: str | None,
        socket_options: Iterable[SocketOption] | None,
    ) -> httpcore.AsyncNetworkStream:
        if self._proxy is None or address.is_loopback:
            return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
        try:
            stream = await self._inner.connect_tcp(
                self._proxy.host, self._proxy.port, timeout, local_address, socket_options
            )
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise ProxyRefusesError("the proxy for webhooks cannot be reached") from error
        try:
            await tunnel(stream, self._proxy, address, port, timeout)
        except BaseException as error:
            await stream.aclose()
            if isinstance(error, h11.RemoteProtocolError):
                raise httpcore.ProxyError("the proxy did not answer in HTTP") from error
            raise
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  (the signature is httpcore's)
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise RefusedError("webhooks do not go to sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities this process trusts, read once, as reading takes long."""
    return httpx.create_ssl_context(trust_env=True)


class HttpcoreSender:
    """`timeout_seconds` bounds an attempt as a whole, however slowly the receiver drips."""

    def __init__(
        self,
        resolver: Resolver,
        rules: UrlRules,
        *,
        timeout_seconds: float,
        connections: int,
        user_agent: str,
        backend: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self._rules = rules
        self._timeout = timeout_seconds
        self._user_agent = user_agent
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or _trusted(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=5,
            network_backend=GuardedBackend(resolver, rules, backend, proxy),
        )

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        return await self._try(b"POST", url, {"content-type": "application/json", **headers}, body)

    async def ask(self, url: str, headers: Mapping[str, str]) -> Response:
        return await self._try(b"OPTIONS", url, headers, b"")

    async def _try(self, method: bytes, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            target = read_url(url, self._rules)
            async with asyncio.timeout(self._timeout) as deadline:
                return await self._request(method, target, headers, body, deadline)
        except RefusedError as error:
            return Response(None, f"refused: {error}")
        except ProxyRefusesError as error:
            _log.error("delivery.proxy_refuses", because=str(error))
            return Response(None, str(error), ours=True)
        except (TimeoutError, httpcore.TimeoutException):
            return Response(None, f"no answer within {self._timeout:g} s")
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.ProxyError,
            httpcore.UnsupportedProtocol,
            OSError,
        ) as error:
            return Response(None, f"{type(error).__name__}: {error}".replace("\x00", "")[:300])
        except Exception as error:
            # Whatever one receiver manages to provoke is a failed attempt of its own, and stops nobody else.
            _log.error("delivery.unexpected", error=type(error).__name__)
            return Response(None, f"unexpected {type(error).__name__}")

    async def _request(
        self,
        method: bytes,
        target: Target,
        headers: Mapping[str, str],
        body: bytes,
        deadline: asyncio.Timeout,
    ) -> Response:
        sent = {"user-agent": self._user_agent, **headers}
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.target.encode(),
        )
        limits = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)
        async with self._pool.stream(
            method, url, headers=list(sent.items()), content=body, extensions={"timeout": limits}
        ) as response:
            answer = {k.lower(): v for k, v in response.headers}
            return Response(
                status=response.status,
                excerpt=excerpt(await self._beginning(response, deadline)),
                retry_after=_text(answer.get(b"retry-after")),
                abort=(_text(answer.get(b"webhook-delivery")) or "").strip().lower() == "abort-message",
                allowed_origin=_text(answer.get(b"webhook-allowed-origin")),
                allowed_rate=_text(answer.get(b"webhook-allowed-rate")),
            )

    async def _beginning(self, response: httpcore.Response, deadline: asyncio.Timeout) -> bytes:
        """Never more than the log keeps. The status is the answer: a body that breaks off changes nothing."""
        read = bytearray()
        left = (deadline.when() or 0) - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(min(left - 0.5, 2.0), 0.05)):
                async for chunk in response.aiter_stream():
                    read += chunk
                    if len(read) >= EXCERPT_BYTES:
                        break
        except (TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
            _log.debug("delivery.answer_broke_off", status=response.status)
        return bytes(read)

    async def close(self) -> None:
        await self._pool.aclose()


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1") if value is not None else None
