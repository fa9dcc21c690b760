"""What is kept of people, found by key for many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.contact.domain import Card, Channel, Provenance
from heardback_shared.contact.wishes import Consent, Telling

# A key of 64 bits, in one order for all, so that two who lock several people never wait for each other.
_LOCK = text("""
SELECT pg_advisory_xact_lock(ordered.key) FROM (
    SELECT DISTINCT hashtextextended('heardback.contact/' || :tenant || '/' || person, 0) AS key
    FROM unnest(CAST(:people AS text[])) AS asked(person) ORDER BY key
) AS ordered
""")
# OFFSET 0 keeps each look-up to itself, by its key; joined up, they would read the whole tenant. So would a
# key that is worked out in the look-up, as row-level security trusts plain columns only.
_PEOPLE = text("""
SELECT asked.id, card.person_id, CAST(card.card AS text) AS card, card.at, card.erased_at, same.ids
FROM unnest(CAST(:ids AS text[])) AS asked(id)
LEFT JOIN LATERAL (
    SELECT person_id, card, at, erased_at FROM platform.contact_card
    WHERE tenant_id = :tenant AND customer_id = asked.id LIMIT 1
) AS card ON true
CROSS JOIN LATERAL (SELECT coalesce(card.person_id, asked.id) AS id OFFSET 0) AS person
CROSS JOIN LATERAL (
    SELECT array_agg(customer_id) AS ids FROM platform.contact_card
    WHERE tenant_id = :tenant AND person_id = person.id
) AS same
""")
_WISHES = text("""
SELECT asked.id, wish.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT name, provenance, source, CAST(value AS text) AS value, owner, confirmed_at, refresh_by
    FROM platform.contact_wish WHERE tenant_id = :tenant AND customer_id = asked.id OFFSET 0
) AS wish
""")
_CONSENTS = text("""
SELECT asked.id AS customer_id, line.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT id, scope, item_id, given, provenance, source, channel, text_version, proved, at
    FROM platform.contact_consent WHERE tenant_id = :tenant AND customer_id = asked.id OFFSET 0
) AS line
""")
_ADDRESSES = text("""
SELECT asked.id, address.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT channel, provenance, at FROM platform.contact_address
    WHERE tenant_id = :tenant AND customer_id = asked.id OFFSET 0
) AS address
""")
_HOLDS = text("""
SELECT asked.id, hold.because FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT held, because FROM platform.contact_hold
    WHERE tenant_id = :tenant AND customer_id = asked.id ORDER BY number DESC LIMIT 1
) AS hold WHERE hold.held
""")


@dataclass(frozen=True, slots=True)
class Known:
    """`ids` are all of the same person, in order, the customer's own included."""

    card: Card | None
    ids: tuple[str, ...]
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Kept:
    """By customer id."""

    wishes: dict[str, list[Telling]] = field(default_factory=dict)
    consents: dict[str, list[Consent]] = field(default_factory=dict)
    addresses: dict[str, dict[Channel, tuple[Provenance, datetime]]] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)


async def lock_people(connection: AsyncConnection, tenant_id: str, person_ids: Sequence[str]) -> None:
    await connection.execute(_LOCK, {"tenant": tenant_id, "people": list(person_ids)})


async def people_of(
    connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
) -> dict[str, Known]:
    """By customer id."""
    rows = await connection.execute(_PEOPLE, {"tenant": tenant_id, "ids": sorted(set(customer_ids))})
    return {
        row.id: Known(
            _card(row.id, row.person_id, row.card, row.at) if row.card is not None else None,
            tuple(sorted({row.id, *(row.ids or ())})),
            row.erased_at,
        )
        for row in rows
    }


async def of_people(connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]) -> Kept:
    asked = {"tenant": tenant_id, "ids": list(customer_ids)}
    kept = Kept(held=await holds(connection, tenant_id, customer_ids))
    for row in await connection.execute(_WISHES, asked):
        value = None if row.value is None else orjson.loads(row.value)
        wish = Telling(
            row.name, value, row.provenance, row.source, row.confirmed_at, row.owner, row.refresh_by
        )
        kept.wishes.setdefault(row.id, []).append(wish)
    for row in await connection.execute(_CONSENTS, asked):
        kept.consents.setdefault(row.customer_id, []).append(consent_of(row))
    for row in await connection.execute(_ADDRESSES, asked):
        kept.addresses.setdefault(row.id, {})[row.channel] = (row.provenance, row.at)
    return kept


async def holds(
    connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
) -> Mapping[str, str]:
    """Why, by customer id; who is not held is left out."""
    rows = await connection.execute(_HOLDS, {"tenant": tenant_id, "ids": list(customer_ids)})
    return {row.id: row.because for row in rows}


def consent_of(row: Any) -> Consent:
    return Consent(
        id=row.id,
        scope=row.scope,
        given=row.given,
        provenance=row.provenance,
        source=row.source,
        at=row.at,
        item_id=row.item_id,
        channel=row.channel,
        text_version=row.text_version,
        proved=row.proved,
    )


def _card(customer_id: str, person_id: str, card: str, at: datetime) -> Card:
    return Card(customer_id, person_id, at, **orjson.loads(card))
