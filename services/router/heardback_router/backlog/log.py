"""Writing an item's log: what happened, the item after it, the announcement, in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.announce import item_changed
from heardback_router.backlog.commands import event_after, refuse_illegal
from heardback_router.backlog.domain import EventKind, Item, ItemEvent
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


def entered(
    item: Item, entries: Sequence[Entry], at: datetime, weighing: WeighingPolicy
) -> list[tuple[ItemEvent, Item]]:
    """Each entry as it would stand in the item's log, with the item after it. Writes nothing.

    Raises IllegalCommandError where the item's state does not allow an entry.
    """
    made, after = [], item
    for entry in entries:
        refuse_illegal(after, entry.kind)
        event = event_after(after, entry.kind, entry.actor, at, entry.reason, entry.data, weighing)
        after = apply(after, event)
        made.append((event, after))
    return made


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
    made = entered(item, entries, at, weighing)
    outgoing = await write(items, connection, tenant_id, [made], traceparent)
    return made[-1][1] if made else item, outgoing


async def write(
    items: Items,
    connection: AsyncConnection,
    tenant_id: str,
    made: Iterable[Sequence[tuple[ItemEvent, Item]]],
    traceparent: str | None = None,
) -> list[Outgoing]:
    """Writes what `entered` made of each of several locked items; returns what to put into the outbox."""
    grown = [pairs for pairs in made if pairs]
    if grown:
        await items.log(connection, tenant_id, [event for pairs in grown for event, _ in pairs])
        await items.update(connection, tenant_id, [pairs[-1][1] for pairs in grown])
    return [
        item_changed(tenant_id, event, after, traceparent=traceparent)
        for pairs in grown
        for event, after in pairs
    ]
