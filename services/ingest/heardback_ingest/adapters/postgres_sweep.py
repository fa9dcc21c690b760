"""The ledger across tenants, for the re-drive."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import TextClause

from heardback_ingest.domain.ledger import SUPERSEDED, Due
from heardback_shared.db.planning import look_up_by_key

MARGIN = 1 / 3
"""Share of the stall time by which a row must be overtaken before it counts as lost."""

_HOLD = text("SELECT pg_try_advisory_xact_lock(hashtextextended('heardback.redrive', 0))")
_OUTBOX = text("SELECT count(*) FROM (SELECT 1 FROM ingest.outbox LIMIT :limit) AS waiting")
_DUE = text("""
SELECT f.tenant_id, f.id, f.revision, f.customer_id, f.state, f.pass_number, f.redrives, f.event,
    f.traceparent,
    (SELECT max(n.revision) FROM ingest.feedback n WHERE n.tenant_id = f.tenant_id AND n.id = f.id) AS newest
FROM ingest.feedback f LEFT JOIN ingest.progress p ON p.tenant_id = f.tenant_id
WHERE f.due_at <= :now AND (
    f.state <> 'in_flight' OR p.tenant_id IS NULL OR p.settled_at < :stalled
    OR f.sent_at < p.newest_sent_at - make_interval(secs => :margin)
)
ORDER BY f.due_at LIMIT :limit FOR UPDATE OF f SKIP LOCKED
""")


def _update(changes: str, more: str = "", names: str = "") -> TextClause:
    """An update of the rows named by arrays; `more` and `names` are further arrays, such as ", due_at"."""
    return text(f"""
UPDATE ingest.feedback f SET {changes}
FROM unnest(CAST(:tenants AS text[]), CAST(:ids AS text[]), CAST(:revisions AS integer[]){more})
    AS r(tenant_id, id, revision{names})
WHERE f.tenant_id = r.tenant_id AND f.id = r.id AND f.revision = r.revision
""")  # noqa: S608


_SENT = _update(
    "redrives = f.redrives + 1, sent_at = :now, due_at = r.due_at",
    ", CAST(:due AS timestamptz[])",
    ", due_at",
)
_RESCORED = _update(
    """state = 'in_flight', pass_number = f.pass_number + 1, redrives = 0, settled_at = NULL,
    sent_at = :now, due_at = r.due_at, event = r.event""",
    ", CAST(:due AS timestamptz[]), CAST(:events AS bytea[])",
    ", due_at, event",
)
_SUPERSEDED = _update("state = 'settled', reason = :reason, settled_at = :now, due_at = NULL")
_DIED = _update("state = 'dead', reason = :reason, settled_at = :now, due_at = NULL")
_REST = _update("due_at = NULL")


class PostgresSweep:
    async def hold(self, c: AsyncConnection) -> bool:
        held = bool(await c.scalar(_HOLD))
        if held:
            await look_up_by_key(c)
        return held

    async def outbox_length(self, c: AsyncConnection, limit: int) -> int:
        return int(await c.scalar(_OUTBOX, {"limit": limit}) or 0)

    async def due(self, c: AsyncConnection, now: datetime, stall_seconds: float, limit: int) -> list[Due]:
        rows = await c.execute(
            _DUE,
            {
                "now": now,
                "stalled": now - timedelta(seconds=stall_seconds),
                "margin": stall_seconds * MARGIN,
                "limit": limit,
            },
        )
        return [
            Due(
                r.tenant_id,
                r.id,
                r.revision,
                r.customer_id,
                r.state,
                r.pass_number,
                r.redrives,
                r.event,
                r.traceparent,
                r.newest,
            )
            for r in rows
        ]

    async def sent_again(
        self, c: AsyncConnection, rows: Sequence[tuple[Due, datetime]], now: datetime
    ) -> None:
        if rows:
            await c.execute(_SENT, {**_keys([r for r, _ in rows]), "now": now, "due": [d for _, d in rows]})

    async def rescored(
        self, c: AsyncConnection, rows: Sequence[tuple[Due, bytes, datetime]], now: datetime
    ) -> None:
        if rows:
            more = {"now": now, "events": [e for _, e, _ in rows], "due": [d for _, _, d in rows]}
            await c.execute(_RESCORED, {**_keys([r for r, _, _ in rows]), **more})

    async def superseded(self, c: AsyncConnection, rows: Sequence[Due], now: datetime) -> None:
        if rows:
            await c.execute(_SUPERSEDED, {**_keys(rows), "now": now, "reason": SUPERSEDED})

    async def died(self, c: AsyncConnection, rows: Sequence[Due], reason: str, now: datetime) -> None:
        await c.execute(_DIED, {**_keys(rows), "now": now, "reason": reason})

    async def rest(self, c: AsyncConnection, rows: Sequence[Due]) -> None:
        if rows:
            await c.execute(_REST, _keys(rows))


def _keys(rows: Sequence[Due]) -> dict[str, Any]:
    return {
        "tenants": [r.tenant_id for r in rows],
        "ids": [r.feedback_id for r in rows],
        "revisions": [r.revision for r in rows],
    }
