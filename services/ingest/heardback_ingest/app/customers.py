"""Keep what is known of customers: facts with source and age, personal ones encrypted, erased on request."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.accept import subject_of_customer
from heardback_ingest.domain.customer import PERSONAL, Facts, merged
from heardback_ingest.ports import Customers, Vault
from heardback_shared.clock import Clock
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.db.database import Database

AHEAD = timedelta(minutes=5)
"""How far a source's clock may run before ours."""


class FromTheFutureError(Exception):
    """The facts claim to be from a time that has not come."""


class KeepCustomers:
    def __init__(
        self, database: Database, customers: Customers, vault: Vault, contacts: PostgresContacts, clock: Clock
    ) -> None:
        self._database = database
        self._customers = customers
        self._vault = vault
        self._contacts = contacts
        self._clock = clock

    async def tell(
        self, tenant_id: str, customer_id: str, facts: Mapping[str, Any], source: str, at: datetime | None
    ) -> Facts:
        """Merges the facts in and returns all; per fact, the newer telling wins.

        Raises FromTheFutureError when `at` lies ahead of our clock.
        """
        now = self._clock.now()
        if at is not None and at > now + AHEAD:
            raise FromTheFutureError
        subject = subject_of_customer(customer_id)
        async with self._database.tenant(tenant_id) as c:
            found = await self._customers.get(c, tenant_id, customer_id, for_update=True)
            fields, sealed = found or ({}, None)
            known = fields | await self._opened(c, tenant_id, subject, sealed)
            after = merged(known, facts, source, at or now)
            personal = {name: fact for name, fact in after.items() if name in PERSONAL}
            if personal:
                sealed = await self._vault.seal(c, tenant_id, subject, orjson.dumps(personal), now)
            plain = {name: fact for name, fact in after.items() if name not in PERSONAL}
            await self._customers.put(c, tenant_id, customer_id, plain, sealed, now)
        return after

    async def get(self, tenant_id: str, customer_id: str) -> Facts | None:
        async with self._database.tenant(tenant_id) as c:
            found = await self._customers.get(c, tenant_id, customer_id)
            if found is None:
                return None
            fields, sealed = found
            return fields | await self._opened(c, tenant_id, subject_of_customer(customer_id), sealed)

    async def erase(self, tenant_id: str, customer_id: str) -> bool:
        """Destroys the customer's data key: original texts, contacts and personal facts cannot be read again.

        The ledger and what was redacted stay. False when there was nothing to erase.
        """
        async with self._database.tenant(tenant_id) as c:
            found = await self._customers.get(c, tenant_id, customer_id, for_update=True)
            if found is not None:
                await self._customers.put(c, tenant_id, customer_id, found[0], None, self._clock.now())
            await self._contacts.erase(c, tenant_id, customer_id)
            return await self._vault.erase(c, tenant_id, subject_of_customer(customer_id))

    async def _opened(self, c: AsyncConnection, tenant_id: str, subject: str, sealed: bytes | None) -> Facts:
        if sealed is None:
            return {}
        plain = await self._vault.open(c, tenant_id, subject, sealed)
        facts: Facts = orjson.loads(plain) if plain is not None else {}
        return facts
