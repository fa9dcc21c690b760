"""A candidate reads along without effect: never waited for, never in the way, told of in numbers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import FakeClock
from tests.support.registry import registered
from tests.support.scoring import GERMAN, ScriptedScorer, nps, survey, understanding
from tests.support.shadow import ListSink, ScriptedCandidate
from tests.support.waiting import until

from heardback_scoring.app.drift_monitor import DriftMonitor
from heardback_scoring.app.ports import CandidateFailed
from heardback_scoring.app.score_events import ScoreEvents
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.shadow import RETRY, Shadow, in_share
from heardback_scoring.domain.drift import DriftPolicy
from heardback_scoring.domain.registry import Candidate
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import (
    FEEDBACK_ACCEPTED,
    FEEDBACK_SHADOWED,
    FeedbackAccepted,
    FeedbackShadowed,
)
from heardback_shared.contracts.topics import SHADOWED
from heardback_shared.errors import TransientError
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Record

TEXT = "The invoice is wrong."
ANGRY, GLAD = {TEXT: (0.9, 0.08, 0.02)}, {TEXT: (0.02, 0.08, 0.9)}
WATCHING = Candidate(model=registered("candidate", "c"))


def incoming(feedback: FeedbackAccepted, number: int = 1) -> Incoming:
    event = Envelope(
        id=f"ev_{number}",
        source="/heardback/ingest",
        type=FEEDBACK_ACCEPTED,
        data=to_bytes(feedback),
        subject=feedback.feedback_id,
        tenant_id="t1",
        key="t1:c-42",
    )
    return Incoming(Record("feedback.accepted", 0, number, None, event.data), event)


class Scoring:
    """The stage's handler with a shadow whose candidates are scripted."""

    def __init__(self, queue: int = 500) -> None:
        self.wanted: Candidate | None = WATCHING
        self.candidates: list[ScriptedCandidate] = []
        self.refusing: Exception | None = None
        self.sink, self.clock, self.metrics = ListSink(), FakeClock(), Metrics()
        self.serving = Serving(understanding(ScriptedScorer(ANGRY)))
        self.shadow = Shadow(
            lambda: self.wanted, self._open, self.sink, self.clock, self.metrics, queue=queue
        )
        drift = DriftMonitor(DriftPolicy(), self.metrics)
        self.handle = ScoreEvents(self.serving, self.clock, self.metrics, drift, self.shadow)

    async def _open(self, candidate: Candidate) -> ScriptedCandidate:
        if self.refusing is not None:
            raise self.refusing
        self.candidates.append(ScriptedCandidate(ScriptedScorer(GLAD, name=candidate.model.model)))
        return self.candidates[-1]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(self.shadow.run(self.serving, stop))
        await until(lambda: bool(self.candidates) or self.serving.watching_problem is not None)
        yield
        stop.set()
        await asyncio.wait_for(task, 10)

    def count(self, outcome: str) -> float:
        found = self.metrics.registry.get_sample_value(
            "heardback_shadow_feedback_total", {"outcome": outcome}
        )
        return found or 0.0

    def told(self) -> list[FeedbackShadowed]:
        return [FeedbackShadowed.model_validate_json(o.event.data) for o in self.sink.sent]


async def test_both_readings_are_told_in_numbers_and_without_the_customer() -> None:
    on = Scoring()
    async with on.running():
        assert on.serving.watching == WATCHING.model.ref
        [scored] = await on.handle([incoming(survey(TEXT))])
        await until(lambda: bool(on.sink.sent))
    [out] = on.sink.sent
    event, [read] = out.event, on.told()
    assert (out.topic, event.type, event.tenant_id) == (SHADOWED.name, FEEDBACK_SHADOWED, "t1")
    assert (event.key, event.subject, event.causation_id) == ("fb_1", "fb_1", "ev_1")
    assert (read.feedback_id, read.source, read.language) == ("fb_1", "test", "en")
    assert (read.active.model.name, read.candidate.model.name) == ("scripted", "candidate")
    assert (read.active.label, read.candidate.label) == ("negative", "positive")
    assert read.active.score == pytest.approx(-0.88)
    assert read.candidate.severity < read.active.severity
    assert b"invoice" not in event.data
    assert "c-42" not in f"{event}"
    assert on.count("compared") == 1
    differs = on.metrics.registry.get_sample_value("heardback_shadow_differs_total", {"what": "label"})
    assert differs == 1
    assert scored.event.type != FEEDBACK_SHADOWED
    assert on.candidates[0].closed
    assert on.serving.watching is None


async def test_a_repeat_is_the_same_event() -> None:
    on = Scoring()
    async with on.running():
        for _ in range(2):
            await on.handle([incoming(survey(TEXT))])
        await until(lambda: len(on.sink.sent) == 2)
    first, again = on.sink.sent
    assert first.event.id == again.event.id


async def test_what_nobody_read_is_not_compared() -> None:
    on = Scoring()
    async with on.running():
        await on.handle([incoming(survey(GERMAN)), incoming(survey(metric=nps(3)), 2)])
        await on.handle([incoming(survey(TEXT), 3)])
        await until(lambda: bool(on.sink.sent))
    assert [o.event.causation_id for o in on.sink.sent] == ["ev_3"]


async def test_a_candidate_that_hangs_delays_nobody_and_what_does_not_fit_is_counted() -> None:
    on = Scoring(queue=5)
    async with on.running():
        on.candidates[0].may_read.clear()
        await on.handle([incoming(survey(TEXT), 0)])
        await until(lambda: on.candidates[0].batches == [1])
        for number in range(1, 9):
            [scored] = await asyncio.wait_for(on.handle([incoming(survey(TEXT), number)]), 5)
            assert scored.event.causation_id == f"ev_{number}"
        assert on.count("dropped") == 3
        on.candidates[0].may_read.set()
        await until(lambda: len(on.sink.sent) == 6)
    assert on.count("compared") == 6


async def test_a_hanging_candidate_does_not_hold_up_the_stop() -> None:
    on = Scoring()
    async with on.running():
        on.candidates[0].may_read.clear()
        await on.handle([incoming(survey(TEXT))])
        await until(lambda: on.candidates[0].batches == [1])
    assert on.candidates[0].closed


async def test_a_candidate_that_dies_is_told_of_and_opened_again_later() -> None:
    on = Scoring()
    async with on.running():
        on.candidates[0].dies = CandidateFailed("its process ended")
        [scored] = await on.handle([incoming(survey(TEXT))])
        assert scored.event.causation_id == "ev_1"
        await until(lambda: on.serving.watching_problem is not None)
        assert "its process ended" in str(on.serving.watching_problem)
        assert (on.count("failed"), on.candidates[0].closed) == (1, True)
        on.clock.forward(seconds=RETRY.total_seconds())
        await on.handle([incoming(survey(TEXT), 2)])
        await until(lambda: bool(on.sink.sent))
        assert on.serving.watching_problem is None
    assert [o.event.causation_id for o in on.sink.sent] == ["ev_2"]


@pytest.mark.parametrize("error", [CandidateFailed("the file was changed"), RuntimeError("anything")])
async def test_a_candidate_that_cannot_be_opened_is_told_of(error: Exception) -> None:
    on = Scoring()
    on.refusing = error
    async with on.running():
        assert str(error) in str(on.serving.watching_problem)
        assert on.serving.watching == WATCHING.model.ref
        [scored] = await on.handle([incoming(survey(TEXT))])
        assert scored.event.causation_id == "ev_1"


async def test_a_reading_that_cannot_be_sent_is_lost_and_the_next_is_sent() -> None:
    on = Scoring()
    on.sink.failing = [TransientError("no broker")]
    async with on.running():
        await on.handle([incoming(survey(TEXT))])
        await until(lambda: on.candidates[0].batches == [1] and not on.sink.failing)
        await on.handle([incoming(survey(TEXT), 2)])
        await until(lambda: bool(on.sink.sent))
    assert [o.event.causation_id for o in on.sink.sent] == ["ev_2"]


async def test_another_decision_changes_the_candidate_and_none_ends_it() -> None:
    on = Scoring()
    async with on.running():
        on.wanted = Candidate(model=registered("other", "d"))
        await until(lambda: len(on.candidates) == 2)
        assert on.candidates[0].closed
        on.wanted = None
        await until(lambda: on.candidates[1].closed)
        assert on.serving.watching is None
        await on.handle([incoming(survey(TEXT))])
        await asyncio.sleep(0)
    assert on.candidates[1].batches == []


async def test_a_text_the_candidate_fails_on_counts_as_failed() -> None:
    on = Scoring()
    async with on.running():
        broken = ScriptedScorer(failing=RuntimeError("no"), name="candidate")
        on.candidates[0].by = understanding(broken)
        await on.handle([incoming(survey(TEXT))])
        await until(lambda: bool(on.sink.sent))
    [read] = on.told()
    assert (read.candidate.status, on.count("failed"), on.count("compared")) == ("degraded", 1, 0)


@given(st.integers(), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_larger_share_reads_what_a_smaller_one_does_and_more(number: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert in_share(f"fb_{number}", 1.0)
    assert not in_share(f"fb_{number}", low) or in_share(f"fb_{number}", high)


def test_a_share_is_about_that_much() -> None:
    taken = sum(in_share(f"fb_{number}", 0.2) for number in range(5000))
    assert 900 < taken < 1100
