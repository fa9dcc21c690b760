"""Requests of customers to be erased: made on the page, seen and carried out by people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.ids import new_id

# `confirmed` is never taken back: who confirmed once has confirmed.
_MAKE = text("""
INSERT INTO router.erasure_request AS r (tenant_id, id, customer_id, made_at, confirmed)
VALUES (:tenant, :id, :customer, :at, :confirmed)
ON CONFLICT (tenant_id, customer_id) WHERE done_at IS NULL
DO UPDATE SET confirmed = r.confirmed OR excluded.confirmed
""")
_OPEN = text("""
SELECT made_at FROM router.erasure_request
WHERE tenant_id = :tenant AND customer_id = :customer AND done_at IS NULL
""")
_LIST = text("""
SELECT id, customer_id, made_at, confirmed, done_by, done_at, words FROM router.erasure_request
WHERE tenant_id = :tenant AND (done_at IS NULL) = :open
    AND (made_at, id) > (CAST(:after_at AS timestamptz), :after_id)
ORDER BY made_at, id LIMIT :limit
""")
_DONE = text("""
UPDATE router.erasure_request SET done_by = :by, done_at = :at, words = :words
WHERE tenant_id = :tenant AND id = :id AND done_at IS NULL RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Erasure:
    """`confirmed`: by a code sent to the customer's own address; else a person makes sure who is asking."""

    id: str
    customer_id: str
    made_at: datetime
    confirmed: bool
    done_by: str | None
    done_at: datetime | None
    words: str | None


class PostgresErasures:
    async def make(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, at: datetime, *, confirmed: bool
    ) -> None:
        """One open request per customer; asking again changes nothing but that it may now be confirmed."""
        asked = {"tenant": tenant_id, "id": new_id("er"), "customer": customer_id, "at": at}
        await connection.execute(_MAKE, {**asked, "confirmed": confirmed})

    async def open_since(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str
    ) -> datetime | None:
        row = (await connection.execute(_OPEN, {"tenant": tenant_id, "customer": customer_id})).first()
        return None if row is None else row.made_at

    async def page(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        *,
        is_open: bool,
        after: tuple[datetime, str],
        limit: int,
    ) -> Sequence[Erasure]:
        """Oldest first."""
        asked = {"tenant": tenant_id, "open": is_open, "limit": limit}
        rows = await connection.execute(_LIST, {**asked, "after_at": after[0], "after_id": after[1]})
        return [Erasure(*row) for row in rows]

    async def done(
        self, connection: AsyncConnection, tenant_id: str, request_id: str, by: str, words: str, at: datetime
    ) -> bool:
        """False when there is no such open request."""
        asked = {"tenant": tenant_id, "id": request_id, "by": by, "words": words, "at": at}
        return (await connection.execute(_DONE, asked)).first() is not None
