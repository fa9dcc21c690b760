"""The delivery queue in Postgres: due rows, leases, attempts."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.attempt_store import recorded
from heardback_router.deliveries.domain import DeliveryState
from heardback_router.deliveries.ports import Attempt, Claimed, Message, Replay, Which
from heardback_router.deliveries.tables import attempts, deliveries, replays
from heardback_shared.db.bulk import insert_rows

# Endpoints that must not be claimed from by two at once: the row lock lasts until the claim is committed.
_GATED = text("""
SELECT e.tenant_id, e.id, e.circuit, e.rate_per_minute
FROM router.endpoint e
WHERE e.enabled AND e.proven AND (e.circuit <> 'closed' OR e.rate_per_minute IS NOT NULL)
    AND (e.throttled_until IS NULL OR e.throttled_until <= :now)
    AND (e.circuit = 'closed' OR e.circuit_until <= :now)
    AND EXISTS (
        SELECT FROM router.delivery q
        WHERE q.tenant_id = e.tenant_id AND q.endpoint_id = e.id AND q.state = 'pending'
            AND q.next_attempt_at <= :now AND (q.leased_until IS NULL OR q.leased_until <= :now)
    )
FOR NO KEY UPDATE OF e SKIP LOCKED
""")

_MARK_PROBES = text("""
UPDATE router.endpoint e SET circuit = 'half_open', circuit_until = :lost_at
FROM unnest(CAST(:tenants AS text[]), CAST(:endpoints AS text[])) AS p (tenant_id, id)
WHERE e.tenant_id = p.tenant_id AND e.id = p.id
""")

_MARK_PACED = text("""
UPDATE router.endpoint e
SET throttled_until = CAST(:now AS timestamptz) + make_interval(secs => p.taken * 60.0 / e.rate_per_minute)
FROM unnest(CAST(:tenants AS text[]), CAST(:endpoints AS text[]), CAST(:taken AS int[]))
    AS p (tenant_id, id, taken)
WHERE e.tenant_id = p.tenant_id AND e.id = p.id
""")

# Leases are taken per endpoint, so that a slow one with many rows due never keeps others waiting.
_CLAIM = text("""
WITH due AS (
    SELECT d.tenant_id, d.id, e.url
    FROM router.endpoint e
    LEFT JOIN unnest(CAST(:busy AS text[]), CAST(:used AS int[])) AS b (endpoint_id, used)
        ON b.endpoint_id = e.id
    LEFT JOIN unnest(CAST(:gated AS text[]), CAST(:shares AS int[])) AS g (endpoint_id, share)
        ON g.endpoint_id = e.id
    CROSS JOIN LATERAL (
        SELECT q.tenant_id, q.id, q.next_attempt_at
        FROM router.delivery q
        WHERE q.tenant_id = e.tenant_id AND q.endpoint_id = e.id AND q.state = 'pending'
            AND q.next_attempt_at <= :now AND (q.leased_until IS NULL OR q.leased_until <= :now)
        ORDER BY q.next_attempt_at
        LIMIT least(g.share, greatest(CAST(:per_endpoint AS int) - coalesce(b.used, 0), 0))
        FOR UPDATE SKIP LOCKED
    ) d
    WHERE e.enabled AND e.proven AND (e.throttled_until IS NULL OR e.throttled_until <= :now)
        AND (g.share IS NOT NULL OR (e.circuit = 'closed' AND e.rate_per_minute IS NULL))
    ORDER BY d.next_attempt_at
    LIMIT :free
)
UPDATE router.delivery t
SET leased_until = :lease_until, claims = t.claims + 1
FROM due
WHERE t.tenant_id = due.tenant_id AND t.id = due.id
RETURNING t.tenant_id, t.id, t.endpoint_id, t.message_id, t.event_type, t.body, t.claims, t.attempts, due.url
""")

_LIVE_SECRETS = text("""
SELECT s.endpoint_id, s.id, s.sealed
FROM router.endpoint_secret s
JOIN unnest(CAST(:tenants AS text[]), CAST(:endpoints AS text[])) AS wanted (tenant_id, endpoint_id)
    USING (tenant_id, endpoint_id)
WHERE s.valid_until IS NULL OR s.valid_until > :now
ORDER BY s.created_at DESC, s.valid_until NULLS FIRST, s.id
""")

# By an array of ids, each is found through its key. A claim that ran out is another's by now.
_GIVE_BACK = text("""
UPDATE router.delivery SET leased_until = NULL, claims = claims - 1
WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS text[])) AND state = 'pending'
    AND claims = (CAST(:claims AS integer[]))[array_position(CAST(:ids AS text[]), id)]
""")


class PostgresDeliveryQueue:
    async def add(
        self, connection: AsyncConnection, tenant_id: str, messages: Sequence[Message], at: datetime
    ) -> None:
        rows = [
            {
                "tenant_id": tenant_id,
                "id": m.id,
                "endpoint_id": m.endpoint_id,
                "message_id": m.message_id,
                "event_type": m.event_type,
                "body": m.body,
                "state": "pending",
                "attempts": 0,
                "claims": 0,
                "next_attempt_at": at,
                "created_at": at,
            }
            for m in messages
        ]
        await insert_rows(connection, deliveries, rows, on_conflict="ON CONFLICT DO NOTHING")

    async def claim(
        self,
        connection: AsyncConnection,
        *,
        now: datetime,
        lease_until: datetime,
        free: int,
        per_endpoint: int,
        busy: Mapping[str, int],
    ) -> Sequence[Claimed]:
        gated = (await connection.execute(_GATED, {"now": now})).mappings().all()
        result = await connection.execute(
            _CLAIM,
            {
                "now": now,
                "lease_until": lease_until,
                "free": free,
                "per_endpoint": per_endpoint,
                "busy": list(busy),
                "used": list(busy.values()),
                "gated": [g["id"] for g in gated],
                "shares": [_share(g) for g in gated],
            },
        )
        rows = result.mappings().all()
        if not rows:
            return ()
        if gated:
            await self._mark(connection, gated, Counter(r["endpoint_id"] for r in rows), now, lease_until)
        wanted = {(r["tenant_id"], r["endpoint_id"]) for r in rows}
        found = await connection.execute(
            _LIVE_SECRETS,
            {"tenants": [t for t, _ in wanted], "endpoints": [e for _, e in wanted], "now": now},
        )
        sealed: dict[str, list[tuple[str, bytes]]] = defaultdict(list)
        for endpoint_id, secret_id, blob in found.all():
            sealed[endpoint_id].append((secret_id, blob))
        return [_claimed(r, tuple(sealed[r["endpoint_id"]])) for r in rows]

    async def postpone(self, connection: AsyncConnection, claimed: Claimed, until: datetime) -> None:
        await connection.execute(
            update(deliveries)
            .where(
                deliveries.c.tenant_id == claimed.tenant_id,
                deliveries.c.id == claimed.id,
                deliveries.c.claims == claimed.claim,
                deliveries.c.state == "pending",
            )
            .values(next_attempt_at=until, leased_until=None)
        )

    async def give_back(self, connection: AsyncConnection, left: Sequence[Claimed]) -> None:
        claims = {one.id: one.claim for one in left}
        ids = sorted(claims)
        values = {"tenant": left[0].tenant_id, "ids": ids, "claims": [claims[one] for one in ids]}
        await connection.execute(_GIVE_BACK, values)

    async def _mark(
        self,
        connection: AsyncConnection,
        gated: Sequence[RowMapping],
        taken: Mapping[str, int],
        now: datetime,
        lost_at: datetime,
    ) -> None:
        used = [g for g in gated if taken.get(g["id"])]
        probes = [g for g in used if g["circuit"] != "closed"]
        paced = [g for g in used if g["rate_per_minute"] is not None]
        if probes:
            await connection.execute(_MARK_PROBES, {**_names(probes), "lost_at": lost_at})
        if paced:
            shares = [taken[g["id"]] for g in paced]
            await connection.execute(_MARK_PACED, {**_names(paced), "taken": shares, "now": now})

    async def record(
        self, connection: AsyncConnection, tenant_id: str, made: Sequence[Attempt]
    ) -> frozenset[str]:
        return await recorded(connection, tenant_id, made)

    async def fail_pending(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, because: str, at: datetime
    ) -> tuple[str, ...]:
        result = await connection.execute(
            update(deliveries)
            .where(
                deliveries.c.tenant_id == tenant_id,
                deliveries.c.endpoint_id == endpoint_id,
                deliveries.c.state == "pending",
            )
            .values(state="failed", because=because, done_at=at, leased_until=None)
            .returning(deliveries.c.message_id)
        )
        return tuple(message_id for (message_id,) in result.all() if message_id)

    async def replay(
        self, connection: AsyncConnection, tenant_id: str, delivery_id: str, at: datetime
    ) -> None:
        mine = (deliveries.c.tenant_id == tenant_id) & (deliveries.c.id == delivery_id)
        # What is pending keeps its lease: it may be in flight right now.
        await connection.execute(
            update(deliveries).where(mine, deliveries.c.state == "pending").values(next_attempt_at=at)
        )
        await connection.execute(
            update(deliveries)
            .where(mine, deliveries.c.state != "pending")
            .values(state="pending", attempts=0, next_attempt_at=at, leased_until=None, done_at=None)
        )

    async def count_range(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        which: Which,
        since: datetime,
        until: datetime,
    ) -> int:
        query = select(func.count()).where(*_range(tenant_id, endpoint_id, which, since, until))
        return int((await connection.execute(query)).scalar_one())

    async def replay_range(
        self, connection: AsyncConnection, tenant_id: str, replay: Replay, limit: int
    ) -> tuple[int, tuple[str, ...]]:
        chosen = (
            select(deliveries.c.id)
            .where(*_range(tenant_id, replay.endpoint_id, replay.which, replay.since, replay.until))
            .order_by(deliveries.c.created_at, deliveries.c.id)
            .limit(limit)
            .with_for_update()
            .cte("chosen")  # read once: as a plain subquery it may be read anew for every row
        )
        result = await connection.execute(
            update(deliveries)
            .where(deliveries.c.tenant_id == tenant_id, deliveries.c.id.in_(select(chosen.c.id)))
            .values(
                state="pending",
                attempts=0,
                next_attempt_at=replay.at,
                leased_until=None,
                done_at=None,
                replay_id=replay.id,
            )
            .returning(deliveries.c.message_id)
        )
        rows = result.all()
        return len(rows), tuple(message_id for (message_id,) in rows if message_id)

    async def add_replay(self, connection: AsyncConnection, tenant_id: str, replay: Replay) -> None:
        await connection.execute(insert(replays).values(tenant_id=tenant_id, **asdict(replay)))

    async def find_replay(
        self, connection: AsyncConnection, tenant_id: str, replay_id: str
    ) -> tuple[Replay, Mapping[DeliveryState, int]] | None:
        query = select(replays).where(replays.c.tenant_id == tenant_id, replays.c.id == replay_id)
        row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        counted = await connection.execute(
            select(deliveries.c.state, func.count())
            .where(deliveries.c.tenant_id == tenant_id, deliveries.c.replay_id == replay_id)
            .group_by(deliveries.c.state)
        )
        found = Replay(**{name: row[name] for name in Replay.__dataclass_fields__})
        return found, {row[0]: row[1] for row in counted.all()}

    async def states_of(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str]
    ) -> Mapping[str, Sequence[DeliveryState]]:
        result = await connection.execute(
            select(deliveries.c.message_id, deliveries.c.state).where(
                deliveries.c.tenant_id == tenant_id, deliveries.c.message_id == _any(message_ids)
            )
        )
        states: dict[str, list[DeliveryState]] = defaultdict(list)
        for message_id, state in result.all():
            states[message_id].append(state)
        return states

    async def find(
        self, connection: AsyncConnection, tenant_id: str, delivery_id: str
    ) -> Mapping[str, Any] | None:
        found = await self.search(connection, tenant_id, {"id": delivery_id}, None, 1)
        return found[0] if found else None

    async def search(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        filters: Mapping[str, str],
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[Mapping[str, Any]]:
        columns = [c for c in deliveries.c if c.name not in {"tenant_id", "body", "claims"}]
        query = select(*columns).where(deliveries.c.tenant_id == tenant_id)
        for column, value in filters.items():
            query = query.where(deliveries.c[column] == value)
        if after:
            query = query.where(tuple_(deliveries.c.created_at, deliveries.c.id) < after)
        query = query.order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc()).limit(limit)
        rows = [dict(r) for r in (await connection.execute(query)).mappings()]
        made = await self._attempts_of(connection, tenant_id, [r["id"] for r in rows])
        return [{**row, "attempt_log": made.get(row["id"], [])} for row in rows]

    async def _attempts_of(
        self, connection: AsyncConnection, tenant_id: str, delivery_ids: Sequence[str]
    ) -> Mapping[str, list[dict[str, Any]]]:
        result = await connection.execute(
            select(attempts)
            .where(attempts.c.tenant_id == tenant_id, attempts.c.delivery_id == _any(delivery_ids))
            .order_by(attempts.c.number)
        )
        made: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in result.mappings():
            made[row["delivery_id"]].append(dict(row))
        return made


def _share(gated: RowMapping) -> int:
    """A probe is one delivery; a rate gives what it allows in a second, and at least one."""
    return 1 if gated["circuit"] != "closed" else max(gated["rate_per_minute"] // 60, 1)


def _names(gated: Sequence[RowMapping]) -> dict[str, list[str]]:
    return {"tenants": [g["tenant_id"] for g in gated], "endpoints": [g["id"] for g in gated]}


def _range(
    tenant_id: str, endpoint_id: str, which: Which, since: datetime, until: datetime
) -> tuple[Any, ...]:
    wanted = deliveries.c.state == "failed" if which == "missing" else deliveries.c.state != "pending"
    return (
        deliveries.c.tenant_id == tenant_id,
        deliveries.c.endpoint_id == endpoint_id,
        deliveries.c.created_at >= since,
        deliveries.c.created_at < until,
        deliveries.c.erased_at.is_(None),
        wanted,
    )


def _any(values: Sequence[str]) -> Any:
    return text("ANY(:wanted)").bindparams(bindparam("wanted", list(values), type_=ARRAY(TEXT)))


def _claimed(row: Mapping[Any, Any], sealed: tuple[tuple[str, bytes], ...]) -> Claimed:
    return Claimed(
        tenant_id=row["tenant_id"],
        id=row["id"],
        endpoint_id=row["endpoint_id"],
        message_id=row["message_id"],
        event_type=row["event_type"],
        body=row["body"],
        claim=row["claims"],
        attempts=row["attempts"],
        url=row["url"],
        sealed_secrets=sealed,
    )
