"""The answer to a scored event is spelled as its model spells it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.support.clock import NOON
from tests.support.scored import incoming, scored

from heardback_router.configuration.source import load_policies
from heardback_router.routing.announce import feedback_routed
from heardback_router.routing.plan import Plan, arrival_of
from heardback_shared.contracts.envelope import to_bytes
from heardback_shared.contracts.events import FeedbackRouted, FeedbackScored, ItemRef, LoopRef

POLICIES = load_policies()
LOOP = LoopRef(id="lp_1", state="told", at=NOON + timedelta(microseconds=12))


@pytest.mark.parametrize("loop", [None, LOOP])
@pytest.mark.parametrize(
    "at",
    [
        NOON,
        datetime(2026, 11, 22, 12, 0, 1, 500, tzinfo=UTC),
        datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_the_bytes_are_those_of_the_model(at: datetime, loop: LoopRef | None) -> None:
    feedback = FeedbackScored.model_validate_json(
        to_bytes(scored(comment="Größe “passt” nicht", accepted_at=at))
    )
    arrival = arrival_of("ev_1", feedback, False, POLICIES.grouping)
    plan = Plan(POLICIES, at, {}, {}, {})
    plan.take("default", arrival)
    link = plan.links[arrival.feedback_id]
    item = plan.items[link.item_id]
    event = incoming(feedback).event
    answer = feedback_routed("default", event, arrival, link, item, arrival.score_json, loop)
    assert answer.event.data == to_bytes(
        FeedbackRouted(
            feedback_id=arrival.feedback_id,
            revision=1,
            pass_number=1,
            item=ItemRef(id=item.id, team=item.team),
            score=feedback.score,
            scored_at=feedback.scored_at,
            routed_at=at,
            loop=loop,
        )
    )
