"""Where a webhook may go. A URL is read once, strictly; every address behind its name must be public."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NoReturn

Address = IPv4Address | IPv6Address

# Strict on purpose, so that what is checked and what is connected to cannot be read in two ways.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://"
    r"(?P<authority>[^/?#]*)"
    r"(?P<target>(?:/[!$-;=?-Z_a-z~\[\]%]*)?(?:\?[!$-;=?-Z_a-z~\[\]%]*)?)"
)
_AUTHORITY = re.compile(r"(?P<host>[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL_SUFFIXES = (
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
)

_REFUSED = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "this host"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared carrier space"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),
        ("169.254.0.0/16", "link-local, where cloud metadata lives"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4 relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("::1/128", "loopback"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b::/96", "NAT64"),
        ("64:ff9b:1::/48", "NAT64"),
        ("2001::/23", "IETF protocol space (Teredo and others)"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_IPV6 = ip_network("2000::/3")


class RefusedError(ValueError):
    """The URL, or an address behind it, is none a webhook may go to. The message says why."""


@dataclass(frozen=True, slots=True)
class UrlRules:
    """`allow_loopback` is for one machine: http and any port, for hosts that are loopback by name."""

    ports: frozenset[int] = frozenset({443, 8443})
    allow_loopback: bool = False
    max_length: int = 2_000


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. `host` is lower case, without brackets; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str


def read_url(url: str, rules: UrlRules) -> Target:
    """Raises RefusedError when the URL itself already says that it must not be called."""
    target = _take_apart(url, rules.max_length)
    if not 0 < target.port < 65_536:
        _refuse(f"port {target.port} does not exist")
    if rules.allow_loopback and is_loopback_host(target.host):
        return target
    _check_host(target.host)
    if target.scheme != "https":
        _refuse(f"the scheme is {target.scheme}; send https")
    if target.port not in rules.ports:
        _refuse(f"port {target.port} is not among those allowed: {', '.join(map(str, sorted(rules.ports)))}")
    return target


def _take_apart(url: str, max_length: int) -> Target:
    if len(url) > max_length:
        _refuse(f"the URL is longer than {max_length} characters")
    if not url.isascii():
        _refuse("the URL holds characters outside ASCII; write the host in punycode and encode the path")
    match = _URL.fullmatch(url)
    if match is None:
        _refuse("not an absolute URL of plain characters without a fragment; send https://host/path")
    scheme, authority = match["scheme"].lower(), match["authority"]
    if scheme not in {"https", "http"}:
        _refuse(f"the scheme is {scheme}; send https")
    if "@" in authority:
        _refuse("the URL carries a user name or password; deliveries are signed instead")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        _refuse("the host is not a plain name or address with an optional port")
    port = int(parts["port"] or (443 if scheme == "https" else 80))
    path = match["target"]
    return Target(
        scheme,
        parts["host"].strip("[]").lower().removesuffix("."),
        port,
        path if path.startswith("/") else "/" + path,
    )


def is_loopback_host(host: str) -> bool:
    """True for `localhost` and literal loopback addresses, in their plain spelling only."""
    if host == "localhost":
        return True
    address = _literal(host)
    return address is not None and address.is_loopback


def check_addresses(addresses: Iterable[Address], *, loopback: bool) -> None:
    """Raises RefusedError unless there is an address and every one may be connected to.

    One bad address among good ones refuses all: a name that mixes them is trying something. With `loopback`
    only loopback addresses are let through.
    """
    found = list(addresses)
    if not found:
        _refuse("the name has no address")
    for address in found:
        if loopback:
            if not address.is_loopback:
                _refuse(f"{address} is not a loopback address, though the host is a loopback name")
        else:
            because = refused_because(address)
            if because:
                _refuse(f"{address} is not a public address ({because})")


def refused_because(address: Address) -> str | None:
    """What kind of address this is, if it is none of the public internet."""
    for network, what in _REFUSED:
        if address.version == network.version and address in network:
            return what
    if isinstance(address, IPv6Address) and address not in _GLOBAL_IPV6:
        return "outside global unicast"
    return None


def _check_host(host: str) -> None:
    address = _literal(host)
    if address is not None:
        check_addresses([address], loopback=False)
        return
    if ":" in host:
        _refuse("the host is not an IPv6 address")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        _refuse("the host is a number that some programs read as an address; write it as a.b.c.d")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        _refuse("the host is not a valid name")
    if len(labels) < 2 or host.endswith(tuple("." + suffix for suffix in _LOCAL_SUFFIXES)):
        _refuse(f"{host} is a local name; send a public one")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _refuse(because: str) -> NoReturn:
    raise RefusedError(because)
