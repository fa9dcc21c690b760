"""Messages as people look at them: lists, and one with all that was decided about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.outreach.store import any_of
from heardback_router.outreach.tables import events, fetches, handovers, messages, of_items, of_loops

_SHOWN = (
    messages.c.id,
    messages.c.customer_id,
    messages.c.step,
    messages.c.campaign_id,
    messages.c.state,
    messages.c.due_at,
    messages.c.channel,
    messages.c.code,
    messages.c.reason,
    messages.c.handover_id,
    messages.c.created_at,
    messages.c.changed_at,
    messages.c.draft,
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What is None does not matter."""

    customer: str | None = None
    item: str | None = None
    loop: str | None = None
    campaign: str | None = None
    state: str | None = None
    code: str | None = None


class PostgresMessageReader:
    async def search(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        wanted: Filter,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[Mapping[str, Any]]:
        """Newest first."""
        query: Select[Any] = select(*_SHOWN).where(messages.c.tenant_id == tenant_id)
        query = await self._about(connection, tenant_id, wanted, query)
        equal = {
            messages.c.customer_id: wanted.customer,
            messages.c.campaign_id: wanted.campaign,
            messages.c.state: wanted.state,
            messages.c.code: wanted.code,
        }
        for column, value in equal.items():
            if value is not None:
                query = query.where(column == value)
        if after:
            query = query.where(tuple_(messages.c.created_at, messages.c.id) < after)
        query = query.order_by(messages.c.created_at.desc(), messages.c.id.desc()).limit(limit)
        return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def _about(
        self, connection: AsyncConnection, tenant_id: str, wanted: Filter, query: Select[Any]
    ) -> Select[Any]:
        """An item or a loop has few messages per customer: their ids are looked up by key first."""
        ids: set[str] | None = None
        for table, column, value in (
            (of_items, of_items.c.item_id, wanted.item),
            (of_loops, of_loops.c.loop_id, wanted.loop),
        ):
            if value is None:
                continue
            named = select(table.c.message_id).where(table.c.tenant_id == tenant_id, column == value)
            found = {message_id for (message_id,) in await connection.execute(named)}
            ids = found if ids is None else ids & found
        return query if ids is None else query.where(messages.c.id == any_of(sorted(ids)))

    async def one(
        self, connection: AsyncConnection, tenant_id: str, message_id: str
    ) -> dict[str, Any] | None:
        """With its history, oldest first, and what the customer was given to read, if anything."""
        query = select(*_SHOWN).where(messages.c.tenant_id == tenant_id, messages.c.id == message_id)
        row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        log = (
            select(events)
            .where(events.c.tenant_id == tenant_id, events.c.message_id == message_id)
            .order_by(events.c.sequence)
        )
        history = [dict(event) for event in (await connection.execute(log)).mappings()]
        read = await self.handed(connection, tenant_id, row["handover_id"]) if row["handover_id"] else None
        return {**row, "history": history, "handover": read}

    async def handed(
        self, connection: AsyncConnection, tenant_id: str, handover_id: str
    ) -> dict[str, Any] | None:
        query = select(handovers).where(handovers.c.tenant_id == tenant_id, handovers.c.id == handover_id)
        row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        seen = select(fetches.c.at).where(
            fetches.c.tenant_id == tenant_id, fetches.c.handover_id == handover_id
        )
        times = [at for (at,) in await connection.execute(seen.order_by(fetches.c.at).limit(100))]
        return {**row, "fetched_at": times}
