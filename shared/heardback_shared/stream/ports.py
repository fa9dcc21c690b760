"""What a stage needs from the log, whatever implements it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from heardback_shared.contracts.envelope import Envelope


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in the log."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record that was a valid event."""

    record: Record
    event: Envelope


@dataclass(frozen=True, slots=True)
class Outgoing:
    topic: str
    event: Envelope


class Source(Protocol):
    async def start(self) -> None: ...

    async def poll(self, max_records: int, timeout_seconds: float) -> list[Record]:
        """What is there, at most `max_records`; empty after the timeout. Order holds within a partition."""
        ...

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """The next offset to read, per (topic, partition). A partition lost meanwhile is left out quietly:
        whoever holds it now reads those records again."""
        ...

    def lag(self) -> int:
        """Records known to wait behind the last one read."""
        ...

    async def stop(self) -> None: ...


class Whole(Protocol):
    """All that a topic holds, read from its beginning at every start, by everybody on their own."""

    async def start(self) -> None: ...

    async def poll(self, max_records: int, timeout_seconds: float) -> list[Record]:
        """What is there and was not given before, at most `max_records`; empty after the timeout."""
        ...

    async def caught_up(self) -> bool:
        """True once all that was there at the start was given."""
        ...

    async def stop(self) -> None: ...


class Sink(Protocol):
    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Returns once every event is acknowledged. Raises TransientError when the log is unavailable;
        some events may then have been written, so that all must be sent again."""
        ...
