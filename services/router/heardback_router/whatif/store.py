"""What-if runs in Postgres, and the feedback and items they look at. Inside the caller's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import RowMapping, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.store import event_of, item_of
from heardback_router.whatif.domain import canonical
from heardback_router.whatif.tables import changes, what_ifs
from heardback_shared.db.bulk import insert_rows

RunState = Literal["waiting", "running", "done", "cancelled", "failed"]
FORGET_AT_ONCE = 200
_FEEDBACK = text("""
    SELECT f.feedback_id, f.item_id, f.revision, f.pass_number, f.accepted_at, f.scored_at, f.decision,
        CASE WHEN :whole THEN f.content::text END AS content,
        CASE WHEN :whole THEN f.customer::text END AS customer,
        CASE WHEN :whole THEN f.score::text END AS score,
        CASE WHEN :whole THEN f.embedding END AS embedding, f.embedding_model,
        item.team AS item_team, item.state AS item_state, item.touched AS item_touched
    FROM (
        SELECT * FROM router.item_feedback
        WHERE tenant_id = :tenant AND (accepted_at, feedback_id) > (:at, :id) AND accepted_at <= :until
        ORDER BY accepted_at, feedback_id LIMIT :some
    ) AS f
    CROSS JOIN LATERAL (
        SELECT team, state, touched FROM router.item WHERE tenant_id = :tenant AND id = f.item_id LIMIT 1
    ) AS item
    ORDER BY f.accepted_at, f.feedback_id
""")
_FEEDBACK_COUNT = text("""
    SELECT count(*) FROM router.item_feedback
    WHERE tenant_id = :tenant AND accepted_at >= :since AND accepted_at <= :until
""")
_LAST_BUT = text("""
    SELECT accepted_at, feedback_id FROM router.item_feedback
    WHERE tenant_id = :tenant AND accepted_at >= :since AND accepted_at <= :until
    ORDER BY accepted_at DESC, feedback_id DESC OFFSET :skipped LIMIT 1
""")
_ITEMS = text("""
    SELECT * FROM router.item
    WHERE tenant_id = :tenant AND id > :id AND updated_at >= :since AND opened_at <= :until
    ORDER BY id LIMIT :some
""")
_ITEM_COUNT = text("""
    SELECT count(*) FROM router.item
    WHERE tenant_id = :tenant AND updated_at >= :since AND opened_at <= :until
""")
_LOGS = text("""
    SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT * FROM router.item_event WHERE tenant_id = :tenant AND item_id = asked.id AND at <= :until
        ORDER BY sequence
    ) AS found
""")
_CHANGES = text("""
    SELECT change::text FROM router.what_if_change
    WHERE tenant_id = :tenant AND what_if_id = :id AND number > :after ORDER BY number LIMIT :some
""")
# Where scoring has to be asked, a run goes on only where the caller's key is: in the process that took it.
_CLAIM = text("""
    UPDATE router.what_if SET state = 'running', runner = :runner, lease_until = :lease
    WHERE (tenant_id, id) IN (
        SELECT tenant_id, id FROM router.what_if
        WHERE (state = 'waiting' AND (runner IS NULL OR runner = :runner))
            OR (state = 'running' AND runner = :runner)
            OR (state = 'running' AND lease_until < :now AND kind <> ALL(:keyed))
        ORDER BY made_at LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING tenant_id, id
""")
_ORPHANED = text("""
    UPDATE router.what_if SET state = 'failed', ended_at = :now, problem = :problem, runner = NULL
    WHERE state IN ('waiting', 'running') AND kind = ANY(:keyed) AND lease_until < :now AND runner <> :runner
""")
_HOLD = text("""
    UPDATE router.what_if SET lease_until = :lease
    WHERE runner = :runner AND state IN ('waiting', 'running')
""")
_FORGET = text("""
    WITH gone AS (
        DELETE FROM router.what_if WHERE (tenant_id, id) IN (
            SELECT w.tenant_id, w.id FROM router.what_if w
            WHERE w.made_at < :before AND w.state NOT IN ('waiting', 'running') AND NOT EXISTS (
                SELECT FROM router.policy_version v WHERE v.tenant_id = w.tenant_id AND v.what_if = w.id)
            ORDER BY w.made_at LIMIT :some) RETURNING tenant_id, id
    ), changes AS (
        DELETE FROM router.what_if_change c USING gone
        WHERE c.tenant_id = gone.tenant_id AND c.what_if_id = gone.id)
    SELECT count(*) FROM gone
""")


@dataclass(frozen=True, slots=True)
class Window:
    """What was accepted, or changed, from `since` to `until`, both included."""

    tenant_id: str
    since: datetime
    until: datetime

    @property
    def asked(self) -> dict[str, Any]:
        return {"tenant": self.tenant_id, "since": self.since, "until": self.until}


class PostgresWhatIfs:
    async def latest(
        self, connection: AsyncConnection, tenant_id: str, kind: str, digest: str, base: str
    ) -> str | None:
        """The newest finished run of this text against what has the digest `base`, if there is one."""
        asked = (
            select(what_ifs.c.id)
            .where(
                what_ifs.c.tenant_id == tenant_id,
                what_ifs.c.kind == kind,
                what_ifs.c.digest == digest,
                what_ifs.c.state == "done",
                what_ifs.c.base[kind].astext == base,
            )
            .order_by(what_ifs.c.made_at.desc(), what_ifs.c.id)
        )
        found: str | None = await connection.scalar(asked.limit(1))
        return found

    async def add(self, connection: AsyncConnection, row: Mapping[str, Any]) -> None:
        await connection.execute(insert(what_ifs).values(**row))

    async def get(self, connection: AsyncConnection, tenant_id: str, run_id: str) -> RowMapping | None:
        asked = select(what_ifs).where(what_ifs.c.tenant_id == tenant_id, what_ifs.c.id == run_id)
        return (await connection.execute(asked)).mappings().first()

    async def newest(
        self, connection: AsyncConnection, tenant_id: str, kind: str | None, limit: int
    ) -> Sequence[RowMapping]:
        asked = select(what_ifs).where(what_ifs.c.tenant_id == tenant_id)
        if kind is not None:
            asked = asked.where(what_ifs.c.kind == kind)
        asked = asked.order_by(what_ifs.c.made_at.desc(), what_ifs.c.id).limit(limit)
        return (await connection.execute(asked)).mappings().all()

    async def unfinished(self, connection: AsyncConnection, tenant_id: str) -> int:
        asked = select(what_ifs.c.id).where(
            what_ifs.c.tenant_id == tenant_id, what_ifs.c.state.in_(("waiting", "running"))
        )
        return len((await connection.execute(asked)).all())

    async def page(
        self, connection: AsyncConnection, tenant_id: str, run_id: str, after: int, limit: int
    ) -> list[str]:
        """Changes as JSON, in order, with numbers above `after`."""
        asked = {"tenant": tenant_id, "id": run_id, "after": after, "some": limit}
        return [str(change) for change in (await connection.execute(_CHANGES, asked)).scalars()]

    async def move(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        run_id: str,
        froms: Sequence[RunState],
        **values: Any,
    ) -> bool:
        """Changes a run that is in one of these states; False where it is not."""
        done = await connection.execute(
            update(what_ifs)
            .where(
                what_ifs.c.tenant_id == tenant_id, what_ifs.c.id == run_id, what_ifs.c.state.in_(tuple(froms))
            )
            .values(**values)
            .returning(what_ifs.c.id)
        )
        return done.first() is not None

    async def advance(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        run_id: str,
        runner: str,
        found: Sequence[Mapping[str, Any]],
        values: Mapping[str, Any],
    ) -> bool:
        """Stores a step whole: what it found and where the run stands. False where the run was taken away."""
        done = await connection.execute(
            update(what_ifs)
            .where(
                what_ifs.c.tenant_id == tenant_id,
                what_ifs.c.id == run_id,
                what_ifs.c.state == "running",
                what_ifs.c.runner == runner,
            )
            .values(**values)
            .returning(what_ifs.c.id)
        )
        if done.first() is None:
            return False
        rows = [
            {
                "tenant_id": tenant_id,
                "what_if_id": run_id,
                "number": one["number"],
                "change": canonical(one).decode(),
            }
            for one in found
        ]
        await insert_rows(connection, changes, rows)
        return True

    async def claim(
        self, connection: AsyncConnection, runner: str, now: datetime, lease: datetime, keyed: Sequence[str]
    ) -> tuple[str, str] | None:
        """(tenant, id) of the next run for this process; needs a worker's transaction."""
        row = (
            await connection.execute(
                _CLAIM, {"runner": runner, "now": now, "lease": lease, "keyed": list(keyed)}
            )
        ).first()
        return (row[0], row[1]) if row else None

    async def hold(self, connection: AsyncConnection, runner: str, lease: datetime) -> None:
        await connection.execute(_HOLD, {"runner": runner, "lease": lease})

    async def fail_orphans(
        self, connection: AsyncConnection, runner: str, now: datetime, keyed: Sequence[str], problem: str
    ) -> None:
        """Runs of processes that ended, which no other can go on with; needs a worker's transaction."""
        await connection.execute(
            _ORPHANED, {"runner": runner, "now": now, "keyed": list(keyed), "problem": problem}
        )

    async def feedback_count(self, connection: AsyncConnection, window: Window) -> int:
        return int(await connection.scalar(_FEEDBACK_COUNT, window.asked) or 0)

    async def last_but(
        self, connection: AsyncConnection, window: Window, skipped: int
    ) -> tuple[datetime, str] | None:
        """Place of the feedback that has `skipped` newer ones in the window; None where there are fewer."""
        row = (await connection.execute(_LAST_BUT, {**window.asked, "skipped": skipped})).first()
        return (row[0], row[1]) if row else None

    async def feedback(
        self,
        connection: AsyncConnection,
        window: Window,
        after: tuple[datetime, str],
        some: int,
        *,
        whole: bool,
    ) -> Sequence[RowMapping]:
        """In the order of acceptance; with content, customer, score and embedding only where `whole`."""
        asked = {
            "tenant": window.tenant_id,
            "until": window.until,
            "at": after[0],
            "id": after[1],
            "some": some,
            "whole": whole,
        }
        return (await connection.execute(_FEEDBACK, asked)).mappings().all()

    async def item_count(self, connection: AsyncConnection, window: Window) -> int:
        return int(await connection.scalar(_ITEM_COUNT, window.asked) or 0)

    async def items(self, connection: AsyncConnection, window: Window, after: str, some: int) -> list[Item]:
        """Those that changed in the window, by id."""
        rows = await connection.execute(_ITEMS, {**window.asked, "id": after, "some": some})
        return [item_of(row) for row in rows.mappings()]

    async def logs(
        self, connection: AsyncConnection, window: Window, item_ids: Sequence[str]
    ) -> dict[str, list[ItemEvent]]:
        """The entries of these items' logs up to the end of the window, in order."""
        found: dict[str, list[ItemEvent]] = defaultdict(list)
        asked = {"tenant": window.tenant_id, "ids": list(item_ids), "until": window.until}
        for row in (await connection.execute(_LOGS, asked)).mappings():
            found[row["item_id"]].append(event_of(row))
        return found

    async def forget(self, connection: AsyncConnection, before: datetime, limit: int) -> int:
        """Drops old runs that no version was activated by, of every tenant; needs a worker's transaction."""
        asked = {"before": before, "some": min(limit, FORGET_AT_ONCE)}
        return int(await connection.scalar(_FORGET, asked) or 0)
