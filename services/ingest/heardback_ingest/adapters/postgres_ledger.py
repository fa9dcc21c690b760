"""The ledger in PostgreSQL. Many rows, one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import tables
from heardback_ingest.domain.ledger import Due
from heardback_ingest.ports import Counts, ItemStage, Known, LoopStage, NewRow, Settlement
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.planning import look_up_by_key

_KNOWN = text("""
SELECT asked.id, found.revision AS newest, found.accepted_at AS at
FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT revision, accepted_at FROM ingest.feedback
    WHERE tenant_id = :tenant AND id = asked.id ORDER BY revision DESC LIMIT 1
) AS found
""")
_CONTENTS = text("""
SELECT f.id, f.revision, f.content_hmac FROM ingest.feedback f
JOIN unnest(CAST(:ids AS text[]), CAST(:revisions AS integer[])) AS k(id, revision)
  ON f.id = k.id AND f.revision = k.revision
WHERE f.tenant_id = :tenant
""")
_SETTLE = text("""
UPDATE ingest.feedback f SET
    state = CASE WHEN r.pass >= f.pass_number THEN 'settled' ELSE f.state END,
    reason = CASE WHEN r.pass >= f.pass_number THEN NULL ELSE f.reason END,
    settled_at = CASE WHEN r.pass >= f.pass_number THEN CAST(:now AS timestamptz) ELSE f.settled_at END,
    due_at = CASE WHEN r.pass >= f.pass_number THEN r.due_at ELSE f.due_at END,
    redrives = CASE WHEN r.pass >= f.pass_number THEN 0 ELSE f.redrives END,
    settled_pass = r.pass, item_id = r.item_id, team = r.team, score = CAST(r.score AS json),
    scored_at = r.scored_at, routed_at = r.routed_at
FROM unnest(
    CAST(:ids AS text[]), CAST(:revisions AS integer[]), CAST(:passes AS integer[]), CAST(:items AS text[]),
    CAST(:teams AS text[]), CAST(:scores AS text[]), CAST(:scored AS timestamptz[]),
    CAST(:routed AS timestamptz[]), CAST(:due AS timestamptz[])
) AS r(id, revision, pass, item_id, team, score, scored_at, routed_at, due_at)
WHERE f.tenant_id = :tenant AND f.id = r.id AND f.revision = r.revision
  AND (r.pass > f.settled_pass
    OR (r.pass = f.settled_pass AND (f.state = 'dead' OR r.routed_at > f.routed_at)))
RETURNING f.sent_at
""")
_PROGRESS = text("""
INSERT INTO ingest.progress (tenant_id, settled_at, newest_sent_at) VALUES (:tenant, :now, :sent)
ON CONFLICT (tenant_id) DO UPDATE SET settled_at = excluded.settled_at,
    newest_sent_at = greatest(ingest.progress.newest_sent_at, excluded.newest_sent_at)
""")
_BURY = text("""
UPDATE ingest.feedback f SET state = 'dead', reason = r.reason, settled_at = :now, due_at = NULL
FROM unnest(
    CAST(:ids AS text[]), CAST(:revisions AS integer[]), CAST(:passes AS integer[]), CAST(:reasons AS text[])
) AS r(id, revision, pass, reason)
WHERE f.tenant_id = :tenant AND f.id = r.id AND f.revision = r.revision AND f.pass_number = r.pass
  AND f.state = 'in_flight'
""")
_REVIVE = text("""
UPDATE ingest.feedback SET state = 'in_flight', reason = NULL, settled_at = NULL, redrives = 0,
    pass_number = pass_number + 1, sent_at = :now, due_at = :due
WHERE tenant_id = :tenant AND id = :id AND revision = :revision AND state = 'dead'
RETURNING customer_id, pass_number, event, traceparent
""")
_REPLACE_EVENT = text("""
UPDATE ingest.feedback f SET event = r.event
FROM unnest(
    CAST(:tenants AS text[]), CAST(:ids AS text[]), CAST(:revisions AS integer[]), CAST(:events AS bytea[])
) AS r(tenant_id, id, revision, event)
WHERE f.tenant_id = r.tenant_id AND f.id = r.id AND f.revision = r.revision
""")
_COUNTS = """
SELECT count(*) AS accepted, count(*) FILTER (WHERE state = 'settled') AS settled,
    count(*) FILTER (WHERE state = 'in_flight') AS in_flight, count(*) FILTER (WHERE state = 'dead') AS dead,
    (SELECT count(*) FROM ingest.dead_letter
        WHERE service = 'ingest' AND topic = 'feedback.submitted' {and_one}) AS rejected
FROM ingest.feedback {where_one}
"""
_COUNT_TENANT = text(_COUNTS.format(where_one="WHERE tenant_id = :tenant", and_one="AND tenant_id = :tenant"))
_COUNT_ALL = text(_COUNTS.format(where_one="", and_one=""))
_REVISIONS = text("""
SELECT revision, kind, source, external_id, customer_id, state, reason, pass_number, accepted_at, scored_at,
    routed_at, settled_at, item_id, team, score
FROM ingest.feedback WHERE tenant_id = :tenant AND id = :id ORDER BY revision
""")
_STAGES = text("""
SELECT loop_id, state, reason, at FROM ingest.stage
WHERE tenant_id = :tenant AND feedback_id = :id ORDER BY at, event_id
""")
_ITEM = text("""
SELECT item_id, sequence, change, state, team, at FROM ingest.item_change
WHERE tenant_id = :tenant AND item_id = ANY(CAST(:items AS text[])) ORDER BY item_id, sequence
""")


class PostgresLedger:
    async def known(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]) -> dict[str, Known]:
        rows = await c.execute(_KNOWN, {"tenant": tenant_id, "ids": list(ids)})
        return {row.id: Known(row.newest, row.at) for row in rows}

    async def insert(
        self, c: AsyncConnection, tenant_id: str, rows: Sequence[NewRow]
    ) -> set[tuple[str, int]]:
        # One order for everybody, so that two batches with the same keys wait for, and never on, each other.
        ordered = sorted(rows, key=lambda r: (r.feedback_id, r.revision))
        values = [
            {
                "tenant_id": tenant_id,
                "id": r.feedback_id,
                "revision": r.revision,
                "source": r.source,
                "external_id": r.external_id,
                "kind": r.kind,
                "customer_id": r.customer_id,
                "metric_value": r.metric_value,
                "content_hmac": r.content_hmac,
                "event": r.event,
                "traceparent": r.traceparent,
                "accepted_at": r.accepted_at,
                "state": r.state,
                "reason": r.reason,
                "sent_at": r.accepted_at,
                "due_at": r.due_at,
            }
            for r in ordered
        ]
        inserted = await insert_rows(
            c, tables.feedback, values, on_conflict="ON CONFLICT DO NOTHING", returning=("id", "revision")
        )
        return {(row.id, row.revision) for row in inserted}

    async def contents(
        self, c: AsyncConnection, tenant_id: str, keys: Sequence[tuple[str, int]]
    ) -> dict[tuple[str, int], bytes]:
        await look_up_by_key(c)
        arguments = {"tenant": tenant_id, "ids": [k[0] for k in keys], "revisions": [k[1] for k in keys]}
        rows = await c.execute(_CONTENTS, arguments)
        return {(row.id, row.revision): row.content_hmac for row in rows}

    async def settle(
        self, c: AsyncConnection, tenant_id: str, settlements: Sequence[Settlement], now: datetime
    ) -> None:
        await look_up_by_key(c)
        ordered = sorted(settlements, key=lambda s: (s.feedback_id, s.revision))
        result = await c.execute(
            _SETTLE,
            {
                "tenant": tenant_id,
                "now": now,
                "ids": [s.feedback_id for s in ordered],
                "revisions": [s.revision for s in ordered],
                "passes": [s.pass_number for s in ordered],
                "items": [s.item_id for s in ordered],
                "teams": [s.team for s in ordered],
                "scores": [s.score for s in ordered],
                "scored": [s.scored_at for s in ordered],
                "routed": [s.routed_at for s in ordered],
                "due": [s.due_at for s in ordered],
            },
        )
        sent = [row.sent_at for row in result]
        if sent:
            await c.execute(_PROGRESS, {"tenant": tenant_id, "now": now, "sent": max(sent)})

    async def add_loop_stages(self, c: AsyncConnection, tenant_id: str, stages: Sequence[LoopStage]) -> None:
        values = [
            {
                "tenant_id": tenant_id,
                "feedback_id": s.feedback_id,
                "event_id": s.event_id,
                "loop_id": s.loop_id,
                "state": s.state,
                "reason": s.reason,
                "at": s.at,
            }
            for s in sorted(stages, key=lambda s: (s.feedback_id, s.event_id))
        ]
        await insert_rows(c, tables.stage, values, on_conflict="ON CONFLICT DO NOTHING")

    async def add_item_stages(self, c: AsyncConnection, tenant_id: str, stages: Sequence[ItemStage]) -> None:
        values = [
            {
                "tenant_id": tenant_id,
                "item_id": s.item_id,
                "sequence": s.sequence,
                "change": s.change,
                "state": s.state,
                "team": s.team,
                "at": s.at,
            }
            for s in sorted(stages, key=lambda s: (s.item_id, s.sequence))
        ]
        await insert_rows(c, tables.item_change, values, on_conflict="ON CONFLICT DO NOTHING")

    async def bury(
        self, c: AsyncConnection, tenant_id: str, dead: Sequence[tuple[str, int, int, str]], now: datetime
    ) -> None:
        await look_up_by_key(c)
        ordered = sorted(dead)
        await c.execute(
            _BURY,
            {
                "tenant": tenant_id,
                "now": now,
                "ids": [d[0] for d in ordered],
                "revisions": [d[1] for d in ordered],
                "passes": [d[2] for d in ordered],
                "reasons": [d[3] for d in ordered],
            },
        )

    async def revive(
        self,
        c: AsyncConnection,
        tenant_id: str,
        feedback_id: str,
        revision: int,
        now: datetime,
        due_at: datetime,
    ) -> Due | None:
        arguments = {"tenant": tenant_id, "id": feedback_id, "revision": revision, "now": now, "due": due_at}
        row = (await c.execute(_REVIVE, arguments)).first()
        if row is None:
            return None
        return Due(
            tenant_id,
            feedback_id,
            revision,
            row.customer_id,
            "in_flight",
            row.pass_number,
            0,
            row.event,
            row.traceparent,
            revision,
        )

    async def replace_event(self, c: AsyncConnection, rows: Sequence[tuple[Due, bytes]]) -> None:
        await c.execute(
            _REPLACE_EVENT,
            {
                "tenants": [due.tenant_id for due, _ in rows],
                "ids": [due.feedback_id for due, _ in rows],
                "revisions": [due.revision for due, _ in rows],
                "events": [event for _, event in rows],
            },
        )

    async def counts(self, c: AsyncConnection, tenant_id: str) -> Counts:
        row = (await c.execute(_COUNT_TENANT, {"tenant": tenant_id})).one()
        return Counts(row.accepted, row.settled, row.in_flight, row.dead, row.rejected)

    async def totals(self, c: AsyncConnection) -> Counts:
        row = (await c.execute(_COUNT_ALL)).one()
        return Counts(row.accepted, row.settled, row.in_flight, row.dead, row.rejected)

    async def history(
        self, c: AsyncConnection, tenant_id: str, feedback_id: str
    ) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]], list[Mapping[str, Any]]]:
        key = {"tenant": tenant_id, "id": feedback_id}
        revisions: list[Mapping[str, Any]] = [*(await c.execute(_REVISIONS, key)).mappings()]
        if not revisions:
            return [], [], []
        stages: list[Mapping[str, Any]] = [*(await c.execute(_STAGES, key)).mappings()]
        items = sorted({row["item_id"] for row in revisions if row["item_id"]})
        changes: list[Mapping[str, Any]] = []
        if items:
            changes = [*(await c.execute(_ITEM, {"tenant": tenant_id, "items": items})).mappings()]
        return revisions, stages, changes
