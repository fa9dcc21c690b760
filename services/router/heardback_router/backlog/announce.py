"""Item changes as events for `backlog.changed`."""

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import ITEM_CHANGED, ITEM_FED, ITEM_OPENED, ItemChanged
from heardback_shared.contracts.topics import BACKLOG
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing

SOURCE = "/heardback/router"

_TYPES = {"opened": ITEM_OPENED, "feedback_joined": ITEM_FED, "feedback_rescored": ITEM_FED}


def item_changed(
    tenant_id: str,
    event: ItemEvent,
    after: Item,
    *,
    causation_id: str | None = None,
    traceparent: str | None = None,
) -> Outgoing:
    """The same entry of the same log always has the same event id."""
    change = ItemChanged(
        item_id=after.id,
        sequence=event.sequence,
        change=event.kind,
        state=after.state,
        team=after.team,
        assignee=after.assignee,
        band=after.weight.band,
        severity=after.weight.score,
        domain=after.domain,
        category=after.category,
        title=after.title,
        actor=event.actor,
        # Comments are for colleagues who open the item, not for whoever reads the topic.
        reason=None if event.kind == "commented" else event.reason,
        at=event.at,
    )
    envelope = Envelope(
        id=derived_id("ev", "item", tenant_id, after.id, event.sequence),
        source=SOURCE,
        type=_TYPES.get(event.kind, ITEM_CHANGED),
        data=to_bytes(change),
        time=event.at,
        subject=after.id,
        tenant_id=tenant_id,
        key=after.id,
        traceparent=traceparent,
        causation_id=causation_id,
    )
    return Outgoing(BACKLOG.name, envelope)
