"""Messages in Postgres: what waits, what was decided, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.tables import loops
from heardback_router.outreach.codec import from_plain
from heardback_router.outreach.deciding import Due
from heardback_router.outreach.domain import Draft, MessageState, Standing
from heardback_router.outreach.tables import events, messages, of_loops
from heardback_shared.contact.domain import Channel
from heardback_shared.db.bulk import insert_rows

# By customer, so that what waits for one person is decided about together.
_CLAIM = text("""
WITH due AS (
    SELECT tenant_id, id FROM router.message
    WHERE state = 'waiting' AND due_at <= :now AND (leased_until IS NULL OR leased_until <= :now)
    ORDER BY due_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
UPDATE router.message m SET leased_until = :lease_until
FROM due WHERE m.tenant_id = due.tenant_id AND m.id = due.id
RETURNING m.tenant_id, m.customer_id
""")

_OLDEST_DUE = text("SELECT min(due_at) FROM router.message WHERE state = 'waiting' AND due_at <= :now")

_KEEP = text("""
UPDATE router.message m
SET state = u.state, sequence = m.sequence + u.told, due_at = coalesce(u.due_at, m.due_at),
    leased_until = NULL, code = u.code, reason = u.reason,
    changed_at = CASE WHEN u.told = 1 THEN CAST(:at AS timestamptz) ELSE m.changed_at END,
    channel = coalesce(u.channel, m.channel), handover_id = coalesce(u.handover_id, m.handover_id),
    if_returned = CASE WHEN u.state = 'handed' THEN NULL ELSE m.if_returned END,
    tried = CASE WHEN u.tried IS NULL THEN m.tried ELSE m.tried || jsonb_build_array(u.tried) END
FROM unnest(
    CAST(:ids AS text[]), CAST(:states AS text[]), CAST(:told AS int[]), CAST(:due AS timestamptz[]),
    CAST(:codes AS text[]), CAST(:reasons AS text[]), CAST(:channels AS text[]),
    CAST(:handovers AS text[]), CAST(:tried AS text[])
) AS u (id, state, told, due_at, code, reason, channel, handover_id, tried)
WHERE m.tenant_id = :tenant_id AND m.id = u.id
""")

_BEHIND = text("""
SELECT l.loop_id, m.step FROM router.message_loop l
JOIN router.message m ON m.tenant_id = l.tenant_id AND m.id = l.message_id
WHERE l.tenant_id = :tenant_id AND l.loop_id = ANY(CAST(:loops AS text[])) AND m.state = 'handed'
""")

_RAISED = text("""
SELECT asked.id, f.accepted_at FROM unnest(CAST(:ids AS text[])) AS asked (id)
CROSS JOIN LATERAL (
    SELECT accepted_at FROM router.item_feedback
    WHERE tenant_id = :tenant_id AND feedback_id = asked.id LIMIT 1
) AS f
""")

# Without a look into the drafts: one of them may be what cannot be read.
_PUT_OFF = text("""
WITH late AS (
    UPDATE router.message m
    SET due_at = :until, leased_until = NULL, code = 'not_prepared', reason = :because, changed_at = :now,
        sequence = m.sequence + CASE WHEN m.code IS DISTINCT FROM 'not_prepared' THEN 1 ELSE 0 END
    FROM (
        SELECT tenant_id, id, code FROM router.message
        WHERE tenant_id = :tenant_id AND customer_id = ANY(CAST(:customers AS text[]))
            AND state = 'waiting' AND due_at <= :now
        FOR UPDATE
    ) AS before
    WHERE m.tenant_id = before.tenant_id AND m.id = before.id
    RETURNING m.tenant_id, m.id, m.sequence, before.code AS code_before
)
INSERT INTO router.message_event (tenant_id, message_id, sequence, state, at, due_at, code, reason, basis)
SELECT tenant_id, id, sequence, 'waiting', :now, :until, 'not_prepared', :because, CAST('{}' AS jsonb)
FROM late WHERE code_before IS DISTINCT FROM 'not_prepared'
""")


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it is kept."""

    draft: Draft
    state: MessageState
    sequence: int
    since: datetime
    at: datetime
    due_at: datetime
    tried: tuple[Channel, ...]
    handover_id: str | None
    channel: Channel | None
    code: str | None
    reason: str | None
    if_returned: Literal["paused", "cancelled"] | None = None

    @property
    def due(self) -> Due:
        return Due(self.draft, self.since, self.tried)


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a message, and why. `tried` is a channel that could not take it."""

    kept: Kept
    state: MessageState
    code: str | None = None
    reason: str | None = None
    due_at: datetime | None = None
    channel: Channel | None = None
    handover_id: str | None = None
    tried: Channel | None = None
    basis: Mapping[str, Any] = field(default_factory=dict)

    @property
    def told(self) -> bool:
        """Whether this says anything that the last event did not: to wait longer for one reason does not."""
        before = self.kept
        return (before.state, before.code, before.reason) != (self.state, self.code, self.reason)

    def standing(self, at: datetime) -> Standing:
        return Standing(self.kept.draft.id, self.state, at, self.due_at, self.channel, self.code, self.reason)


class PostgresMessages:
    """Lock order, for everybody: endpoints, person, loops, messages."""

    async def claim(
        self, connection: AsyncConnection, now: datetime, lease_until: datetime, limit: int
    ) -> Mapping[str, Sequence[str]]:
        """Customers with something due, by tenant, over all tenants; no other process takes it meanwhile."""
        rows = await connection.execute(_CLAIM, {"now": now, "lease_until": lease_until, "limit": limit})
        found: dict[str, dict[str, None]] = {}
        for tenant_id, customer_id in rows:
            found.setdefault(tenant_id, {})[customer_id] = None
        return {tenant_id: list(customers) for tenant_id, customers in found.items()}

    async def oldest_due(self, connection: AsyncConnection, now: datetime) -> datetime | None:
        found: datetime | None = await connection.scalar(_OLDEST_DUE, {"now": now})
        return found

    async def lock_due(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str], now: datetime
    ) -> Sequence[Kept]:
        """What is due of these customers, with the loops it is about; nobody changes either until the end."""
        due = (
            (messages.c.tenant_id == tenant_id)
            & (messages.c.customer_id == any_of(customer_ids))
            & (messages.c.state == "waiting")
            & (messages.c.due_at <= now)
        )
        found = await connection.execute(select(messages.c.draft).where(due))
        about = {loop_id for (draft,) in found for loop_id in draft["loop_ids"]}
        await self.lock_loops(connection, tenant_id, about)
        query = select(messages).where(due).order_by(messages.c.id).with_for_update()
        return [kept_of(row) for row in (await connection.execute(query)).mappings()]

    async def lock_loops(self, connection: AsyncConnection, tenant_id: str, loop_ids: Iterable[str]) -> None:
        wanted = sorted(set(loop_ids))
        if wanted:
            query = select(loops.c.id).where(loops.c.tenant_id == tenant_id, loops.c.id == any_of(wanted))
            await connection.execute(query.order_by(loops.c.id).with_for_update())

    async def on_their_way(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        """(loop, step) of what a channel has and has not delivered yet."""
        rows = await connection.execute(_BEHIND, {"tenant_id": tenant_id, "loops": list(loop_ids)})
        return [(loop_id, step) for loop_id, step in rows]

    async def raised(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, datetime]:
        """When each feedback came."""
        rows = await connection.execute(_RAISED, {"tenant_id": tenant_id, "ids": list(feedback_ids)})
        return {row.id: row.accepted_at for row in rows}

    async def of_handovers(
        self, connection: AsyncConnection, tenant_id: str, handover_ids: Sequence[str]
    ) -> Sequence[Kept]:
        """Locked, with the loops they are about."""
        mine = (messages.c.tenant_id == tenant_id) & (messages.c.handover_id == any_of(handover_ids))
        found = await connection.execute(select(messages.c.draft).where(mine))
        await self.lock_loops(connection, tenant_id, {loop for (d,) in found for loop in d["loop_ids"]})
        query = select(messages).where(mine).order_by(messages.c.id).with_for_update()
        return [kept_of(row) for row in (await connection.execute(query)).mappings()]

    async def at(
        self, connection: AsyncConnection, tenant_id: str, handover_ids: Sequence[str]
    ) -> Sequence[Kept]:
        """What was given to a channel under these hand-overs, and not to another one since."""
        query = select(messages).where(
            messages.c.tenant_id == tenant_id, messages.c.handover_id == any_of(handover_ids)
        )
        rows = await connection.execute(query.order_by(messages.c.created_at, messages.c.id))
        return [kept_of(row) for row in rows.mappings()]

    async def heard(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
    ) -> Sequence[Draft]:
        """What has gone out to these ids, or is with a channel."""
        query = select(messages.c.draft).where(
            messages.c.tenant_id == tenant_id,
            messages.c.customer_id == any_of(customer_ids),
            messages.c.state.in_(("handed", "sent")),
        )
        return [from_plain(draft) for (draft,) in await connection.execute(query)]

    async def find(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str], *, lock: bool = False
    ) -> Sequence[Kept]:
        query = select(messages).where(
            messages.c.tenant_id == tenant_id, messages.c.id == any_of(message_ids)
        )
        query = query.order_by(messages.c.created_at, messages.c.id)
        rows = await connection.execute(query.with_for_update() if lock else query)
        return [kept_of(row) for row in rows.mappings()]

    async def ids_of_loops(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        """(loop, message)."""
        query = select(of_loops.c.loop_id, of_loops.c.message_id).where(
            of_loops.c.tenant_id == tenant_id, of_loops.c.loop_id == any_of(loop_ids)
        )
        return [(loop_id, message_id) for loop_id, message_id in await connection.execute(query)]

    async def keep(
        self, connection: AsyncConnection, tenant_id: str, changes: Sequence[Change], at: datetime
    ) -> None:
        """Stores what was decided, each with its event unless nothing was said that was not said before."""
        if not changes:
            return
        await connection.execute(
            _KEEP,
            {
                "tenant_id": tenant_id,
                "at": at,
                "ids": [c.kept.draft.id for c in changes],
                "states": [c.state for c in changes],
                "told": [int(c.told) for c in changes],
                "due": [c.due_at for c in changes],
                "codes": [c.code for c in changes],
                "reasons": [c.reason for c in changes],
                "channels": [c.channel for c in changes],
                "handovers": [c.handover_id for c in changes],
                "tried": [c.tried for c in changes],
            },
        )
        told = [change for change in changes if change.told]
        await insert_rows(connection, events, [_event_row(tenant_id, change, at) for change in told])

    async def if_returned(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        message_ids: Sequence[str],
        then: Literal["paused", "cancelled"] | None,
    ) -> None:
        """What becomes of those that a channel has, if it gives them back; taken back is for good."""
        mine = (messages.c.tenant_id == tenant_id) & (messages.c.id == any_of(message_ids))
        open_ = messages.c.if_returned.is_distinct_from("cancelled") & (messages.c.state == "handed")
        await connection.execute(update(messages).where(mine & open_).values(if_returned=then))

    async def put_off(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        customer_ids: Sequence[str],
        now: datetime,
        until: datetime,
        because: str,
    ) -> None:
        """What is due of these customers is looked at again at `until`."""
        await connection.execute(
            _PUT_OFF,
            {
                "tenant_id": tenant_id,
                "customers": list(customer_ids),
                "now": now,
                "until": until,
                "because": because,
            },
        )


def any_of(values: Iterable[str]) -> Any:
    return text("ANY(:wanted)").bindparams(bindparam("wanted", list(values), type_=ARRAY(TEXT)))


def kept_of(row: Mapping[Any, Any]) -> Kept:
    return Kept(
        draft=from_plain(row["draft"]),
        state=row["state"],
        sequence=row["sequence"],
        since=row["created_at"],
        at=row["changed_at"],
        due_at=row["due_at"],
        tried=tuple(row["tried"]),
        handover_id=row["handover_id"],
        channel=row["channel"],
        code=row["code"],
        reason=row["reason"],
        if_returned=row["if_returned"],
    )


def _event_row(tenant_id: str, change: Change, at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "message_id": change.kept.draft.id,
        "sequence": change.kept.sequence + 1,
        "state": change.state,
        "at": at,
        "due_at": change.due_at,
        "channel": change.channel,
        "code": change.code,
        "reason": change.reason,
        "basis": dict(change.basis),
    }
