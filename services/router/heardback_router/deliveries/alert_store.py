"""Whom to tell about endpoints by e-mail, and the mails that tell them, in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.ports import AlertMail
from heardback_router.deliveries.tables import alert_addresses, alert_mails
from heardback_shared.db.bulk import insert_rows

_CLAIM = text("""
WITH due AS (
    SELECT tenant_id, id FROM router.alert_mail
    WHERE state = 'pending' AND next_attempt_at <= :now
    ORDER BY next_attempt_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
UPDATE router.alert_mail m
SET attempts = m.attempts + 1, next_attempt_at = :lease_until
FROM due
WHERE m.tenant_id = due.tenant_id AND m.id = due.id
RETURNING m.tenant_id, m.id, m.endpoint_id, m.address, m.subject, m.body, m.attempts
""")


class PostgresAlertMails:
    async def addresses(self, connection: AsyncConnection, tenant_id: str) -> Sequence[str]:
        query = select(alert_addresses.c.addresses).where(alert_addresses.c.tenant_id == tenant_id)
        return tuple((await connection.execute(query)).scalar_one_or_none() or ())

    async def put_addresses(
        self, connection: AsyncConnection, tenant_id: str, addresses: Sequence[str], actor: str, at: datetime
    ) -> None:
        values = {"addresses": list(addresses), "changed_by": actor, "changed_at": at}
        statement = insert(alert_addresses).values(tenant_id=tenant_id, **values)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=[alert_addresses.c.tenant_id], set_=values)
        )

    async def add(
        self, connection: AsyncConnection, tenant_id: str, mails: Sequence[AlertMail], at: datetime
    ) -> None:
        rows = [
            {
                "tenant_id": tenant_id,
                "id": m.id,
                "endpoint_id": m.endpoint_id,
                "address": m.address,
                "subject": m.subject,
                "body": m.text,
                "state": "pending",
                "attempts": 0,
                "next_attempt_at": at,
                "created_at": at,
            }
            for m in mails
        ]
        await insert_rows(connection, alert_mails, rows)

    async def claim(
        self, connection: AsyncConnection, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[tuple[str, AlertMail, int]]:
        result = await connection.execute(_CLAIM, {"now": now, "lease_until": lease_until, "limit": limit})
        return [
            (
                r["tenant_id"],
                AlertMail(r["id"], r["endpoint_id"], r["address"], r["subject"], r["body"]),
                r["attempts"],
            )
            for r in result.mappings()
        ]

    async def ended(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        mail_id: str,
        state: Literal["sent", "failed"],
        because: str | None,
        at: datetime,
    ) -> None:
        mine = (alert_mails.c.tenant_id == tenant_id, alert_mails.c.id == mail_id)
        await connection.execute(
            update(alert_mails).where(*mine).values(state=state, because=because, done_at=at)
        )

    async def again(
        self, connection: AsyncConnection, tenant_id: str, mail_id: str, because: str, at: datetime
    ) -> None:
        mine = (alert_mails.c.tenant_id == tenant_id, alert_mails.c.id == mail_id)
        await connection.execute(update(alert_mails).where(*mine).values(because=because, next_attempt_at=at))
