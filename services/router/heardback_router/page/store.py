"""What the page reads and keeps, in Postgres. Statements name the tenant, besides row-level security."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.page.domain import HEARD, Change, Code, Matter, Said, Step
from heardback_router.page.shared import shared_matters
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.db.planning import look_up_by_key

_MATTERS = text("""
SELECT said.feedback_id, said.item_id, said.accepted_at, said.content, told.id AS loop_id, told.state,
    told.message, told.steps
FROM (
    SELECT feedback_id, item_id, accepted_at, CAST(content AS text) AS content FROM router.item_feedback
    WHERE tenant_id = :tenant AND customer_id = :customer
    ORDER BY accepted_at DESC, feedback_id LIMIT :limit
) AS said
LEFT JOIN LATERAL (
    SELECT l.id, l.state, l.message, (
        SELECT CAST(json_agg(json_build_array(e.state, e.at) ORDER BY e.sequence) AS text)
        FROM router.loop_event e WHERE e.tenant_id = :tenant AND e.loop_id = l.id
    ) AS steps
    FROM router.loop_feedback f JOIN router.loop l ON l.tenant_id = :tenant AND l.id = f.loop_id
    WHERE f.tenant_id = :tenant AND f.feedback_id = said.feedback_id AND l.customer_id = :customer
    ORDER BY l.opened_at DESC, l.id LIMIT 1
) AS told ON true
ORDER BY said.accepted_at DESC, said.feedback_id
""")
_TOLD = text("""
SELECT asked.loop_id, told.changes
FROM unnest(CAST(:loops AS text[])) AS asked (loop_id)
CROSS JOIN LATERAL (
    SELECT CAST(m.draft -> 'facts' -> 'changes' AS text) AS changes
    FROM router.message_loop l JOIN router.message m ON m.tenant_id = :tenant AND m.id = l.message_id
    WHERE l.tenant_id = :tenant AND l.loop_id = asked.loop_id AND m.step = 'told' AND m.state = 'sent'
    ORDER BY m.changed_at DESC, m.id LIMIT 1
) AS told
""")
_OWNER = text("SELECT customer_id FROM router.loop WHERE tenant_id = :tenant AND id = :id")
_MADE = text("""
SELECT count(*) FROM router.page_code
WHERE tenant_id = :tenant AND customer_id = :customer AND made_at > :since
""")
_ADD = text("""
INSERT INTO router.page_code
    (tenant_id, id, customer_id, deed, sealed, digest, wrong, made_at, expires_at, used_at)
VALUES (:tenant, :id, :customer, :deed, :sealed, :digest, :wrong, :at, :expires_at, :used_at)
""")
_LOCK = text("""
SELECT id, customer_id, deed, sealed, digest, wrong, expires_at, used_at FROM router.page_code
WHERE tenant_id = :tenant AND id = :id FOR UPDATE
""")
_PUT = text(
    "UPDATE router.page_code SET wrong = :wrong, used_at = :used_at WHERE tenant_id = :tenant AND id = :id"
)
_FORGET = text("DELETE FROM router.page_code WHERE made_at < :before")


class PostgresMatters:
    async def of_customer(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, limit: int
    ) -> Sequence[Matter]:
        await look_up_by_key(connection)
        asked = {"tenant": tenant_id, "customer": customer_id, "limit": limit}
        rows = (await connection.execute(_MATTERS, asked)).all()
        heard = sorted({row.loop_id for row in rows if row.state in HEARD})
        cited = await self._cited(connection, tenant_id, heard)
        return [_matter(row, cited.get(row.loop_id, ())) for row in rows]

    async def shared(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, limit: int
    ) -> Mapping[str, tuple[str, Matter]]:
        return await shared_matters(connection, tenant_id, customer_id, limit)

    async def _cited(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str]
    ) -> Mapping[str, tuple[Change, ...]]:
        """What the last message that reached the customer rested on, by loop."""
        if not loop_ids:
            return {}
        rows = await connection.execute(_TOLD, {"tenant": tenant_id, "loops": list(loop_ids)})
        return {
            row.loop_id: tuple(
                Change(c["result"], date.fromisoformat(c["on"]), c["reference"], _words_of(c))
                for c in orjson.loads(row.changes)
            )
            for row in rows
        }

    async def owner_of_loop(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> str | None:
        owner = await connection.scalar(_OWNER, {"tenant": tenant_id, "id": loop_id})
        return None if owner is None else str(owner)


class PostgresCodes:
    async def made_since(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, since: datetime
    ) -> int:
        asked = {"tenant": tenant_id, "customer": customer_id, "since": since}
        return int(await connection.scalar(_MADE, asked) or 0)

    async def add(self, connection: AsyncConnection, tenant_id: str, code: Code, at: datetime) -> None:
        kept = {
            "tenant": tenant_id,
            "id": code.id,
            "customer": code.customer_id,
            "deed": code.deed,
            "sealed": code.sealed,
            "digest": code.digest,
            "wrong": code.wrong,
            "at": at,
            "expires_at": code.expires_at,
            "used_at": code.used_at,
        }
        await connection.execute(_ADD, kept)

    async def lock(self, connection: AsyncConnection, tenant_id: str, code_id: str) -> Code | None:
        row = (await connection.execute(_LOCK, {"tenant": tenant_id, "id": code_id})).first()
        if row is None:
            return None
        return Code(
            row.id,
            row.customer_id,
            row.deed,
            bytes(row.digest),
            row.wrong,
            row.expires_at,
            row.used_at,
            None if row.sealed is None else bytes(row.sealed),
        )

    async def put(
        self, connection: AsyncConnection, tenant_id: str, code_id: str, wrong: int, used_at: datetime | None
    ) -> None:
        asked = {"tenant": tenant_id, "id": code_id, "wrong": wrong, "used_at": used_at}
        await connection.execute(_PUT, asked)

    async def forget(self, connection: AsyncConnection, before: datetime) -> None:
        """Drops what was made before this instant, of every tenant; needs a worker's transaction."""
        await connection.execute(_FORGET, {"before": before})


def _words_of(change: Mapping[str, Any]) -> Mapping[str | None, str]:
    return {None: change["text"], **dict(change["translations"])}


def _matter(row: Any, changes: tuple[Change, ...]) -> Matter:
    content = FeedbackContent.model_validate_json(row.content)
    heard = row.state in HEARD
    steps = [(state, datetime.fromisoformat(at)) for state, at in orjson.loads(row.steps or "[]")]
    said = Said(
        row.feedback_id,
        content.kind,
        content.source,
        content.touchpoint,
        content.happened_at or row.accepted_at,
        tuple(words for _, words in content.customer_texts),
    )
    return Matter(
        said=(said,),
        item_id=row.item_id,
        loop_id=row.loop_id,
        steps=tuple(Step(state, at) for state, at in steps),
        message=row.message if heard else None,
        changes=changes if heard else (),
        can_answer=row.state == "told",
    )
