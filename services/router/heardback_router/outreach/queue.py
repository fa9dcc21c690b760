"""What loops and campaigns hand in, ask about, take back and hold."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.outreach.codec import to_plain
from heardback_router.outreach.domain import Draft, MessageState, Standing
from heardback_router.outreach.store import Change, Kept, PostgresMessages
from heardback_router.outreach.tables import events, messages, of_items, of_loops
from heardback_shared.db.bulk import insert_rows
from heardback_shared.metrics import Metrics

PAUSED = "A person has paused the campaign."


class MessageQueue:
    """`ports.Outreach` in Postgres. Everything happens in the caller's transaction."""

    def __init__(self, store: PostgresMessages, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def enqueue(
        self, connection: AsyncConnection, tenant_id: str, drafts: Sequence[Draft], at: datetime
    ) -> frozenset[str]:
        given = {draft.id: draft for draft in drafts}
        added = await insert_rows(
            connection,
            messages,
            [_row(tenant_id, draft, at) for draft in given.values()],
            on_conflict="ON CONFLICT DO NOTHING",
            returning=("id",),
        )
        new = [given[str(row.id)] for row in added]
        await insert_rows(connection, events, [_first_event(tenant_id, draft, at) for draft in new])
        await insert_rows(
            connection,
            of_loops,
            [
                {"tenant_id": tenant_id, "loop_id": loop_id, "message_id": draft.id}
                for draft in new
                for loop_id in dict.fromkeys(draft.loop_ids)
            ],
        )
        await insert_rows(
            connection,
            of_items,
            [
                {"tenant_id": tenant_id, "item_id": item_id, "message_id": draft.id}
                for draft in new
                for item_id in dict.fromkeys(draft.item_ids)
            ],
        )
        for step, count in Counter(draft.step for draft in new).items():
            self._metrics.messages.labels("waiting", "none", step).inc(count)
        return frozenset(draft.id for draft in new)

    async def standings(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str]
    ) -> Mapping[str, Standing]:
        found = await self._store.find(connection, tenant_id, message_ids)
        return {kept.draft.id: standing_of(kept) for kept in found}

    async def of_loops(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Mapping[str, Sequence[Standing]]:
        pairs = await self._store.ids_of_loops(connection, tenant_id, loop_ids)
        loops_of: dict[str, list[str]] = defaultdict(list)
        for loop_id, message_id in pairs:
            loops_of[message_id].append(loop_id)
        found: dict[str, list[Standing]] = defaultdict(list)
        for kept in await self._store.find(connection, tenant_id, list(loops_of)):
            for loop_id in loops_of[kept.draft.id]:
                found[loop_id].append(standing_of(kept))
        return found

    async def cancel(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        message_ids: Sequence[str],
        because: str,
        at: datetime,
    ) -> frozenset[str]:
        found = await self._store.find(connection, tenant_id, message_ids, lock=True)
        open_ = [kept for kept in found if kept.state in {"waiting", "paused"}]
        handed = [kept.draft.id for kept in found if kept.state == "handed"]
        if handed:
            await self._store.if_returned(connection, tenant_id, handed, "cancelled")
        await self._keep(
            connection, tenant_id, [Change(k, "cancelled", "taken_back", because) for k in open_], at
        )
        return frozenset(kept.draft.id for kept in open_)

    async def pause(self, connection: AsyncConnection, tenant_id: str, campaign_id: str, at: datetime) -> int:
        await self._if_returned(connection, tenant_id, campaign_id, "paused")
        found = await self._of_campaign(connection, tenant_id, campaign_id, "waiting")
        changes = [Change(kept, "paused", "campaign_paused", PAUSED) for kept in found]
        await self._keep(connection, tenant_id, changes, at)
        return len(changes)

    async def resume(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str, at: datetime
    ) -> int:
        await self._if_returned(connection, tenant_id, campaign_id, None)
        found = await self._of_campaign(connection, tenant_id, campaign_id, "paused")
        changes = [Change(kept, "waiting", "campaign_resumed", None, max(kept.due_at, at)) for kept in found]
        await self._keep(connection, tenant_id, changes, at)
        return len(changes)

    async def progress(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str
    ) -> Mapping[MessageState, int]:
        query = (
            select(messages.c.state, func.count())
            .where(messages.c.tenant_id == tenant_id, messages.c.campaign_id == campaign_id)
            .group_by(messages.c.state)
        )
        counted: dict[MessageState, int] = {}
        for state, count in await connection.execute(query):
            counted[state] = count
        return counted

    async def _if_returned(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        campaign_id: str,
        then: Literal["paused"] | None,
    ) -> None:
        """What a channel has and cannot deliver waits for the end of the pause like everything else."""
        handed = await self._of_campaign(connection, tenant_id, campaign_id, "handed")
        if handed:
            await self._store.if_returned(connection, tenant_id, [kept.draft.id for kept in handed], then)

    async def _of_campaign(
        self, connection: AsyncConnection, tenant_id: str, campaign_id: str, state: MessageState
    ) -> Sequence[Kept]:
        query = select(messages.c.id).where(
            messages.c.tenant_id == tenant_id,
            messages.c.campaign_id == campaign_id,
            messages.c.state == state,
        )
        ids = [message_id for (message_id,) in await connection.execute(query)]
        found = await self._store.find(connection, tenant_id, ids, lock=True)
        return [kept for kept in found if kept.state == state]

    async def _keep(
        self, connection: AsyncConnection, tenant_id: str, changes: Sequence[Change], at: datetime
    ) -> None:
        await self._store.keep(connection, tenant_id, changes, at)
        for change in changes:
            self._metrics.messages.labels(change.state, "none", change.kept.draft.step).inc()


def standing_of(kept: Kept) -> Standing:
    due_at = kept.due_at if kept.state == "waiting" else None
    return Standing(kept.draft.id, kept.state, kept.at, due_at, kept.channel, kept.code, kept.reason)


def _row(tenant_id: str, draft: Draft, at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": draft.id,
        "customer_id": draft.customer_id,
        "step": draft.step,
        "campaign_id": draft.campaign_id,
        "draft": to_plain(draft),
        "state": "waiting",
        "sequence": 1,
        "due_at": max(at, draft.not_before) if draft.not_before else at,
        "tried": [],
        "created_at": at,
        "changed_at": at,
    }


def _first_event(tenant_id: str, draft: Draft, at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "message_id": draft.id,
        "sequence": 1,
        "state": "waiting",
        "at": at,
        "due_at": max(at, draft.not_before) if draft.not_before else at,
        "basis": {},
    }
