"""The stream handler: scored events with derived ids, the accepted event untouched, bad records told
apart.
"""

import orjson
import pytest
from tests.support.clock import NOON, FakeClock
from tests.support.scoring import GERMAN, ScriptedScorer, survey, understanding
from tests.support.shadow import no_shadow

from heardback_scoring.app.drift_monitor import DriftMonitor
from heardback_scoring.app.score_events import ScoreEvents, scored_id
from heardback_scoring.app.serving import Serving
from heardback_scoring.domain.drift import DriftPolicy
from heardback_scoring.inference.thread import InferenceBusy
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import (
    FEEDBACK_ACCEPTED,
    FEEDBACK_SCORED,
    FeedbackAccepted,
    FeedbackScored,
)
from heardback_shared.contracts.topics import SCORED
from heardback_shared.errors import PermanentError, TransientError
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Record

TEXT = "The invoice is wrong."


def incoming(
    data: bytes, event_id: str = "ev_1", kind: str = FEEDBACK_ACCEPTED, tenant: str | None = "t1"
) -> Incoming:
    event = Envelope(
        id=event_id,
        source="/heardback/ingest",
        type=kind,
        data=data,
        subject="fb_1",
        tenant_id=tenant,
        key="c-42",
        traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    )
    return Incoming(Record("feedback.accepted", 0, 7, b"c-42", data), event)


def handler(scorer: ScriptedScorer | None = None, clock: FakeClock | None = None) -> ScoreEvents:
    serving, metrics = Serving(understanding(scorer or ScriptedScorer())), Metrics()
    return ScoreEvents(
        serving, clock or FakeClock(), metrics, DriftMonitor(DriftPolicy(), metrics), no_shadow(metrics)
    )


async def test_one_scored_event_per_accepted_one() -> None:
    feedback = survey(TEXT)
    [out] = await handler()([incoming(to_bytes(feedback))])
    assert out.topic == SCORED.name
    event = out.event
    assert (event.type, event.tenant_id, event.key, event.subject) == (FEEDBACK_SCORED, "t1", "c-42", "fb_1")
    assert (event.causation_id, event.time) == ("ev_1", NOON)
    assert event.traceparent is not None
    said = FeedbackScored.model_validate_json(event.data)
    assert said.accepted == feedback
    assert said.scored_at == NOON
    assert said.score.status == "scored"


async def test_fields_of_a_later_release_ride_along() -> None:
    data = orjson.dumps({**orjson.loads(to_bytes(survey(TEXT))), "mood": "blue"})
    [out] = await handler()([incoming(data)])
    assert orjson.loads(out.event.data)["accepted"]["mood"] == "blue"


async def test_a_repeat_is_the_same_event_and_another_model_is_another() -> None:
    record = incoming(to_bytes(survey(TEXT)))
    [first] = await handler()([record])
    clock = FakeClock()
    clock.forward(hours=1)
    [again] = await handler(clock=clock)([record])
    assert again.event.id == first.event.id
    [other] = await handler(ScriptedScorer(name="other"))([record])
    assert other.event.id != first.event.id
    [unread] = await handler()([incoming(to_bytes(survey(GERMAN)), "ev_2")])
    assert unread.event.id != first.event.id


async def test_the_id_depends_on_every_policy_version() -> None:
    [out] = await handler()([incoming(to_bytes(survey(TEXT)))])
    score = FeedbackScored.model_validate_json(out.event.data).score
    newer = score.model_copy(update={"policies": (*score.policies[:-1], "handover@999")})
    assert scored_id("ev_1", newer) != scored_id("ev_1", score) == out.event.id


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (incoming(b'{"feedback_id": 3}'), "wrong at: accepted_at, content"),
        (incoming(b"nonsense"), "not an accepted feedback"),
        (incoming(to_bytes(survey(TEXT)), kind="heardback.feedback.accepted.v9"), "v9 is not"),
        (incoming(to_bytes(survey(TEXT)), tenant=None), "no tenant"),
    ],
)
async def test_what_is_no_accepted_feedback_is_permanent(record: Incoming, why: str) -> None:
    with pytest.raises(PermanentError, match=why):
        await handler()([record])


async def test_a_full_model_is_transient() -> None:
    with pytest.raises(TransientError, match="full"):
        await handler(ScriptedScorer(failing=InferenceBusy("full")))([incoming(to_bytes(survey(TEXT)))])


async def test_order_is_kept() -> None:
    records = [incoming(to_bytes(survey(f"{TEXT} {i}")), f"ev_{i}") for i in range(5)]
    outgoing = await handler()(records)
    assert [o.event.causation_id for o in outgoing] == [r.event.id for r in records]
    texts = [
        FeedbackAccepted.model_validate(orjson.loads(o.event.data)["accepted"]).content.comment
        for o in outgoing
    ]
    assert texts == [f"{TEXT} {i}" for i in range(5)]
