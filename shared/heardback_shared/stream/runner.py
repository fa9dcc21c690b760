"""The loop every stage runs: poll, handle, send, commit.

`Stage.run` is the whole story. An offset is committed only when everything its record caused is durable:
the handler has committed its transaction, and what it returned is acknowledged by the log.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

import structlog

from heardback_shared.clock import Clock
from heardback_shared.contracts.envelope import EnvelopeError, from_record
from heardback_shared.db.database import is_unavailable
from heardback_shared.errors import PermanentError, TransientError
from heardback_shared.metrics import Metrics
from heardback_shared.stream.dead_letters import dead_letter, to_outgoing
from heardback_shared.stream.ports import Incoming, Outgoing, Record, Sink, Source

_log = structlog.get_logger(__name__)

T = TypeVar("T")

Handler = Callable[[Sequence[Incoming]], Awaitable[Sequence[Outgoing]]]
"""Handles a batch whole or raises; must be idempotent by event id. Returns what is to be sent."""

RejectedHandler = Callable[[Record, EnvelopeError], Awaitable[None]]


class DeadLetterLimitError(Exception):
    """Too many records in a row failed: the fault is ours. The stage stops rather than bury the whole log."""


@dataclass(frozen=True, slots=True)
class StagePolicy:
    max_records: int = 500
    poll_seconds: float = 0.5
    attempts: int = 3
    """How often a record that stands alone is tried before it becomes a dead letter."""
    transient_attempts: int = 60
    backoff_seconds: float = 0.2
    backoff_limit_seconds: float = 5.0
    dead_in_a_row: int = 500


class Stage:
    """`only` names the event types this stage handles; others on its topics are passed over."""

    def __init__(
        self,
        name: str,
        source: Source,
        sink: Sink,
        handler: Handler,
        *,
        service: str,
        clock: Clock,
        metrics: Metrics,
        policy: StagePolicy = StagePolicy(),
        only: Collection[str] | None = None,
        on_rejected: RejectedHandler | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self._source = source
        self._sink = sink
        self._handler = handler
        self._service = service
        self._clock = clock
        self._metrics = metrics
        self._policy = policy
        self._only = None if only is None else frozenset(type_.encode() for type_ in only)
        self._on_rejected = on_rejected
        self._jitter = jitter
        self._dead_in_a_row = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop; the batch in hand is finished and committed first."""
        await self._source.start()
        try:
            while not stop.is_set():
                records = await self._source.poll(self._policy.max_records, self._policy.poll_seconds)
                self._metrics.stream_lag.labels(self.name).set(self._source.lag())
                if records:
                    await self._process(records)
        finally:
            await self._source.stop()

    async def _process(self, records: Sequence[Record]) -> None:
        started = perf_counter()
        incoming = await self._decode(records)
        if incoming:
            outgoing = await self._handle(incoming)
            await self._patiently(lambda: self._sink.send(outgoing))
        await self._patiently(lambda: self._source.commit(_next_offsets(records)))
        self._metrics.stream_batch.labels(self.name).observe(len(records))
        self._metrics.stream_seconds.labels(self.name).observe(perf_counter() - started)

    async def _decode(self, records: Sequence[Record]) -> list[Incoming]:
        incoming = []
        for record in records:
            if not self._concerns_us(record):
                continue
            try:
                incoming.append(Incoming(record, from_record(record.key, record.headers, record.value)))
            except EnvelopeError as error:
                await self._reject(record, error)
        return incoming

    def _concerns_us(self, record: Record) -> bool:
        # By the header alone: decoding what is passed over would cost more than handling what is not.
        type_ = next((value for name, value in record.headers if name == "ce_type"), None)
        return self._only is None or type_ is None or type_ in self._only

    async def _reject(self, record: Record, error: EnvelopeError) -> None:
        if self._on_rejected is not None:
            rejected = self._on_rejected
            await self._patiently(lambda: rejected(record, error))
            self._metrics.stream_records.labels(self.name, "dead").inc()
        else:
            await self._bury(record, None, error, attempts=1)

    async def _handle(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        """Handles the batch; one that fails of itself is halved until the culprit stands alone."""
        try:
            outgoing = await self._patiently(lambda: self._handler(batch))
        except (asyncio.CancelledError, DeadLetterLimitError):
            raise
        except Exception as error:
            if _is_transient(error):
                raise
            if len(batch) == 1:
                return await self._handle_alone(batch[0], error)
            middle = len(batch) // 2
            first = await self._handle(batch[:middle])
            return [*first, *await self._handle(batch[middle:])]
        self._dead_in_a_row = 0
        self._metrics.stream_records.labels(self.name, "handled").inc(len(batch))
        return outgoing

    async def _handle_alone(self, incoming: Incoming, error: Exception) -> Sequence[Outgoing]:
        attempts = 1
        while not isinstance(error, PermanentError) and attempts < self._policy.attempts:
            attempts += 1
            try:
                outgoing = await self._patiently(lambda: self._handler([incoming]))
            except Exception as again:
                if _is_transient(again):
                    raise
                error = again
            else:
                self._metrics.stream_records.labels(self.name, "handled").inc()
                return outgoing
        await self._bury(incoming.record, incoming, error, attempts)
        return ()

    async def _bury(self, record: Record, incoming: Incoming | None, error: Exception, attempts: int) -> None:
        letter = dead_letter(
            record,
            service=self._service,
            error=error,
            attempts=attempts,
            failed_at=self._clock.now(),
            event=incoming.event if incoming else None,
        )
        _log.error(
            "stage.dead_letter",
            stage=self.name,
            letter=letter.id,
            error=letter.error,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            subject=letter.subject,
        )
        await self._patiently(lambda: self._sink.send([to_outgoing(letter)]))
        self._metrics.stream_records.labels(self.name, "dead").inc()
        self._dead_in_a_row += 1
        if self._dead_in_a_row >= self._policy.dead_in_a_row:
            raise DeadLetterLimitError(
                f"{self._dead_in_a_row} records in a row failed; the last: {letter.error}"
            )

    async def _patiently(self, action: Callable[[], Awaitable[T]]) -> T:
        """Tries again, with growing pauses, while something around us is unavailable; in the end raises."""
        attempt = 0
        while True:
            try:
                return await action()
            except Exception as error:
                attempt += 1
                if not _is_transient(error) or attempt >= self._policy.transient_attempts:
                    raise
                _log.warning(
                    "stage.unavailable", stage=self.name, error=type(error).__name__, attempt=attempt
                )
                self._metrics.stream_retries.labels(self.name).inc()
                await asyncio.sleep(self._pause(attempt))

    def _pause(self, attempt: int) -> float:
        grown = self._policy.backoff_seconds * 2.0 ** min(attempt - 1, 16)
        return min(grown, self._policy.backoff_limit_seconds) * (0.5 + self._jitter() / 2)


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, TransientError) or is_unavailable(error)


def _next_offsets(records: Sequence[Record]) -> dict[tuple[str, int], int]:
    offsets: dict[tuple[str, int], int] = {}
    for record in records:
        at = (record.topic, record.partition)
        offsets[at] = max(offsets.get(at, 0), record.offset + 1)
    return offsets
