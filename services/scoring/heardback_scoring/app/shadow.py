"""A candidate reads along: after the model in force has answered, as far as there is time, without effect."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from heardback_scoring.app.ports import CandidateFailed, CandidateReader
from heardback_scoring.app.serving import Serving
from heardback_scoring.domain.registry import Candidate
from heardback_shared.clock import Clock
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import (
    FEEDBACK_SHADOWED,
    FeedbackAccepted,
    FeedbackShadowed,
    ShadowReading,
)
from heardback_shared.contracts.score import ModelRef, Score
from heardback_shared.contracts.topics import SHADOWED
from heardback_shared.errors import TransientError
from heardback_shared.ids import derived_id
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Outgoing, Sink

SOURCE = "/heardback/scoring"
TOGETHER = 20
LOOK_SECONDS = 1.0
RETRY = timedelta(seconds=60)

_log = structlog.get_logger(__name__)

Open = Callable[[Candidate], Awaitable[CandidateReader]]
"""Raises CandidateFailed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A feedback with what the model in force made of it."""

    event: Envelope
    feedback: FeedbackAccepted
    score: Score


class Shadow:
    """`offer` never waits: what does not fit into the queue is counted and not read by the candidate.

    A reading that cannot be sent is lost; a candidate that fails is opened again after a while. Neither is
    told to whoever offers.
    """

    def __init__(
        self,
        wanted: Callable[[], Candidate | None],
        open_: Open,
        sink: Sink,
        clock: Clock,
        metrics: Metrics,
        *,
        queue: int = 500,
    ) -> None:
        self._wanted = wanted
        self._open = open_
        self._sink = sink
        self._clock = clock
        self._metrics = metrics
        self._limit = queue
        self._waiting: deque[Answered] = deque()
        self._came = asyncio.Event()
        self._candidate: Candidate | None = None
        self._reader: CandidateReader | None = None
        self._retry_at: datetime | None = None

    def offer(
        self, batch: Sequence[Incoming], feedbacks: Sequence[FeedbackAccepted], scores: Sequence[Score]
    ) -> None:
        """Queues what the candidate is to read, if there is one: what the model in force has read."""
        wanted = self._wanted()
        if wanted is None:
            return
        for incoming, feedback, score in zip(batch, feedbacks, scores, strict=True):
            if score.status != "scored" or not score.models:
                continue
            if not in_share(feedback.feedback_id, wanted.share):
                continue
            if len(self._waiting) >= self._limit:
                self._metrics.shadowed.labels("dropped").inc()
                continue
            self._waiting.append(Answered(incoming.event, feedback, score))
            self._came.set()

    async def run(self, serving: Serving, stop: asyncio.Event) -> None:
        """Opens and follows the candidate wanted, and reads with it, until told to stop."""
        working = asyncio.create_task(self._work(serving), name="candidate")
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
            stopping.cancel()
            await self._end(serving)
            await asyncio.gather(working, stopping, return_exceptions=True)
        if not working.cancelled():
            working.result()

    async def _work(self, serving: Serving) -> None:
        while True:
            try:
                await self._follow(serving)
                await self._read(serving)
            except Exception as error:  # nothing of this may reach what scores
                await self._give_up(serving, error)
            self._came.clear()
            if not self._waiting or self._reader is None:
                try:
                    await asyncio.wait_for(self._came.wait(), LOOK_SECONDS)
                except TimeoutError:
                    continue

    async def _follow(self, serving: Serving) -> None:
        wanted = self._wanted()
        if wanted == self._candidate:
            if self._retry_at is None or self._clock.now() < self._retry_at:
                return
        else:
            self._waiting.clear()
        await self._end(serving)
        self._candidate, self._retry_at = wanted, None
        serving.watching_problem = None
        if wanted is not None:
            serving.watching = wanted.model.ref
            self._reader = await self._open(wanted)
            _log.info("scoring.candidate", name=self._reader.model.name, share=wanted.share)

    async def _read(self, serving: Serving) -> None:
        while self._reader is not None and self._waiting and self._wanted() == self._candidate:
            batch = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
            try:
                scores = await self._reader.score(
                    [one.feedback for one in batch], [one.event.tenant_id for one in batch]
                )
            except CandidateFailed:
                self._metrics.shadowed.labels("failed").inc(len(batch))
                raise
            await self._tell(batch, scores, self._reader.model)

    async def _tell(self, batch: Sequence[Answered], scores: Sequence[Score], model: ModelRef) -> None:
        outgoing = []
        for one, score in zip(batch, scores, strict=True):
            read = compared(one, score, model)
            if read is None:
                continue
            self._measure(read)
            outgoing.append(Outgoing(SHADOWED.name, shadowed(one.event, read, self._clock.now())))
        try:
            await self._sink.send(outgoing)
        except TransientError as error:
            _log.warning("scoring.shadow_lost", error=str(error), readings=len(outgoing))

    def _measure(self, read: FeedbackShadowed) -> None:
        failed = read.candidate.status != "scored"
        self._metrics.shadowed.labels("failed" if failed else "compared").inc()
        for what in () if failed else ("label", "band", "cause"):
            if getattr(read.active, what) != getattr(read.candidate, what):
                self._metrics.shadow_differs.labels(what).inc()

    async def _give_up(self, serving: Serving, error: Exception) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()
        self._retry_at = self._clock.now() + RETRY
        serving.watching_problem = f"The candidate does not read along: {error}."
        _log.error("scoring.candidate_failed", error=type(error).__name__, detail=str(error))

    async def _end(self, serving: Serving) -> None:
        reader, self._reader = self._reader, None
        serving.watching = None
        if reader is not None:
            await reader.close()


def in_share(feedback_id: str, share: float) -> bool:
    """The same answer for the same feedback, whichever process asks."""
    digest = hashlib.sha256(feedback_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def compared(one: Answered, score: Score, candidate: ModelRef) -> FeedbackShadowed | None:
    """Both readings in numbers; None where one of them has no sentiment to compare."""
    active = _reading(one.score, one.score.models[0])
    other = _reading(score, candidate)
    if active is None or other is None:
        return None
    return FeedbackShadowed(
        feedback_id=one.feedback.feedback_id,
        revision=one.feedback.revision,
        pass_number=one.feedback.pass_number,
        source=one.feedback.content.source,
        language=one.score.language.code,
        accepted_at=one.feedback.accepted_at,
        active=active,
        candidate=other,
    )


def _reading(score: Score, model: ModelRef) -> ShadowReading | None:
    if score.sentiment is None:
        return None
    return ShadowReading(
        model=model,
        status=score.status,
        label=score.sentiment.label,
        score=score.sentiment.score,
        abstained=score.sentiment.abstained,
        severity=score.severity.score,
        band=score.severity.band,
        cause=score.root_causes[0].path if score.root_causes else None,
        cues=tuple(sorted({cue.name for cue in score.cues})),
    )


def shadowed(event: Envelope, read: FeedbackShadowed, at: datetime) -> Envelope:
    """Keyed by the feedback: the key of the accepted event names the customer."""
    pair = f"{read.active.model.sha256}+{read.candidate.model.sha256}"
    return Envelope(
        id=derived_id("ev", event.id, "shadowed", pair),
        source=SOURCE,
        type=FEEDBACK_SHADOWED,
        data=to_bytes(read),
        time=at,
        subject=read.feedback_id,
        tenant_id=event.tenant_id,
        key=read.feedback_id,
        traceparent=event.traceparent,
        causation_id=event.id,
    )
