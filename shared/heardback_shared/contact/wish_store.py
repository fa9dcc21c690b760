"""Wishes and the consent ledger in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.contact import tables
from heardback_shared.contact.lookups import consent_of, lock_people, people_of
from heardback_shared.contact.wishes import Consent, Telling
from heardback_shared.db.bulk import insert_rows
from heardback_shared.ids import derived_id
from heardback_shared.keyring import Keyring

PROOFS = "consent-proofs"
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)

# A telling that comes late does not take the place of a newer one of the same source.
_NEWER = """
ON CONFLICT (tenant_id, customer_id, name, provenance, source) DO UPDATE
SET value = excluded.value, owner = excluded.owner, confirmed_at = excluded.confirmed_at,
    refresh_by = excluded.refresh_by
WHERE platform.contact_wish.confirmed_at <= excluded.confirmed_at
"""
_LEDGER = text("""
SELECT id, scope, item_id, given, provenance, source, channel, text_version, proved, proof, recorded_by, at,
    recorded_at, customer_id
FROM platform.contact_consent WHERE tenant_id = :tenant AND customer_id = :id ORDER BY at, recorded_at, id
""")
_DUE = text("""
SELECT customer_id, name, provenance, source, CAST(value AS text) AS value, owner, confirmed_at, refresh_by
FROM platform.contact_wish
WHERE tenant_id = :tenant AND refresh_by <= :now
    AND (refresh_by, customer_id, name, provenance, source)
        > (CAST(:after_at AS timestamptz), :customer, :name, :provenance, :source)
ORDER BY refresh_by, customer_id, name, provenance, source LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Line:
    """A consent as kept. `proof` in the clear; None where none was given, or it was erased."""

    consent: Consent
    proof: str | None
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    customer_id: str
    wish: Telling


class PostgresWishes:
    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def tell(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, wishes: Sequence[Telling]
    ) -> None:
        """Older tellings of the same source and provenance give way, newer ones stay."""
        await self._lock(connection, tenant_id, customer_id)
        rows = [
            {
                "tenant_id": tenant_id,
                "customer_id": customer_id,
                "name": wish.name,
                "provenance": wish.provenance,
                "source": wish.source,
                "value": wish.value,
                "owner": wish.owner,
                "confirmed_at": wish.confirmed_at,
                "refresh_by": wish.refresh_by,
            }
            for wish in wishes
        ]
        await insert_rows(connection, tables.wishes, rows, on_conflict=_NEWER)

    async def record(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, lines: Sequence[Line]
    ) -> None:
        """Adds to the ledger; a line that is there already is there once.

        Waits for whoever is deciding about the person just now, so that what follows knows of it.
        """
        await self._lock(connection, tenant_id, customer_id)
        rows = [
            {
                "tenant_id": tenant_id,
                "customer_id": customer_id,
                "id": line.consent.id,
                "scope": line.consent.scope,
                "item_id": line.consent.item_id,
                "given": line.consent.given,
                "provenance": line.consent.provenance,
                "source": line.consent.source,
                "channel": line.consent.channel,
                "text_version": line.consent.text_version,
                "proved": line.consent.proved,
                "proof": self._sealed(tenant_id, customer_id, line),
                "recorded_by": line.recorded_by,
                "at": line.consent.at,
                "recorded_at": line.recorded_at,
            }
            for line in lines
        ]
        await insert_rows(connection, tables.consents, rows, on_conflict="ON CONFLICT DO NOTHING")

    async def ledger(self, connection: AsyncConnection, tenant_id: str, customer_id: str) -> Sequence[Line]:
        """Of this id alone, oldest first."""
        rows = await connection.execute(_LEDGER, {"tenant": tenant_id, "id": customer_id})
        return [
            Line(consent_of(row), self._opened(tenant_id, row), row.recorded_by, row.recorded_at)
            for row in rows
        ]

    async def due(
        self, connection: AsyncConnection, tenant_id: str, now: datetime, limit: int, after: Due | None = None
    ) -> Sequence[Due]:
        """Tellings that are past the day by which they were to be confirmed again, longest due first."""
        wish = after.wish if after else None
        asked = {
            "tenant": tenant_id,
            "now": now,
            "limit": limit,
            "after_at": wish.refresh_by if wish else _LONG_AGO,
            "customer": after.customer_id if after else "",
            "name": wish.name if wish else "",
            "provenance": wish.provenance if wish else "",
            "source": wish.source if wish else "",
        }
        return [Due(row.customer_id, _telling(row)) for row in await connection.execute(_DUE, asked)]

    async def _lock(self, connection: AsyncConnection, tenant_id: str, customer_id: str) -> None:
        card = (await people_of(connection, tenant_id, [customer_id]))[customer_id].card
        await lock_people(connection, tenant_id, [card.person_id if card else customer_id])

    def _sealed(self, tenant_id: str, customer_id: str, line: Line) -> bytes | None:
        if line.proof is None:
            return None
        return self._keyring.seal(
            PROOFS, line.proof.encode(), f"{tenant_id}\x1f{customer_id}\x1f{line.consent.id}"
        )

    def _opened(self, tenant_id: str, row: Any) -> str | None:
        if row.proof is None:
            return None
        return self._keyring.open(PROOFS, row.proof, f"{tenant_id}\x1f{row.customer_id}\x1f{row.id}").decode()


def consent_id(customer_id: str, consent: Consent) -> str:
    """The same telling again is the same line."""
    return derived_id(
        "cs",
        customer_id,
        consent.scope,
        consent.item_id or "",
        str(consent.given),
        consent.provenance,
        consent.source,
        str(consent.proved),
        consent.at.isoformat(),
    )


def _telling(row: Any) -> Telling:
    value = None if row.value is None else orjson.loads(row.value)
    return Telling(row.name, value, row.provenance, row.source, row.confirmed_at, row.owner, row.refresh_by)
