"""The delivery queue in Postgres: due rows, leases, attempts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.domain import Delivered, DeliveryState, Disable, GiveUp, Retry
from heardback_router.deliveries.ports import Attempt, Claimed, Message
from heardback_router.deliveries.tables import attempts, deliveries, endpoints
from heardback_shared.db.bulk import insert_rows

# Leases are taken per endpoint, so that a slow one with many rows due never keeps others waiting.
_CLAIM = text("""
WITH due AS (
    SELECT d.tenant_id, d.id, e.url
    FROM router.endpoint e
    LEFT JOIN unnest(CAST(:busy AS text[]), CAST(:used AS int[])) AS b (endpoint_id, used)
        ON b.endpoint_id = e.id
    CROSS JOIN LATERAL (
        SELECT q.tenant_id, q.id, q.next_attempt_at
        FROM router.delivery q
        WHERE q.tenant_id = e.tenant_id AND q.endpoint_id = e.id AND q.state = 'pending'
            AND q.next_attempt_at <= :now AND (q.leased_until IS NULL OR q.leased_until <= :now)
        ORDER BY q.next_attempt_at
        LIMIT greatest(CAST(:per_endpoint AS int) - coalesce(b.used, 0), 0)
        FOR UPDATE SKIP LOCKED
    ) d
    WHERE e.enabled AND (e.throttled_until IS NULL OR e.throttled_until <= :now)
    ORDER BY d.next_attempt_at
    LIMIT :free
)
UPDATE router.delivery t
SET leased_until = :lease_until, claims = t.claims + 1
FROM due
WHERE t.tenant_id = due.tenant_id AND t.id = due.id
RETURNING t.tenant_id, t.id, t.endpoint_id, t.loop_id, t.event_type, t.body, t.claims, t.attempts, due.url
""")

_LIVE_SECRETS = text("""
SELECT s.endpoint_id, s.id, s.sealed
FROM router.endpoint_secret s
JOIN unnest(CAST(:tenants AS text[]), CAST(:endpoints AS text[])) AS wanted (tenant_id, endpoint_id)
    USING (tenant_id, endpoint_id)
WHERE s.valid_until IS NULL OR s.valid_until > :now
ORDER BY s.created_at DESC, s.valid_until NULLS FIRST
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
                "loop_id": m.loop_id,
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
        result = await connection.execute(
            _CLAIM,
            {
                "now": now,
                "lease_until": lease_until,
                "free": free,
                "per_endpoint": per_endpoint,
                "busy": list(busy),
                "used": list(busy.values()),
            },
        )
        rows = result.mappings().all()
        if not rows:
            return ()
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

    async def record(self, connection: AsyncConnection, attempt: Attempt) -> tuple[str, ...]:
        claimed, decision = attempt.claimed, attempt.decision
        loops: tuple[str, ...] = (claimed.loop_id,) if claimed.loop_id else ()
        # Locks are always taken in the order endpoint, delivery, loop, so that two records never deadlock.
        if isinstance(decision, Retry) and decision.throttle_until:
            await self._throttle(connection, claimed, decision.throttle_until)
        if isinstance(decision, Disable):
            await self._disable(connection, claimed, decision.because, attempt.at)
        await connection.execute(insert(attempts).values(_attempt_row(attempt)))
        await self._advance(connection, attempt)
        if isinstance(decision, Disable):
            loops += await self.fail_pending(
                connection, claimed.tenant_id, claimed.endpoint_id, decision.because, attempt.at
            )
        return loops

    async def _advance(self, connection: AsyncConnection, attempt: Attempt) -> None:
        claimed, decision = attempt.claimed, attempt.decision
        change = update(deliveries).where(
            deliveries.c.tenant_id == claimed.tenant_id, deliveries.c.id == claimed.id
        )
        count = deliveries.c.attempts + 1
        if isinstance(decision, Delivered):
            # True whoever holds the lease by now: the receiver has it.
            await connection.execute(
                change.values(
                    state="delivered", attempts=count, leased_until=None, because=None, done_at=attempt.at
                )
            )
            return
        # A failure counts only while the claim is ours: a later one may be in flight, or have succeeded.
        ours = change.where(deliveries.c.claims == claimed.claim, deliveries.c.state == "pending")
        values: dict[str, Any]
        if isinstance(decision, Retry):
            values = {"next_attempt_at": decision.at}
        else:
            values = {"state": "failed", "done_at": attempt.at}
        await connection.execute(
            ours.values(attempts=count, leased_until=None, because=decision.because, **values)
        )

    async def _throttle(self, connection: AsyncConnection, claimed: Claimed, until: datetime) -> None:
        await connection.execute(
            update(endpoints)
            .where(endpoints.c.tenant_id == claimed.tenant_id, endpoints.c.id == claimed.endpoint_id)
            .where(endpoints.c.throttled_until.is_(None) | (endpoints.c.throttled_until < until))
            .values(throttled_until=until)
        )

    async def _disable(
        self, connection: AsyncConnection, claimed: Claimed, because: str, at: datetime
    ) -> None:
        await connection.execute(
            update(endpoints)
            .where(endpoints.c.tenant_id == claimed.tenant_id, endpoints.c.id == claimed.endpoint_id)
            .values(enabled=False, disabled_because=because, changed_at=at)
        )

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
            .returning(deliveries.c.loop_id)
        )
        return tuple(loop_id for (loop_id,) in result.all() if loop_id)

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

    async def states_of_loops(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Mapping[str, Sequence[DeliveryState]]:
        result = await connection.execute(
            select(deliveries.c.loop_id, deliveries.c.state).where(
                deliveries.c.tenant_id == tenant_id, deliveries.c.loop_id == _any(loop_ids)
            )
        )
        states: dict[str, list[DeliveryState]] = defaultdict(list)
        for loop_id, state in result.all():
            states[loop_id].append(state)
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


def _any(values: Sequence[str]) -> Any:
    return text("ANY(:wanted)").bindparams(bindparam("wanted", list(values), type_=ARRAY(TEXT)))


def _attempt_row(attempt: Attempt) -> dict[str, Any]:
    outcome = {Delivered: "delivered", Retry: "retry", GiveUp: "gave_up", Disable: "disabled"}
    return {
        "tenant_id": attempt.claimed.tenant_id,
        "delivery_id": attempt.claimed.id,
        "number": attempt.claimed.claim,
        "at": attempt.at,
        "outcome": outcome[type(attempt.decision)],
        "status": attempt.response.status,
        "response": attempt.response.excerpt,
        "error": attempt.response.error,
        "duration_ms": attempt.duration_ms,
    }


def _claimed(row: Mapping[Any, Any], sealed: tuple[tuple[str, bytes], ...]) -> Claimed:
    return Claimed(
        tenant_id=row["tenant_id"],
        id=row["id"],
        endpoint_id=row["endpoint_id"],
        loop_id=row["loop_id"],
        event_type=row["event_type"],
        body=row["body"],
        claim=row["claims"],
        attempts=row["attempts"],
        url=row["url"],
        sealed_secrets=sealed,
    )
