"""The page of a customer, with a real database and a real mail server; answers go their usual way."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.integration.router_loops.house import PUBLIC_URL, SERVICE, House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver
from tests.support.mailbox import Mailbox

from heardback_router.page.addresses import PageAddresses
from heardback_shared.contact.domain import Address, Recipient
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring

KEYRING = Keyring(SERVICE.master_key)


@dataclass
class Customer:
    """Somebody with a link to their page, who fills in forms as a browser does."""

    house: House
    mailbox: Mailbox
    id: str = "c-1"
    tenant: str = "default"
    days: float = 30

    @property
    def path(self) -> str:
        until = self.house.clock.now() + timedelta(days=self.days)
        address = PageAddresses(KEYRING, PUBLIC_URL).page(self.tenant, self.id, until)
        return address.removeprefix(PUBLIC_URL)

    async def look(self, place: str = "", **headers: str) -> httpx.Response:
        return await self.house.client.get(self.path + place, headers=headers)

    async def send(self, place: str, headers: dict[str, str] | None = None, /, **form: str) -> httpx.Response:
        origin = {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}
        return await self.house.client.post(
            self.path + place, data=form, headers=origin if headers is None else headers
        )

    async def sent(self, place: str, **form: str) -> httpx.Response:
        """The page after the form was sent and the browser followed."""
        answer = await self.send(place, **form)
        assert answer.status_code == 303, answer.text
        return await self.house.client.get(answer.headers["Location"])

    async def known(self) -> Recipient:
        contacts = PostgresContacts(KEYRING)
        async with self.house.database.tenant(self.tenant) as c:
            found = await contacts.recipients(c, self.tenant, [self.id], self.house.clock.now())
        return found[self.id]

    async def has_address(self, address: str) -> None:
        async with self.house.database.tenant(self.tenant) as c:
            known = Address(address, "stated", "crm", self.house.clock.now() - timedelta(days=1))
            await PostgresContacts(KEYRING).put_address(c, self.tenant, self.id, "email", known)

    async def address(self) -> str | None:
        async with self.house.database.tenant(self.tenant) as c:
            return await PostgresContacts(KEYRING).address(c, self.tenant, self.id, "email")

    def codes(self) -> list[tuple[str, str]]:
        """(to, code) of every mail that came."""
        found: list[tuple[str, str]] = []
        for mail in self.mailbox.mails:
            code = re.search(r"\b\d{8}\b", mail.get_content())
            assert code is not None
            found.append((str(mail["To"]), code[0]))
        return found


async def told(house: House, tell: str = "The invoice is corrected.", **of: Any) -> str:
    """A matter of the customer's that they were told of; its item."""
    by = await house.caller(of.get("tenant", "default"))
    item = await house.item(**of)
    await house.resolve(item, by, tell)
    await house.deliver()
    return item


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as started:
        yield started


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    started = Receiver()
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def house(database: Database, receiver: Receiver, mailbox: Mailbox) -> AsyncIterator[House]:
    at = datetime.now(UTC).replace(microsecond=0)
    built = build_house(database, receiver, at, mail=mailbox.settings)
    async with living_in(built):
        await built.endpoint()
        yield built


@pytest.fixture
def ada(house: House, mailbox: Mailbox) -> Customer:
    return Customer(house, mailbox)
