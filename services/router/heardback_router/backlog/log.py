"""Writing an item's log: what happened, the item after it, the announcement, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.announce import item_changed
from heardback_router.backlog.commands import event_after, refuse_illegal
from heardback_router.backlog.domain import EventKind, Item
from heardback_router.backlog.fold import apply
from heardback_router.backlog.ports import Items
from heardback_router.backlog.weighing import WeighingPolicy
from heardback_shared.stream.ports import Outgoing


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to an item. `data` is JSON and holds what `backlog.fold` reads for the kind."""

    kind: EventKind
    actor: str
    reason: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


async def append(
    items: Items,
    connection: AsyncConnection,
    tenant_id: str,
    item: Item,
    entries: Sequence[Entry],
    at: datetime,
    weighing: WeighingPolicy,
    traceparent: str | None = None,
) -> tuple[Item, list[Outgoing]]:
    """Appends to a locked item; what is returned is still to be put into the outbox.

    Raises IllegalCommandError where the item's state does not allow an entry; then nothing is written.
    """
    events, outgoing, after = [], [], item
    for entry in entries:
        refuse_illegal(after, entry.kind)
        event = event_after(after, entry.kind, entry.actor, at, entry.reason, entry.data, weighing)
        after = apply(after, event)
        events.append(event)
        outgoing.append(item_changed(tenant_id, event, after, traceparent=traceparent))
    if events:
        await items.log(connection, tenant_id, events)
        await items.update(connection, tenant_id, [after])
    return after, outgoing
