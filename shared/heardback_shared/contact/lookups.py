"""What is kept of people, found by key for many at once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.contact.domain import Card, Channel, Provenance, Touch
from heardback_shared.contact.wishes import Consent, Telling, Told, beats

# A key of 64 bits, in one order for all, so that two who lock several people never wait for each other.
_LOCK = text("""
SELECT pg_advisory_xact_lock(ordered.key) FROM (
    SELECT DISTINCT hashtextextended('heardback.contact/' || :tenant || '/' || person, 0) AS key
    FROM unnest(CAST(:people AS text[])) AS asked(person) ORDER BY key
) AS ordered
""")
# Whose card it is, found and locked in one message, in that same order.
_LOCK_OF = text("""
SELECT one.id, one.person, one.account, pg_advisory_xact_lock(one.key) FROM (
    SELECT asked.id, who.person, who.account,
        hashtextextended('heardback.contact/' || :tenant || '/' || who.person, 0) AS key
    FROM unnest(CAST(:ids AS text[])) AS asked(id)
    LEFT JOIN LATERAL (
        SELECT person_id, card ->> 'account_id' AS account FROM platform.contact_card
        WHERE tenant_id = :tenant AND customer_id = asked.id LIMIT 1
    ) AS card ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(card.person_id, asked.id) AS person, card.account AS account OFFSET 0
    ) AS who
    ORDER BY key
) AS one
""")
# OFFSET 0 keeps each look-up to itself, by its key; joined up, they would read the whole tenant. So would a
# key that is worked out in the look-up, as row-level security trusts plain columns only.
_PEOPLE = text("""
SELECT asked.id, card.person_id, CAST(card.card AS text) AS card, card.at, same.ids
FROM unnest(CAST(:ids AS text[])) AS asked(id)
LEFT JOIN LATERAL (
    SELECT person_id, card, at FROM platform.contact_card
    WHERE tenant_id = :tenant AND customer_id = asked.id LIMIT 1
) AS card ON true
CROSS JOIN LATERAL (SELECT coalesce(card.person_id, asked.id) AS id OFFSET 0) AS person
CROSS JOIN LATERAL (
    SELECT array_agg(customer_id) AS ids FROM platform.contact_card
    WHERE tenant_id = :tenant AND person_id = person.id
) AS same
""")
# Customer ids that became one person bring what was counted before.
_TOUCHES_OF_PERSON = """
CROSS JOIN LATERAL (
    SELECT person.id AS id UNION
    SELECT unnest(earlier_person_ids) FROM platform.contact_card
    WHERE tenant_id = :tenant AND person_id = person.id OFFSET 0
) AS before
CROSS JOIN LATERAL (
    SELECT id, purpose, channel, automatic, at FROM platform.contact_touch
    WHERE tenant_id = :tenant AND person_id = before.id AND at >= :since OFFSET 0
) AS touch
"""
_TOUCHES = text(f"""
SELECT person.id AS person_id, touch.* FROM unnest(CAST(:people AS text[])) AS person(id)
{_TOUCHES_OF_PERSON} ORDER BY touch.at, touch.id
""")  # noqa: S608
# All that is kept of the person of each asked id, over all ids of that person, in one message.
_TOLD = text(f"""
SELECT asked.id, card.person_id, CAST(card.card AS text) AS card, card.at, wishes.found AS wishes,
    consents.found AS consents, addresses.found AS addresses, held.because AS held, touches.found AS touches
FROM unnest(CAST(:ids AS text[])) AS asked(id)
LEFT JOIN LATERAL (
    SELECT person_id, card, at FROM platform.contact_card
    WHERE tenant_id = :tenant AND customer_id = asked.id LIMIT 1
) AS card ON true
CROSS JOIN LATERAL (SELECT coalesce(card.person_id, asked.id) AS id OFFSET 0) AS person
CROSS JOIN LATERAL (
    SELECT array_agg(id ORDER BY id) AS ids FROM (
        SELECT asked.id AS id UNION
        SELECT customer_id FROM platform.contact_card WHERE tenant_id = :tenant AND person_id = person.id
    ) AS one
) AS same
CROSS JOIN LATERAL (
    SELECT json_agg(wish)::text AS found FROM unnest(same.ids) AS each(id)
    CROSS JOIN LATERAL (
        SELECT name, provenance, source, value, owner, confirmed_at, refresh_by
        FROM platform.contact_wish WHERE tenant_id = :tenant AND customer_id = each.id OFFSET 0
    ) AS wish
) AS wishes
CROSS JOIN LATERAL (
    SELECT json_agg(line)::text AS found FROM unnest(same.ids) AS each(id)
    CROSS JOIN LATERAL (
        SELECT id, scope, item_id, given, provenance, source, channel, text_version, proved, at
        FROM platform.contact_consent WHERE tenant_id = :tenant AND customer_id = each.id OFFSET 0
    ) AS line
) AS consents
CROSS JOIN LATERAL (
    SELECT json_agg(address)::text AS found FROM unnest(same.ids) AS each(id)
    CROSS JOIN LATERAL (
        SELECT channel, provenance, at FROM platform.contact_address
        WHERE tenant_id = :tenant AND customer_id = each.id OFFSET 0
    ) AS address
) AS addresses
LEFT JOIN LATERAL (
    SELECT hold.because FROM unnest(same.ids) WITH ORDINALITY AS each(id, number)
    CROSS JOIN LATERAL (
        SELECT held, because FROM platform.contact_hold
        WHERE tenant_id = :tenant AND customer_id = each.id ORDER BY contact_hold.number DESC LIMIT 1
    ) AS hold WHERE hold.held ORDER BY each.number LIMIT 1
) AS held ON true
CROSS JOIN LATERAL (
    SELECT json_agg(touch ORDER BY touch.at, touch.id)::text AS found FROM (VALUES (1)) AS always
    {_TOUCHES_OF_PERSON} WHERE CAST(:since AS timestamptz) IS NOT NULL
) AS touches
""")  # noqa: S608
_HOLDS = text("""
SELECT asked.id, hold.because FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT held, because FROM platform.contact_hold
    WHERE tenant_id = :tenant AND customer_id = asked.id ORDER BY number DESC LIMIT 1
) AS hold WHERE hold.held
""")


async def lock_people(connection: AsyncConnection, tenant_id: str, person_ids: Sequence[str]) -> None:
    await connection.execute(_LOCK, {"tenant": tenant_id, "people": list(person_ids)})


async def lock_people_of(
    connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
) -> dict[str, tuple[str, str | None]]:
    """(person, account on the card) by customer id, as they were when the lock was asked for."""
    rows = await connection.execute(_LOCK_OF, {"tenant": tenant_id, "ids": sorted(set(customer_ids))})
    return {row.id: (row.person, row.account) for row in rows}


async def people_of(
    connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
) -> dict[str, tuple[Card | None, tuple[str, ...]]]:
    """By customer id: its card if there is one, and all ids of the same person, in order, itself included."""
    rows = await connection.execute(_PEOPLE, {"tenant": tenant_id, "ids": sorted(set(customer_ids))})
    return {
        row.id: (
            _card(row.id, row.person_id, row.card, row.at) if row.card is not None else None,
            tuple(sorted({row.id, *(row.ids or ())})),
        )
        for row in rows
    }


async def told_of(
    connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str], since: datetime | None = None
) -> dict[str, Told]:
    """By customer id, over all ids that are the same person; with the touches from `since` on, if told."""
    asked = {"tenant": tenant_id, "ids": sorted(set(customer_ids)), "since": since}
    return {
        row.id: Told(
            row.id,
            None if row.card is None else _card(row.id, row.person_id, row.card, row.at),
            [_telling(found) for found in _found(row.wishes)],
            [_consent(found) for found in _found(row.consents)],
            _reachable(_found(row.addresses)),
            row.held,
            [_touch(row.person_id or row.id, found) for found in _found(row.touches)],
        )
        for row in await connection.execute(_TOLD, asked)
    }


async def touches_of(
    connection: AsyncConnection, tenant_id: str, person_ids: Sequence[str], since: datetime
) -> dict[str, list[Touch]]:
    """By person, oldest first."""
    asked = {"tenant": tenant_id, "people": sorted(set(person_ids)), "since": since}
    found: dict[str, list[Touch]] = {}
    for row in await connection.execute(_TOUCHES, asked):
        touch = Touch(row.id, row.person_id, row.purpose, row.channel, row.automatic, row.at)
        found.setdefault(row.person_id, []).append(touch)
    return found


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


def _found(rows: str | None) -> Sequence[Mapping[str, Any]]:
    return orjson.loads(rows) if rows else ()


def _at(told: str) -> datetime:
    return datetime.fromisoformat(told).astimezone(UTC)


def _telling(told: Mapping[str, Any]) -> Telling:
    due = told["refresh_by"]
    return Telling(
        told["name"],
        told["value"],
        told["provenance"],
        told["source"],
        _at(told["confirmed_at"]),
        told["owner"],
        None if due is None else _at(due),
    )


def _consent(told: Mapping[str, Any]) -> Consent:
    return Consent(**{**told, "at": _at(told["at"])})


def _touch(person_id: str, told: Mapping[str, Any]) -> Touch:
    return Touch(told["id"], person_id, told["purpose"], told["channel"], told["automatic"], _at(told["at"]))


def _reachable(addresses: Sequence[Mapping[str, Any]]) -> dict[Channel, Provenance]:
    """The provenance of the best address of each channel."""
    best: dict[Channel, tuple[Provenance, datetime]] = {}
    for one in addresses:
        told = (one["provenance"], _at(one["at"]))
        if one["channel"] not in best or beats(*told, *best[one["channel"]]):
            best[one["channel"]] = told
    return {channel: provenance for channel, (provenance, _) in best.items()}


def _card(customer_id: str, person_id: str, card: str, at: datetime) -> Card:
    return Card(customer_id, person_id, at, **orjson.loads(card))
