"""Which endpoints need looking after, over all tenants."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.breaker import BreakerPolicy, next_probe

_DUE = text("""
SELECT tenant_id, id, probes FROM router.endpoint
WHERE NOT enabled AND disabled_by = 'failures' AND proven AND probe_at <= :now
ORDER BY probe_at
LIMIT :limit
FOR NO KEY UPDATE SKIP LOCKED
""")

_PUSH = text("""
UPDATE router.endpoint e SET probes = e.probes + 1, probe_at = p.at
FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS text[]), CAST(:ats AS timestamptz[]))
    AS p (tenant_id, id, at)
WHERE e.tenant_id = p.tenant_id AND e.id = p.id
""")

_HELD = text("""
SELECT e.tenant_id, e.id FROM router.endpoint e
WHERE (e.disabled_by = 'person' OR NOT e.proven) AND coalesce(e.held_since, e.created_at) <= :before
    AND EXISTS (
        SELECT FROM router.delivery d
        WHERE d.tenant_id = e.tenant_id AND d.endpoint_id = e.id AND d.state = 'pending'
    )
LIMIT :limit
""")


async def due_probes(
    connection: AsyncConnection, now: datetime, limit: int, policy: BreakerPolicy
) -> Sequence[tuple[str, str]]:
    """Disabled endpoints to ping now; each is put off to its next ping, so that nobody else pings it too."""
    rows = (await connection.execute(_DUE, {"now": now, "limit": limit})).all()
    if rows:
        await connection.execute(
            _PUSH,
            {
                "tenants": [r[0] for r in rows],
                "ids": [r[1] for r in rows],
                "ats": [next_probe(policy, r[2] + 1, now) for r in rows],
            },
        )
    return [(r[0], r[1]) for r in rows]


async def held_too_long(
    connection: AsyncConnection, before: datetime, limit: int
) -> Sequence[tuple[str, str]]:
    """Endpoints disabled by hand, or unproven, since before then, for which something waits."""
    rows = (await connection.execute(_HELD, {"before": before, "limit": limit})).all()
    return [(r[0], r[1]) for r in rows]
