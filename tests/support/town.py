"""A whole router with everything between it and its customers real: database, webhook receiver, mail server.

Time stands still until it is moved, and whatever arrives is noted with the time it arrived at.
"""

import asyncio
import base64
import html
import random
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import text

from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.loops.settings import LoopSettings
from heardback_router.main import Core, Settings
from heardback_router.settings import RouterSettings
from heardback_shared.access.store import ApiKeys
from heardback_shared.contact.domain import Address, Card, Channel, Provenance
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.wish_store import Line, PostgresWishes, consent_id
from heardback_shared.contact.wishes import Consent, Telling, Wish
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.settings import ServiceSettings
from tests.integration.router_loops.receiver import Received, Receiver, Reply
from tests.support.clock import FakeClock
from tests.support.mailbox import Mailbox
from tests.support.outreach import add_endpoint
from tests.support.router_http import Caller

SERVICE = ServiceSettings(secret_key=base64.b64encode(b"k" * 32).decode())
PUBLIC_URL = "https://feedback.example.com"
TENANT = "default"
_OPEN = "SELECT count(*) FROM router.message WHERE state IN ('waiting', 'paused', 'handed')"


@dataclass
class Moody:
    """Replies of a receiver that fails about so often, by lot: an error, or it hangs up after it has read."""

    failing: float
    chance: random.Random
    given: list[int] = field(default_factory=list)
    """The status of every request, 0 for those that it hung up on."""

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> Reply:
        good = self.chance.random() >= self.failing
        heard = not good and self.chance.random() < 0.5
        self.given.append(200 if good else 0 if heard else 503)
        return Reply() if good else Reply(hang_up=True) if heard else Reply(503)


@dataclass(frozen=True)
class Arrival:
    """Something that reached the outside at a moment. `id` is the webhook-id or the Message-ID; `accepted`:
    the other side said so."""

    id: str
    at: datetime
    customer_id: str
    channel: str
    accepted: bool
    link: str
    """What the customer answers with: the loop's own address, or in a mail that of their page."""
    text: str


@dataclass
class Town:
    database: Database
    clock: FakeClock
    core: Core
    receiver: Receiver
    mailbox: Mailbox
    client: httpx.AsyncClient
    keyring: Keyring
    moody: Moody
    arrivals: list[Arrival] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    _requests: int = 0
    _mails: int = 0

    async def caller(self, name: str, *scopes: str) -> Caller:
        keys = ApiKeys(self.database, self.keyring, self.clock)
        _, token = await keys.create(TENANT, name, scopes or ("items:read", "items:write"))
        return Caller(self.client, token)

    async def endpoint(self, fields: Sequence[str] = ()) -> None:
        """`fields` are those of the body that it asks for."""
        await add_endpoint(
            self.database, self.clock, self.receiver.url(), keyring=self.keyring, fields=tuple(fields)
        )

    async def customer(self, customer_id: str, **known: Any) -> None:
        """`language`, `time_zone`, `email`, `phone`; anything else is a wish they stated."""
        at = self.clock.now()
        card = {name: known.pop(name) for name in ("language", "time_zone") if name in known}
        reached: dict[Channel, Any] = {"email": known.pop("email", None), "sms": known.pop("phone", None)}
        stated: dict[str, Provenance] = dict.fromkeys(card, "stated")
        contacts, wishes = PostgresContacts(self.keyring), PostgresWishes(self.keyring)
        async with self.database.tenant(TENANT) as c:
            await contacts.put_card(c, TENANT, Card(customer_id, customer_id, at, **card, provenance=stated))
            for channel, value in reached.items():
                if value:
                    self.addresses[value] = customer_id
                    address = Address(value, "stated", "crm", at)
                    await contacts.put_address(c, TENANT, customer_id, channel, address)
            said = [Telling(wish_of(n), v, "stated", "page", at, "ana") for n, v in known.items()]
            await wishes.tell(c, TENANT, customer_id, said)

    async def opt_out(self, customer_id: str) -> None:
        at = self.clock.now()
        said = Consent("", "case_updates", given=False, provenance="stated", source="page", at=at)
        line = Line(Consent(**{**_fields(said), "id": consent_id(customer_id, said)}), None, "ana", at)
        async with self.database.tenant(TENANT) as c:
            await PostgresWishes(self.keyring).record(c, TENANT, customer_id, [line])

    async def step(self) -> None:
        """Everything that works in the background does what is due now, and what arrives is noted."""
        await self.core.feeder.round()
        await self.core.closing.messages.sending.send_due()
        await self.core.closing.deliveries.dispatcher.deliver_due()
        await self.core.closing.messages.mailing.send_due()
        await self._note()

    async def until_all_ended(self, every: timedelta, within: timedelta) -> None:
        """Time goes on step by step until no message is on its way any more."""
        end = self.clock.now() + within
        while await self.scalar(_OPEN):
            assert self.clock.now() < end, "there are messages that never end"
            self.clock.forward(seconds=every.total_seconds())
            await self.step()
        await self.step()

    async def scalar(self, query: str, **values: Any) -> Any:
        async with self.database.tenant(TENANT) as c:
            return await c.scalar(text(query), values)

    async def rows(self, query: str, **values: Any) -> Sequence[Any]:
        async with self.database.tenant(TENANT) as c:
            return (await c.execute(text(query), values)).all()

    async def answer(self, arrival: Arrival, answer: str, comment: str | None = None) -> None:
        """The customer says `confirm` or `dispute` with what they got."""
        link = arrival.link.removeprefix(PUBLIC_URL)
        if arrival.channel != "email":
            done = await self.client.post(f"{link}:{answer}", json={"comment": comment} if comment else None)
            assert done.status_code == 200, done.text
            return
        page = await self.client.get(link)
        assert page.status_code == 200, page.text
        (form,) = re.findall(rf'action="([^"]+/loops/[^"]+/{answer}[^"]*)"', page.text)
        done = await self.client.post(
            html.unescape(form).removeprefix(PUBLIC_URL), data={"comment": comment} if comment else {}
        )
        assert done.status_code == 303, done.text
        assert "answered" in done.headers["location"]

    async def _note(self) -> None:
        at = self.clock.now()
        fresh = self.receiver.received[self._requests :]
        for got, status in zip(fresh, self.moody.given[self._requests :], strict=True):
            self.arrivals.append(await self._by_webhook(got, at, accepted=status == 200))
        self._requests += len(fresh)
        for mail, to in zip(
            self.mailbox.mails[self._mails :], self.mailbox.recipients[self._mails :], strict=True
        ):
            said = mail.get_content()
            self.arrivals.append(
                Arrival(mail["Message-ID"], at, self.addresses[to], "email", True, link_in(said), said)
            )
        self._mails = len(self.mailbox.mails)

    async def _by_webhook(self, got: Received, at: datetime, *, accepted: bool) -> Arrival:
        data = got.json["data"]
        details = await self.client.get(data["details_url"].removeprefix(PUBLIC_URL))
        assert details.status_code == 200, details.text
        return Arrival(
            got.id,
            at,
            data["customer_id"],
            data["channel"],
            accepted,
            data["links"]["confirm"].removesuffix(":confirm"),
            details.text,
        )


def wish_of(name: str) -> Wish:
    return name  # type: ignore[return-value]


def link_in(said: str) -> str:
    """The first link in a text."""
    return next(word for word in said.split() if word.startswith(PUBLIC_URL)).strip("<>().,")


def _fields(consent: Consent) -> dict[str, Any]:
    return {name: getattr(consent, name) for name in consent.__dataclass_fields__}


@asynccontextmanager
async def town(database: Database, at: datetime, *, failing: float, seed: int = 7) -> AsyncIterator[Town]:
    """`failing` is the share of webhook requests that fail."""
    clock, receiver = FakeClock(at), Receiver()
    moody = Moody(failing, random.Random(seed))
    receiver.replies = moody  # type: ignore[assignment]
    await receiver.start()
    async with Mailbox() as mailbox:
        webhooks = WebhookSettings(
            allow_loopback=True, timeout_seconds=25, lease_seconds=60, poll_seconds=0.02
        )
        settings = Settings(
            SERVICE, RouterSettings(), LoopSettings(public_url=PUBLIC_URL), webhooks, mailbox.settings
        )
        core = Core(database, clock, Metrics(), Readiness(), settings)
        keyring = Keyring(SERVICE.master_key)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=core.http), base_url="http://router")
        try:
            async with client:
                yield Town(database, clock, core, receiver, mailbox, client, keyring, moody)
        finally:
            stopped = asyncio.Event()
            stopped.set()
            await core.closing.deliver(stopped)
            await receiver.stop()
