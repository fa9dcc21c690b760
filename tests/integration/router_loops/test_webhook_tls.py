"""TLS to a pinned address still proves the name in the URL."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from heardback_router.deliveries.addresses import Address, UrlRules
from heardback_router.deliveries.domain import Response
from heardback_router.deliveries.httpcore_sender import HttpcoreSender, SocketOption

NAME = "hooks.example.com"
PUBLIC = "93.184.215.14"


def certificate(folder: Path) -> Path:
    """A self-signed certificate for NAME, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "pair.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Names:
    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        return [ip_address(PUBLIC)]


class Detour(httpcore.AsyncNetworkBackend):
    """Stands for the internet: the public address leads to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        assert (host, port) == (PUBLIC, 443)
        return await self._real.connect_tcp("127.0.0.1", self._port, timeout)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[int, Path, list[bytes]]]:
    pair = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair)
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    yield listening.sockets[0].getsockname()[1], pair, heads
    listening.close()
    await listening.wait_closed()


async def send(port: int, host: str, trusted: Path | None) -> Response:
    tls = ssl.create_default_context(cafile=trusted) if trusted else None
    sender = HttpcoreSender(
        Names(),
        UrlRules(),
        timeout_seconds=5,
        connections=1,
        user_agent="test",
        backend=Detour(port),
        tls=tls,
    )
    try:
        return await sender.send(f"https://{host}/in?x=1", {}, b"{}")
    finally:
        await sender.close()


async def test_the_name_is_proved_and_sent_though_the_address_is_pinned(
    server: tuple[int, Path, list[bytes]],
) -> None:
    port, pair, heads = server
    assert (await send(port, NAME, pair)).status == 200
    assert heads[0].startswith(b"POST /in?x=1 HTTP/1.1\r\n")
    assert f"host: {NAME}\r\n".encode() in heads[0].lower()


async def test_another_name_or_an_unknown_issuer_is_refused(server: tuple[int, Path, list[bytes]]) -> None:
    port, pair, heads = server
    for host, trusted in (("other.example.com", pair), (NAME, None)):
        answer = await send(port, host, trusted)
        assert answer.status is None
        assert answer.error is not None
        assert "CERTIFICATE_VERIFY_FAILED" in answer.error
    assert heads == []
