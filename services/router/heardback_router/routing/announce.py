"""The answers to scored events, for `feedback.routed`."""

from typing import Any

import orjson

from heardback_router.backlog.announce import SOURCE
from heardback_router.backlog.domain import Item
from heardback_router.routing.plan import Arrival, Link, Standing
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import FEEDBACK_ROUTED, LoopRef
from heardback_shared.contracts.topics import ROUTED
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing


def answers_for(arrival: Arrival, link: Link) -> bool:
    """True when the link's present reading is of the event's own revision, and so answers it."""
    return link.standing.revision == arrival.standing.revision


def feedback_routed(
    tenant_id: str,
    event: Envelope,
    arrival: Arrival,
    link: Link,
    item: Item,
    score_json: bytes,
    loop: LoopRef | None,
) -> Outgoing:
    """The answer to one scored event; the same id each time it is answered.

    An event of an older revision is answered for that revision, with its own score, so that its ledger row
    settles too.
    """
    standing = link.standing if answers_for(arrival, link) else arrival.standing
    envelope = Envelope(
        id=derived_id("ev", "routed", tenant_id, arrival.event_id),
        source=SOURCE,
        type=FEEDBACK_ROUTED,
        data=_data(arrival.feedback_id, standing, link, item, score_json, loop),
        time=link.routed_at,
        subject=arrival.feedback_id,
        tenant_id=tenant_id,
        key=event.key or arrival.feedback_id,
        traceparent=event.traceparent,
        causation_id=event.id,
    )
    return Outgoing(ROUTED.name, envelope)


def _data(
    feedback_id: str, standing: Standing, link: Link, item: Item, score_json: bytes, loop: LoopRef | None
) -> bytes:
    """A FeedbackRouted as `to_bytes` spells it, around a score that is JSON already."""
    routed: dict[str, Any] = {
        "feedback_id": feedback_id,
        "revision": standing.revision,
        "pass_number": standing.pass_number,
        "item": {"id": item.id, "team": item.team},
        "score": orjson.Fragment(score_json),
        "scored_at": standing.scored_at,
        "routed_at": link.routed_at,
    }
    if loop is not None:
        routed["loop"] = orjson.Fragment(to_bytes(loop))
    return orjson.dumps(routed, option=orjson.OPT_UTC_Z)
