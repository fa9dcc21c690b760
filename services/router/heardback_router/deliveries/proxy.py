"""Webhooks by way of an egress proxy: CONNECT to the address that was checked here, never to a name.

The proxy is the operator's own and is not subject to the guard. TLS to the receiver goes through the tunnel,
with the receiver's name, so the proxy sees addresses and ciphertext.
"""

import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import h11
import httpcore

from heardback_router.deliveries.addresses import Address


@dataclass(frozen=True, slots=True)
class Proxy:
    host: str
    port: int
    authorization: str | None = None


def read_proxy(url: str) -> Proxy:
    """Raises ValueError. The message never shows the password."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("the webhook proxy is http://host:port") from error
    if parts.scheme != "http" or not host or not port or parts.path.strip("/") or parts.query:
        raise ValueError("the webhook proxy is http://host:port")
    if parts.username is None:
        return Proxy(host, port)
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port, "Basic " + base64.b64encode(pair.encode()).decode())


class ProxyRefusesError(httpcore.ProxyError):
    """The proxy will not do what we ask: that is ours to mend, and says nothing about the receiver."""


_REFUSALS = frozenset({400, 401, 403, 405, 407, 501})


async def tunnel(
    stream: httpcore.AsyncNetworkStream, proxy: Proxy, address: Address, port: int, seconds: float | None
) -> None:
    """Asks the proxy for a tunnel; after this the stream leads to the address. Raises httpcore.ProxyError,
    ProxyRefusesError where it is not the receiver that could not be reached."""
    host = f"[{address}]" if address.version == 6 else str(address)
    headers = [("Host", f"{host}:{port}")]
    if proxy.authorization:
        headers.append(("Proxy-Authorization", proxy.authorization))
    connection = h11.Connection(our_role=h11.CLIENT)
    request = h11.Request(method="CONNECT", target=f"{host}:{port}", headers=headers)
    await stream.write(connection.send(request) + connection.send(h11.EndOfMessage()), seconds)
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await stream.read(4_096, seconds))
        elif isinstance(event, h11.Response):
            break
        elif not isinstance(event, h11.InformationalResponse):
            raise httpcore.ProxyError("the proxy closed the connection")
    if event.status_code in _REFUSALS:
        raise ProxyRefusesError(
            f"the proxy answered {event.status_code} to CONNECT {host}:{port}. It must let us connect to "
            "addresses and take our user name; one that takes names only cannot be used, as what is checked "
            "here would not be what it connects to"
        )
    if not 200 <= event.status_code < 300:
        raise httpcore.ProxyError(f"the proxy answered {event.status_code}")
