"""Attempts as they are stored, and what they make of their deliveries, in Postgres."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.domain import Delivered, Disable, GiveUp, Retry
from heardback_router.deliveries.ports import Attempt
from heardback_router.deliveries.tables import attempts, deliveries
from heardback_shared.db.bulk import insert_rows

_OUTCOMES = {Delivered: "delivered", Retry: "retry", GiveUp: "gave_up", Disable: "disabled"}

# By an array of ids, each is found through its key; a join might read all of the tenant's.
_DELIVERED = text("""
UPDATE router.delivery
SET state = 'delivered', because = NULL, attempts = attempts + 1, leased_until = NULL,
    done_at = (CAST(:at AS timestamptz[]))[array_position(CAST(:ids AS text[]), id)]
WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS text[]))
RETURNING id
""")

_ERASED = text("""
SELECT id, erased_at IS NOT NULL FROM router.delivery
WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS text[])) ORDER BY id FOR NO KEY UPDATE
""")


async def recorded(connection: AsyncConnection, tenant_id: str, made: Sequence[Attempt]) -> frozenset[str]:
    """See `DeliveryQueue.record`."""
    asked = {"tenant": tenant_id, "ids": sorted({one.claimed.id for one in made})}
    erased: dict[str, bool] = {row[0]: row[1] for row in await connection.execute(_ERASED, asked)}
    await insert_rows(connection, attempts, [_row(one, erased.get(one.claimed.id, True)) for one in made])
    # True whoever holds the lease by now: the receiver has it.
    taken = {one.claimed.id: one.at for one in made if isinstance(one.decision, Delivered)}
    counted: set[str] = set()
    if taken:
        ids = sorted(taken)
        values = {"tenant": tenant_id, "ids": ids, "at": [taken[one] for one in ids]}
        counted |= set((await connection.execute(_DELIVERED, values)).scalars())
    for attempt in sorted(made, key=lambda one: one.claimed.id):
        if not isinstance(attempt.decision, Delivered) and await _failed(
            connection, attempt, attempt.decision
        ):
            counted.add(attempt.claimed.id)
    return frozenset(counted)


async def _failed(connection: AsyncConnection, attempt: Attempt, decision: Retry | GiveUp | Disable) -> bool:
    """A failure counts only while the claim is ours: a later one may be in flight, or have succeeded."""
    claimed = attempt.claimed
    values: dict[str, Any] = {
        "attempts": deliveries.c.attempts + 1,
        "leased_until": None,
        "because": decision.because,
    }
    if isinstance(decision, Retry):
        values["next_attempt_at"] = decision.at
    else:
        values |= {"state": "failed", "done_at": attempt.at}
    change = update(deliveries).where(
        deliveries.c.tenant_id == claimed.tenant_id,
        deliveries.c.id == claimed.id,
        deliveries.c.claims == claimed.claim,
        deliveries.c.state == "pending",
    )
    return (await connection.execute(change.values(values))).rowcount > 0


def _row(attempt: Attempt, erased: bool) -> dict[str, Any]:
    """What was erased while this was in flight is not told again by an answer that echoes it."""
    return {
        "tenant_id": attempt.claimed.tenant_id,
        "delivery_id": attempt.claimed.id,
        "number": attempt.claimed.claim,
        "at": attempt.at,
        "outcome": _OUTCOMES[type(attempt.decision)],
        "status": attempt.response.status,
        "response": "" if erased else attempt.response.excerpt,
        "error": attempt.response.error,
        "duration_ms": attempt.duration_ms,
    }
