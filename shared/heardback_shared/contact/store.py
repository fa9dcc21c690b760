"""Contacts in PostgreSQL. Every statement names the tenant, besides row-level security."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.contact import tables
from heardback_shared.contact.domain import Address, Card, Channel, Recipient, Touch
from heardback_shared.contact.lookups import (
    holds,
    lock_people,
    lock_people_of,
    people_of,
    told_of,
    touches_of,
)
from heardback_shared.contact.wishes import Told, beats, recipient
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.database import to_json
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.keyring import Keyring

ADDRESSES = "contact-addresses"

_PUT_CARDS = text("""
INSERT INTO platform.contact_card AS card (tenant_id, customer_id, person_id, earlier_person_ids, card, at)
SELECT :tenant, told.id, told.person, CASE WHEN told.person = told.id THEN '{}' ELSE ARRAY[told.id] END,
    CAST(told.card AS jsonb), told.at
FROM unnest(CAST(:ids AS text[]), CAST(:people AS text[]), CAST(:cards AS text[]),
    CAST(:ats AS timestamptz[])) AS told(id, person, card, at)
ORDER BY told.id
ON CONFLICT (tenant_id, customer_id) DO UPDATE SET person_id = excluded.person_id, card = excluded.card,
    at = excluded.at, earlier_person_ids = CASE WHEN card.person_id = excluded.person_id
        OR card.person_id = ANY (card.earlier_person_ids) THEN card.earlier_person_ids
        ELSE card.earlier_person_ids || card.person_id END
""")
_FORGET = text("""
DELETE FROM platform.contact_touch WHERE tenant_id = :tenant AND id = ANY (CAST(:ids AS text[]))
""")
_ADDRESS = text("""
SELECT channel, sealed, provenance, source, at FROM platform.contact_address
WHERE tenant_id = :tenant AND customer_id = :id AND channel = :channel
""")
_PUT_ADDRESS = text("""
INSERT INTO platform.contact_address AS known
    (tenant_id, customer_id, channel, sealed, provenance, source, at)
VALUES (:tenant, :id, :channel, :sealed, :provenance, :source, :at)
ON CONFLICT (tenant_id, customer_id, channel) DO UPDATE
SET sealed = excluded.sealed, provenance = excluded.provenance, source = excluded.source, at = excluded.at
WHERE (array_position(ARRAY['inferred', 'observed', 'stated'], excluded.provenance), excluded.at)
    >= (array_position(ARRAY['inferred', 'observed', 'stated'], known.provenance), known.at)
RETURNING channel
""")
_DROP_ADDRESS = text("""
DELETE FROM platform.contact_address WHERE tenant_id = :tenant AND customer_id = :id AND channel = :channel
""")
_ERASE = (
    text("DELETE FROM platform.contact_address WHERE tenant_id = :tenant AND customer_id = :id"),
    text("UPDATE platform.contact_consent SET proof = NULL WHERE tenant_id = :tenant AND customer_id = :id"),
    text("""UPDATE platform.contact_wish SET owner = NULL WHERE tenant_id = :tenant AND customer_id = :id"""),
)
_STOP = text("""
SELECT stopped, because FROM platform.sending_stop WHERE tenant_id = :tenant ORDER BY number DESC LIMIT 1
""")


class PostgresContacts:
    """The port `Contacts`, and what the customer master writes: cards and addresses."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def recipients(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str], at: datetime
    ) -> Mapping[str, Recipient]:
        """By customer id. What is known of any id of a person holds for all of them.

        A consent from after `at` does not count yet, a withdrawal always does.
        """
        if not customer_ids:
            return {}
        await look_up_by_key(connection)
        told = await told_of(connection, tenant_id, customer_ids)
        return {customer_id: recipient(known, at) for customer_id, known in told.items()}

    async def reached(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        customer_ids: Sequence[str],
        at: datetime,
        since: datetime,
    ) -> Mapping[str, tuple[Recipient, Sequence[Touch]]]:
        if not customer_ids:
            return {}
        await look_up_by_key(connection)
        told = await told_of(connection, tenant_id, customer_ids, since)
        return {customer_id: (recipient(known, at), known.touches) for customer_id, known in told.items()}

    async def ids_of(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
    ) -> Mapping[str, Sequence[str]]:
        people = await people_of(connection, tenant_id, customer_ids)
        return {customer_id: same for customer_id, (_, same) in people.items()}

    async def told(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
    ) -> dict[str, Told]:
        """By customer id, all that was told about reaching them."""
        return await told_of(connection, tenant_id, customer_ids)

    async def lock(self, connection: AsyncConnection, tenant_id: str, person_ids: Sequence[str]) -> None:
        await lock_people(connection, tenant_id, person_ids)

    async def lock_of(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str]
    ) -> Mapping[str, tuple[str, str | None]]:
        await look_up_by_key(connection)
        return await lock_people_of(connection, tenant_id, customer_ids)

    async def touches(
        self, connection: AsyncConnection, tenant_id: str, person_ids: Sequence[str], since: datetime
    ) -> Mapping[str, Sequence[Touch]]:
        """By person, oldest first. Customer ids that became one person bring what was counted before: after a
        merge, or one that was undone, rather too much is counted for a week than too little.
        """
        await look_up_by_key(connection)
        return await touches_of(connection, tenant_id, person_ids, since)

    async def note(self, connection: AsyncConnection, tenant_id: str, touches: Sequence[Touch]) -> None:
        rows = [
            {
                "tenant_id": tenant_id,
                "id": touch.id,
                "person_id": touch.person_id,
                "purpose": touch.purpose,
                "channel": touch.channel,
                "automatic": touch.automatic,
                "at": touch.at,
            }
            for touch in touches
        ]
        await insert_rows(connection, tables.touches, rows, on_conflict="ON CONFLICT DO NOTHING")

    async def forget(self, connection: AsyncConnection, tenant_id: str, touch_ids: Sequence[str]) -> None:
        await connection.execute(_FORGET, {"tenant": tenant_id, "ids": list(touch_ids)})

    async def address(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, channel: Channel
    ) -> str | None:
        """The best known one of any id of the person; the customer's own id first among equals."""
        cards = await people_of(connection, tenant_id, [customer_id])
        _, same = cards[customer_id]
        best: Address | None = None
        for other in (customer_id, *(o for o in same if o != customer_id)):
            found = await self._address(connection, tenant_id, other, channel)
            if found and (best is None or beats(found.provenance, found.at, best.provenance, best.at)):
                best = found
        return best.value if best else None

    async def sending_stopped(self, connection: AsyncConnection, tenant_id: str) -> str | None:
        row = (await connection.execute(_STOP, {"tenant": tenant_id})).first()
        return row.because if row is not None and row.stopped else None

    async def held_because(self, connection: AsyncConnection, tenant_id: str, customer_id: str) -> str | None:
        """Of this id alone."""
        return (await holds(connection, tenant_id, [customer_id])).get(customer_id)

    async def put_cards(self, connection: AsyncConnection, tenant_id: str, cards: Sequence[Card]) -> None:
        """One of each customer at most; it takes the place of the one there was.

        Who writes them has decided which facts count.
        """
        if not cards:
            return
        asked = {
            "tenant": tenant_id,
            "ids": [card.customer_id for card in cards],
            "people": [card.person_id for card in cards],
            "cards": [to_json(_plain(card)) for card in cards],
            "ats": [card.at for card in cards],
        }
        await connection.execute(_PUT_CARDS, asked)

    async def put_card(self, connection: AsyncConnection, tenant_id: str, card: Card) -> None:
        await self.put_cards(connection, tenant_id, [card])

    async def put_address(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        customer_id: str,
        channel: Channel,
        address: Address,
    ) -> bool:
        """Keeps the address, sealed, unless a better one is known, as `wishes.beats` says, at one instant the
        later call; whether it was kept."""
        sealed = self._keyring.seal(
            ADDRESSES, address.value.encode(), _bound_to(tenant_id, customer_id, channel)
        )
        arguments = {
            "tenant": tenant_id,
            "id": customer_id,
            "channel": channel,
            "sealed": sealed,
            "provenance": address.provenance,
            "source": address.source,
            "at": address.at,
        }
        return (await connection.execute(_PUT_ADDRESS, arguments)).first() is not None

    async def drop_address(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, channel: Channel
    ) -> None:
        await connection.execute(_DROP_ADDRESS, {"tenant": tenant_id, "id": customer_id, "channel": channel})

    async def erase(self, connection: AsyncConnection, tenant_id: str, customer_id: str) -> None:
        """Deletes addresses and the proofs of consents.

        Wishes and the ledger stay: who does not want to be written to is not written to again.
        """
        for statement in _ERASE:
            await connection.execute(statement, {"tenant": tenant_id, "id": customer_id})

    async def _address(
        self, connection: AsyncConnection, tenant_id: str, customer_id: str, channel: Channel
    ) -> Address | None:
        asked = {"tenant": tenant_id, "id": customer_id, "channel": channel}
        row = (await connection.execute(_ADDRESS, asked)).first()
        if row is None:
            return None
        plain = self._keyring.open(ADDRESSES, row.sealed, _bound_to(tenant_id, customer_id, channel))
        return Address(plain.decode(), row.provenance, row.source, row.at)


def _plain(card: Card) -> dict[str, Any]:
    told = ("account_id", "language", "time_zone", "tier", "segment", "region")
    return {**{name: getattr(card, name) for name in told}, "provenance": dict(card.provenance)}


def _bound_to(tenant_id: str, customer_id: str, channel: str) -> str:
    return f"{tenant_id}\x1f{customer_id}\x1f{channel}"
