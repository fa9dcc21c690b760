"""Why somebody was or was not asked, kept in PostgreSQL with what it takes to decide it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import tables
from heardback_ingest.adapters.postgres_invitations import PostgresInvitations
from heardback_ingest.app.surveys.ports import Held, Logged
from heardback_ingest.domain.surveys.facts import Request
from heardback_shared.db.bulk import insert_rows

_FIELDS = """id, at, act, customer_id, survey, channel, kind, allowed, answer::text AS answer, policy, digest,
    inputs::text AS inputs, invitation_id, asked_by"""
_KEEP_POLICY = text("""
INSERT INTO ingest.survey_policy (tenant_id, digest, policy, text, first_used_at)
VALUES (:tenant, :digest, :policy, :text, :at) ON CONFLICT DO NOTHING
""")
_GET = text(f"SELECT {_FIELDS} FROM ingest.survey_decision WHERE tenant_id = :tenant AND id = :id")  # noqa: S608
_PAGE = text(f"""
SELECT {_FIELDS} FROM ingest.survey_decision
WHERE tenant_id = :tenant AND customer_id = :customer AND (at, id) < (:at, :after)
ORDER BY at DESC, id DESC LIMIT :limit
""")  # noqa: S608
_TEXT = text("SELECT text FROM ingest.survey_policy WHERE tenant_id = :tenant AND digest = :digest")
_FORGET = text("""
DELETE FROM ingest.survey_decision WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ingest.survey_decision WHERE at < :before ORDER BY at LIMIT :limit FOR UPDATE SKIP LOCKED
))
""")
_ERASE = (
    text("UPDATE ingest.survey_decision SET inputs = NULL WHERE tenant_id = :tenant AND customer_id = :id"),
    text("""
INSERT INTO ingest.erased_customer (tenant_id, customer_id, at) VALUES (:tenant, :id, :now)
ON CONFLICT (tenant_id, customer_id) DO UPDATE SET at = excluded.at
"""),
)
_HEARD_AGAIN = text("""
DELETE FROM ingest.erased_customer WHERE tenant_id = :tenant AND customer_id = ANY (CAST(:ids AS text[]))
""")
_REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
_END = datetime.fromisoformat("9999-12-30T00:00:00+00:00")


class PostgresSurveyLog:
    def __init__(self) -> None:
        self._invitations = PostgresInvitations()

    async def add(
        self, c: AsyncConnection, tenant_id: str, logged: Sequence[Logged], policy_text: str | None
    ) -> None:
        if not logged:
            return
        first = logged[0]
        if policy_text is not None:
            kept = {"digest": first.digest, "policy": first.policy, "text": policy_text, "at": first.at}
            await c.execute(_KEEP_POLICY, {"tenant": tenant_id, **kept})
        await insert_rows(c, tables.survey_decision, [_row(tenant_id, one) for one in logged])

    async def get(self, c: AsyncConnection, tenant_id: str, decision_id: str) -> Logged | None:
        row = (await c.execute(_GET, {"tenant": tenant_id, "id": decision_id})).first()
        return None if row is None else _logged(row)

    async def page(
        self,
        c: AsyncConnection,
        tenant_id: str,
        customer_id: str,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[tuple[Logged, Held | None]]:
        at, last = after or (_END, "")
        asked = {"tenant": tenant_id, "customer": customer_id, "at": at, "after": last, "limit": limit}
        page = [_logged(row) for row in await c.execute(_PAGE, asked)]
        ids = [one.invitation_id for one in page if one.invitation_id is not None]
        held = await self._invitations.held(c, tenant_id, ids) if ids else {}
        return [(one, held.get(one.invitation_id or "")) for one in page]

    async def policy_text(self, c: AsyncConnection, tenant_id: str, digest: str) -> str | None:
        found: str | None = await c.scalar(_TEXT, {"tenant": tenant_id, "digest": digest})
        return found

    async def forget(self, c: AsyncConnection, before: datetime, limit: int) -> int:
        return (await c.execute(_FORGET, {"before": before, "limit": limit})).rowcount

    async def erase(self, c: AsyncConnection, tenant_id: str, customer_id: str, now: datetime) -> None:
        for statement in _ERASE:
            await c.execute(statement, {"tenant": tenant_id, "id": customer_id, "now": now})

    async def heard_again(self, c: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]) -> None:
        await c.execute(_HEARD_AGAIN, {"tenant": tenant_id, "ids": list(customer_ids)})


def _row(tenant_id: str, one: Logged) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": one.id,
        "at": one.at,
        "act": one.act,
        "customer_id": one.request.customer_id,
        "survey": one.request.survey,
        "channel": one.request.channel,
        "kind": one.request.kind,
        "allowed": one.allowed,
        "answer": one.answer,
        "policy": one.policy,
        "digest": one.digest,
        "inputs": one.inputs,
        "invitation_id": one.invitation_id,
        "asked_by": one.asked_by,
    }


def _logged(row: Row[Any]) -> Logged:
    inputs = None if row.inputs is None else orjson.loads(row.inputs)
    if inputs is None:
        request = Request(row.customer_id, row.survey, "other", row.channel, kind=row.kind)
    else:
        request = _REQUEST.validate_python(inputs["request"])
    return Logged(
        row.id,
        row.at,
        row.act,
        request,
        row.allowed,
        orjson.loads(row.answer),
        row.policy,
        row.digest,
        inputs,
        row.invitation_id,
        row.asked_by,
    )
