"""Outreach on a real database, a real receiver and a real mail server; who listens is a plain list."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.tables import outbox as outbox_table
from heardback_router.configuration.source import DeploymentPolicies, load_policies
from heardback_router.deliveries.compose import Deliveries, LentToWebhooks
from heardback_router.deliveries.dispatch import Dispatcher
from heardback_router.deliveries.endpoint import Endpoint
from heardback_router.deliveries.endpoint_store import PostgresEndpoints
from heardback_router.deliveries.httpcore_sender import HttpcoreSender
from heardback_router.deliveries.keys import Keys
from heardback_router.deliveries.seal import SecretSeal
from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.deliveries.store import PostgresDeliveryQueue
from heardback_router.loops.store import PostgresFeedbackOrigins
from heardback_router.mail.settings import MailSettings
from heardback_router.mail.smtp import SmtpMailer
from heardback_router.messages.domain import ChangeFacts, MessageFacts, Step
from heardback_router.outreach.compose import Lent, Messages, message_queue
from heardback_router.outreach.domain import Draft, Standing
from heardback_router.outreach.links import DETAILS, MessageAddresses
from heardback_router.outreach.queue import MessageQueue
from heardback_router.outreach.settings import OutreachSettings
from heardback_router.outreach.tables import events, messages
from heardback_router.page.addresses import PageAddresses
from heardback_router.wording import CustomerText
from heardback_shared.access.store import ApiKeys
from heardback_shared.contact.domain import Address, Card, Channel, Provenance, Touch
from heardback_shared.contact.holds import PostgresHolds
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contact.wish_store import Line, PostgresWishes, consent_id
from heardback_shared.contact.wishes import Consent, Telling, Wish
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.http.auth import Guard
from heardback_shared.http.rate_limit import RateLimiter
from heardback_shared.ids import new_id
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing
from tests.support.clock import FakeClock

KEYRING = Keyring(bytes(range(32)))
TENANT = "default"
"""It's there from the start."""
_PROFILE = ("language", "time_zone", "tier", "region")
NO_TLS = WebhookSettings(allow_loopback=True, timeout_seconds=25, lease_seconds=60, poll_seconds=0.02)


@dataclass
class Ears:
    """Stands in for the loops: what they are told in the sender's transaction, kept only if that commits."""

    heard: dict[str, list[Standing]] = field(default_factory=dict)

    async def settle(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        standings: Mapping[str, Sequence[Standing]],
        at: datetime,
    ) -> Sequence[Outgoing]:
        for loop_id, ended in standings.items():
            self.heard.setdefault(loop_id, []).extend(ended)
        return []


def draft(number: int = 1, **more: Any) -> Draft:
    """One message to `c-1` about loop and item of this number, whose facts say what was changed."""
    step: Step = more.pop("step", "told")
    facts = MessageFacts(
        about="operations/billing",
        raised_on=date(2026, 11, 20),
        changes=(
            ChangeFacts(
                "done", CustomerText(f"Invoice {number} is corrected."), date(2026, 11, 21), f"ch_{number}"
            ),
        ),
    )
    plain: dict[str, Any] = {
        "id": f"me_{number}_{step}",
        "customer_id": "c-1",
        "step": step,
        "facts": facts,
        "item_ids": (f"it_{number}",),
        "loop_ids": (f"lp_{number}",),
        "feedback_ids": (f"fb_{number}",),
    }
    return Draft(**{**plain, **more})


@dataclass
class Station:
    """Sender, channels and what is known of customers, around one database."""

    database: Database
    clock: FakeClock
    metrics: Metrics
    queue: MessageQueue
    messages: Messages
    dispatcher: Dispatcher
    sender: HttpcoreSender
    ears: Ears
    guard: Guard
    lent: Lent
    contacts: PostgresContacts = field(default_factory=lambda: PostgresContacts(KEYRING))

    async def enqueue(self, *drafts: Draft, tenant: str = TENANT) -> frozenset[str]:
        async with self.database.tenant(tenant) as c:
            return await self.queue.enqueue(c, tenant, drafts, self.clock.now())

    async def send(self) -> int:
        """Decides about all that is due, then lets the channels try once what they have."""
        looked = await self.messages.sending.send_due()
        await self.dispatcher.deliver_due()
        await self.messages.mailing.send_due()
        return looked

    async def customer(self, customer_id: str = "c-1", **known: Any) -> None:
        """`language`, `time_zone`, `person`, `email`, `phone`; anything else is a wish they stated."""
        at = self.clock.now()
        person = known.pop("person", customer_id)
        card = {name: known.pop(name) for name in _PROFILE if name in known}
        addresses: dict[Channel, str | None] = {
            "email": known.pop("email", None),
            "sms": known.pop("phone", None),
        }
        async with self.database.tenant(TENANT) as c:
            stated: dict[str, Provenance] = dict.fromkeys(card, "stated")
            await self.contacts.put_card(c, TENANT, Card(customer_id, person, at, **card, provenance=stated))
            for channel, value in addresses.items():
                if value:
                    address = Address(value, "stated", "crm", at)
                    await self.contacts.put_address(c, TENANT, customer_id, channel, address)
            wishes = [Telling(_wish(n), v, "stated", "page", at, "ana") for n, v in known.items()]
            await PostgresWishes(KEYRING).tell(c, TENANT, customer_id, wishes)

    async def opt_out(self, customer_id: str = "c-1", item_id: str | None = None) -> None:
        at = self.clock.now()
        said = Consent(
            "", "case_updates", given=False, provenance="stated", source="page", at=at, item_id=item_id
        )
        named = replace(said, id=consent_id(customer_id, said))
        async with self.database.tenant(TENANT) as c:
            await PostgresWishes(KEYRING).record(c, TENANT, customer_id, [Line(named, None, "ana", at)])

    async def hold(self, customer_id: str = "c-1", *, held: bool = True) -> None:
        async with self.database.tenant(TENANT) as c:
            await PostgresHolds().hold(
                c, TENANT, customer_id, held=held, because="too personal", by="ana", at=self.clock.now()
            )

    async def stop_all(self, *, stopped: bool = True) -> None:
        async with self.database.tenant(TENANT) as c:
            await PostgresHolds().stop_all(
                c, TENANT, stopped=stopped, because="wrong texts", by="ana", at=self.clock.now()
            )

    async def standing(self, message_id: str) -> Standing:
        async with self.database.tenant(TENANT) as c:
            return (await self.queue.standings(c, TENANT, [message_id]))[message_id]

    async def log(self, message_id: str) -> list[dict[str, Any]]:
        query = select(events).where(events.c.message_id == message_id).order_by(events.c.sequence)
        async with self.database.tenant(TENANT) as c:
            return [dict(row) for row in (await c.execute(query)).mappings()]

    async def states(self) -> dict[str, str]:
        async with self.database.tenant(TENANT) as c:
            rows = await c.execute(select(messages.c.id, messages.c.state))
            return {row.id: row.state for row in rows}

    async def touches(self, person: str = "c-1") -> list[Touch]:
        async with self.database.tenant(TENANT) as c:
            found = await self.contacts.touches(c, TENANT, [person], datetime(2020, 1, 1).astimezone())
            return list(found.get(person, ()))

    async def endpoint(self, url: str, event_types: Sequence[str] = (), **more: Any) -> str:
        return await add_endpoint(self.database, self.clock, url, event_types, **more)


def _wish(name: str) -> Wish:
    return name  # type: ignore[return-value]


def station_on(
    database: Database,
    clock: FakeClock,
    mail: MailSettings | None = None,
    *,
    ears: Ears | None = None,
    settings: OutreachSettings | None = None,
    contacts: Any = None,
) -> Station:
    """Another one on the same database is another process."""
    metrics, ears = Metrics(), ears or Ears()
    outbox = Outbox(outbox_table)
    endpoints, deliveries = PostgresEndpoints(), PostgresDeliveryQueue()
    guard = Guard(ApiKeys(database, KEYRING, clock), RateLimiter(0))
    lent = Lent(
        database,
        outbox,
        KEYRING,
        clock,
        metrics,
        guard,
        DeploymentPolicies(load_policies()),
        contacts or PostgresContacts(KEYRING),
        SmtpMailer(mail or MailSettings(), clock),
        endpoints,
        deliveries,
        PostgresFeedbackOrigins(),
        MessageAddresses(
            KEYRING.key("loop-links"),
            PageAddresses(KEYRING, "https://f.example"),
            KEYRING.key(DETAILS),
            "https://f.example",
            30,
            30,
        ),
    )
    waker = _Waker()
    parts = Messages(lent, settings or OutreachSettings(), ears, waker)
    to_webhooks = LentToWebhooks(database, outbox, KEYRING, clock, metrics, lent.mailer, "https://f.example")
    webhooks = Deliveries(to_webhooks, NO_TLS, parts.ending)
    return Station(
        database,
        clock,
        metrics,
        message_queue(metrics),
        parts,
        webhooks.dispatcher,
        webhooks.sender,
        ears,
        guard,
        lent,
    )


class _Waker:
    def wake(self) -> None:
        """The tests call the dispatcher themselves."""


@asynccontextmanager
async def running(station: Station) -> AsyncIterator[Station]:
    try:
        yield station
    finally:
        await station.sender.close()


async def add_endpoint(
    database: Database,
    clock: FakeClock,
    url: str,
    event_types: Sequence[str] = (),
    *,
    keyring: Keyring = KEYRING,
    **more: Any,
) -> str:
    at = clock.now()
    endpoint = Endpoint(
        new_id("ep"), url, None, tuple(event_types), True, None, None, at, at, proven=True, **more
    )
    store = PostgresEndpoints()
    async with database.tenant(TENANT) as c:
        await store.add(c, TENANT, endpoint, "test")
        await Keys(store, SecretSeal(keyring)).issue(c, TENANT, endpoint.id, ["v1"], at)
    return endpoint.id
