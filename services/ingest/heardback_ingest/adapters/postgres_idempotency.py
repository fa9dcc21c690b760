"""Idempotency keys in PostgreSQL. One statement claims; a crash leaves a lease that runs out."""

from datetime import datetime
from typing import Literal

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.idempotency import Answer, Earlier, Owner
from heardback_shared.db.database import to_json

_CLAIM = text("""
INSERT INTO ingest.idempotency AS i (tenant_id, key_id, key, request_hmac, lease_until, expires_at)
VALUES (:tenant, :key_id, :key, :digest, :lease, :expiry)
ON CONFLICT (tenant_id, key_id, key) DO UPDATE SET request_hmac = excluded.request_hmac,
    lease_until = excluded.lease_until, expires_at = excluded.expires_at,
    status = NULL, headers = NULL, body = NULL
WHERE i.expires_at <= :now
   OR (i.status IS NULL AND i.lease_until <= :now AND i.request_hmac = excluded.request_hmac)
RETURNING key
""")
_FIND = text("""
SELECT request_hmac, status, headers::text AS headers, body FROM ingest.idempotency
WHERE tenant_id = :tenant AND key_id = :key_id AND key = :key
""")
_STORE = text("""
UPDATE ingest.idempotency SET status = :status, headers = CAST(:headers AS jsonb), body = :body
WHERE tenant_id = :tenant AND key_id = :key_id AND key = :key
""")
_RELEASE = text("""
DELETE FROM ingest.idempotency
WHERE tenant_id = :tenant AND key_id = :key_id AND key = :key AND status IS NULL
""")
_FORGET = text("DELETE FROM ingest.idempotency WHERE expires_at <= :now")


class PostgresIdempotencyKeys:
    async def claim(
        self,
        c: AsyncConnection,
        owner: Owner,
        digest: bytes,
        now: datetime,
        lease: datetime,
        expiry: datetime,
    ) -> Literal["claimed"] | Earlier:
        arguments = {**_names(owner), "digest": digest, "now": now, "lease": lease, "expiry": expiry}
        while (await c.execute(_CLAIM, arguments)).first() is None:
            row = (await c.execute(_FIND, _names(owner))).first()
            if row is not None:
                answered = row.status is not None
                answer = Answer(row.status, row.body, orjson.loads(row.headers)) if answered else None
                return Earlier(row.request_hmac, answer)
        return "claimed"

    async def store(self, c: AsyncConnection, owner: Owner, answer: Answer) -> None:
        await c.execute(
            _STORE,
            {
                **_names(owner),
                "status": answer.status,
                "headers": to_json(dict(answer.headers)),
                "body": answer.body,
            },
        )

    async def release(self, c: AsyncConnection, owner: Owner) -> None:
        await c.execute(_RELEASE, _names(owner))

    async def forget_expired(self, c: AsyncConnection, now: datetime) -> None:
        await c.execute(_FORGET, {"now": now})


def _names(owner: Owner) -> dict[str, str]:
    return {"tenant": owner.tenant_id, "key_id": owner.key_id, "key": owner.key}
