"""Tell contact who there is: the card of each customer, and the addresses, with the profile's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.customer_ports import (
    Accounts,
    Cards,
    Links,
    Policies,
    Profile,
    classes_of,
)
from heardback_ingest.domain.accounts import account_at
from heardback_ingest.domain.customer import Ages, current, snapshot_fields
from heardback_shared.contact.domain import Address, Card, Channel, Provenance

FIELDS = ("language", "time_zone", "tier", "segment", "region")
ADDRESSES: Mapping[str, Channel] = {"email": "email", "phone": "sms"}


class WriteCards:
    def __init__(self, cards: Cards, links: Links, accounts: Accounts, policies: Policies) -> None:
        self._cards = cards
        self._links = links
        self._accounts = accounts
        self._policies = policies

    async def write(
        self, c: AsyncConnection, tenant_id: str, profiles: Sequence[Profile], now: datetime
    ) -> None:
        ids = [p.customer_id for p in profiles]
        if not ids:
            return
        ages = (await classes_of(self._policies, c, tenant_id)).ages
        people = await self._links.people(c, tenant_id, ids)
        accounts = await self._accounts.memberships(c, tenant_id, ids)
        cards = [
            card_of(
                p,
                people[p.customer_id].person_id if p.customer_id in people else p.customer_id,
                account_at(accounts.get(p.customer_id, ()), now),
                ages,
                now,
            )
            for p in profiles
        ]
        await self._cards.put_cards(c, tenant_id, cards)

    async def write_addresses(
        self,
        c: AsyncConnection,
        tenant_id: str,
        ids: Sequence[str],
        before: Mapping[str, Mapping[str, Any]],
        known: Mapping[str, Mapping[str, Any]],
        now: datetime,
    ) -> None:
        """Those that changed, each with how it is known: contact writes to nobody on a guess."""
        for i in ids:
            for name, channel in ADDRESSES.items():
                told = current(name, known[i].get(name), Ages(), now)
                was = current(name, before.get(i, {}).get(name), Ages(), now)
                if told is None or told == was:
                    continue
                if told["value"] is None:
                    await self._cards.drop_address(c, tenant_id, i, channel)
                else:
                    at = datetime.fromisoformat(told["at"])
                    address = Address(told["value"], told["provenance"], told["source"], at)
                    await self._cards.put_address(c, tenant_id, i, channel, address)

    async def erase(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, at: datetime
    ) -> datetime | None:
        return await self._cards.erase(c, tenant_id, customer_id, at)


def card_of(profile: Profile, person_id: str, account_id: str | None, ages: Ages, now: datetime) -> Card:
    fields = snapshot_fields(profile.fields, ages, now, profile.settled)
    guessed = set(fields.get("inferred", ()))
    provenance: dict[str, Provenance] = {}
    for name in FIELDS:
        if name in fields:
            telling = current(name, profile.fields.get(name), ages, now)
            told: Provenance = telling["provenance"] if telling is not None else "stated"
            provenance[name] = "inferred" if name in guessed else told
    return Card(
        profile.customer_id,
        person_id,
        now,
        account_id,
        provenance=provenance,
        **{name: fields.get(name) for name in FIELDS},
    )
