"""Candidates without a model or a process, and a shadow on them."""

import asyncio
from collections.abc import Sequence

from heardback_scoring.app.ports import CandidateFailed
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.shadow import Shadow
from heardback_scoring.domain.registry import Candidate
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.score import ModelRef, Score
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing
from tests.support.clock import FakeClock
from tests.support.scoring import ScriptedScorer, understanding


class ListSink:
    """Keeps what is sent; fails as often as told to."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.failing: list[Exception] = []

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        if self.failing:
            raise self.failing.pop()
        self.sent += outgoing


class ScriptedCandidate:
    """Scores as its scorer does, once it may; `dies` makes the next batch fail."""

    def __init__(self, scorer: ScriptedScorer) -> None:
        self.by = understanding(scorer)
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.dies: Exception | None = None
        self.closed = False
        self.batches: list[int] = []

    @property
    def model(self) -> ModelRef:
        return self.by.reader.scorer.model

    async def score(
        self, feedbacks: Sequence[FeedbackAccepted], tenants: Sequence[str | None] | None = None
    ) -> list[Score]:
        self.batches.append(len(feedbacks))
        await self.may_read.wait()
        if self.dies is not None:
            raise self.dies
        return await score_batch(feedbacks, self.by)

    async def close(self) -> None:
        self.closed = True


def no_shadow(metrics: Metrics) -> Shadow:
    """Nothing was decided to watch."""

    async def never(_: Candidate) -> ScriptedCandidate:
        raise CandidateFailed("nothing should be opened")

    return Shadow(lambda: None, never, ListSink(), FakeClock(), metrics)
