"""Nothing but public addresses is ever connected to, however the URL or the name behind it is dressed up."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.router_loops.hostile_targets import HOSTILE_TARGETS

from heardback_router.deliveries.addresses import (
    Address,
    RefusedError,
    Target,
    UrlRules,
    check_addresses,
    read_url,
    refused_because,
)
from heardback_router.deliveries.httpcore_sender import GuardedBackend, HttpcoreSender, SocketOption

PUBLIC = "93.184.215.14"
RULES = UrlRules()
LOOPBACK_RULES = UrlRules(allow_loopback=True)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(("url", "reason"), HOSTILE_TARGETS)
def test_a_hostile_url_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=re.escape(reason)):
        read_url(url, RULES)


@pytest.mark.parametrize(
    "url",
    [
        u
        for u, _ in HOSTILE_TARGETS
        if "127.0.0.1/hook" not in u and "localhost/" not in u.lower() and "::1]" not in u
    ],
)
def test_the_loopback_setting_opens_nothing_but_plain_loopback(url: str) -> None:
    try:
        target = read_url(url, LOOPBACK_RULES)
    except RefusedError:
        return
    assert target.host in {"localhost", "::1"} or ip_address(target.host).is_loopback


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com/in?a=1", Target("https", "hooks.example.com", 443, "/in?a=1")),
        ("https://Hooks.Example.com:8443", Target("https", "hooks.example.com", 8443, "/")),
        ("https://xn--bcher-kva.example?x", Target("https", "xn--bcher-kva.example", 443, "/?x")),
        (f"https://{PUBLIC}/hook", Target("https", PUBLIC, 443, "/hook")),
        ("https://[2606:4700::1111]/h", Target("https", "2606:4700::1111", 443, "/h")),
    ],
)
def test_a_normal_url_passes(url: str, target: Target) -> None:
    assert read_url(url, RULES) == target


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/in", "http://localhost:9000/in", "http://[::1]:9000/in"]
)
def test_loopback_passes_with_the_setting_and_only_then(url: str) -> None:
    assert read_url(url, LOOPBACK_RULES).port == 9000
    with pytest.raises(RefusedError):
        read_url(url, RULES)


class Names:
    """A resolver that gives one set of answers after the other; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [ip_address(a) for a in answer]


class Wire(httpcore.AsyncNetworkBackend):
    """Remembers where it was told to connect; answers what it was given."""

    def __init__(self, *answer: bytes) -> None:
        self._answer = list(answer)
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
        return _Stream([*self._answer])


class _Stream(httpcore.AsyncMockStream):
    sni: str | None = None

    async def start_tls(
        self,
        ssl_context: object,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        seen_names.append(server_hostname)
        return self


seen_names: list[str | None] = []


def sender(names: Names, wire: Wire, rules: UrlRules = RULES) -> HttpcoreSender:
    return HttpcoreSender(names, rules, timeout_seconds=5, connections=2, user_agent="test", backend=wire)


PRIVATE_ANSWERS = [
    (["127.0.0.1"], "loopback"),
    (["10.0.0.7"], "private"),
    (["169.254.169.254"], "cloud metadata"),
    (["::1"], "loopback"),
    (["::ffff:10.0.0.7"], "IPv4-mapped"),
    (["64:ff9b::a00:7"], "NAT64"),
    (["2002:a00:7::"], "6to4"),
    (["2001:0:4136:e378:8000:63bf:3fff:fdd2"], "Teredo"),
    (["fe80::1"], "link-local"),
    (["fd00::7"], "private"),
    (["0.0.0.0"], "this host"),
    (["224.0.0.251"], "multicast"),
    ([PUBLIC, "10.0.0.7"], "10.0.0.7 is not a public address"),
    (["2606:4700::1111", "::1"], "::1 is not a public address"),
    ([], "the name has no address"),
]


@pytest.mark.parametrize(("answer", "reason"), PRIVATE_ANSWERS)
async def test_a_public_name_with_any_private_address_is_never_connected_to(
    answer: list[str], reason: str
) -> None:
    wire = Wire(OK)
    response = await sender(Names(answer), wire).send("https://hooks.example.com/in", {}, b"{}")
    assert response.status is None
    assert response.error is not None
    assert response.error.startswith("refused: ")
    assert reason in response.error
    assert wire.connected == []


async def test_a_name_that_changes_after_the_check_is_pinned_to_the_checked_address() -> None:
    names, wire = Names([PUBLIC], ["127.0.0.1"]), Wire(OK)
    post = sender(names, wire)
    first = await post.send("https://hooks.example.com/in", {}, b"{}")
    assert (first.status, names.asked) == (200, 1)
    assert wire.connected == [(PUBLIC, 443)]
    assert seen_names[-1] == "hooks.example.com"
    await post.close()
    again = await sender(names, wire).send("https://hooks.example.com/in", {}, b"{}")
    assert again.error is not None
    assert "127.0.0.1 is not a public address" in again.error
    assert wire.connected == [(PUBLIC, 443)]


async def test_a_redirect_to_metadata_is_an_answer_and_not_a_way_to_go() -> None:
    wire = Wire(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
    response = await sender(Names([PUBLIC]), wire).send("https://hooks.example.com/in", {}, b"{}")
    assert response.status == 302
    assert wire.connected == [(PUBLIC, 443)]


async def test_a_loopback_name_that_points_elsewhere_is_refused_even_with_the_setting() -> None:
    wire = Wire(OK)
    response = await sender(Names(["10.0.0.7"]), wire, LOOPBACK_RULES).send(
        "http://localhost:9/in", {}, b"{}"
    )
    assert response.error is not None
    assert "not a loopback address" in response.error
    public = await sender(Names(["127.0.0.1"]), wire, LOOPBACK_RULES).send(
        "https://hooks.example.com/in", {}, b"{}"
    )
    assert public.error is not None
    assert wire.connected == []


async def test_sockets_of_this_machine_are_refused() -> None:
    with pytest.raises(RefusedError):
        await GuardedBackend(Names([PUBLIC]), RULES, Wire(OK)).connect_unix_socket("/run/docker.sock")


async def test_the_second_address_is_tried_when_the_first_cannot_be_reached() -> None:
    class FirstDown(Wire):
        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,  # noqa: ASYNC109
            local_address: str | None = None,
            socket_options: Iterable[SocketOption] | None = None,
        ) -> httpcore.AsyncNetworkStream:
            if host == PUBLIC:
                raise httpcore.ConnectError("unreachable")
            return await super().connect_tcp(host, port)

    wire = FirstDown(OK)
    names = Names([PUBLIC, "93.184.215.15"])
    assert (await sender(names, wire).send("https://hooks.example.com/in", {}, b"{}")).status == 200
    assert wire.connected == [("93.184.215.15", 443)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("no such name"), "ConnectError: the name could not be resolved"),
        (UnicodeError("label too long"), "ConnectError: the name could not be resolved"),
        (KeyError("surprise"), "unexpected KeyError"),
    ],
)
async def test_whatever_goes_wrong_is_a_failed_attempt_and_never_an_exception(
    error: Exception, said: str
) -> None:
    class NoNames(Names):
        async def resolve(self, host: str, port: int) -> Sequence[Address]:
            raise error

    response = await sender(NoNames([]), Wire(OK)).send("https://hooks.example.com/in", {}, b"{}")
    assert (response.status, response.error) == (None, said)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n",
        b"\xff" * 200_000,
    ],
)
async def test_what_is_no_http_answer_is_a_failed_attempt(answer: bytes) -> None:
    response = await sender(Names([PUBLIC]), Wire(answer)).send("https://hooks.example.com/in", {}, b"{}")
    assert response.status is None
    assert response.error


@given(st.ip_addresses())
def test_what_passes_is_global_by_the_registries_too(address: IPv4Address | IPv6Address) -> None:
    if refused_because(address) is None:
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_any_ipv6_dress_is_refused(address: IPv4Address) -> None:
    number = int(address)
    for dress in (
        number,
        (0xFFFF << 32) | number,
        (0x0064FF9B << 96) | number,
        (0x2002 << 112) | (number << 80),
    ):
        with pytest.raises(RefusedError):
            check_addresses([IPv6Address(dress)], loopback=False)
