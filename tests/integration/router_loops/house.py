"""The router around one database and one receiver, as the tests of loops use it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select
from tests.integration.router_loops.receiver import Receiver
from tests.support.clock import FakeClock
from tests.support.scored import incoming, scored

from heardback_router.backlog.domain import LinkedCustomer, Resolution
from heardback_router.backlog.tables import outbox as outbox_table
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import load_policies
from heardback_router.deliveries.app import NewEndpoint
from heardback_router.deliveries.dispatch import Dispatcher
from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.loops.domain import LoopEvent, LoopStatus, fold
from heardback_router.loops.links import PURPOSE, LinkClaim, sign_link
from heardback_router.loops.settings import LoopSettings
from heardback_router.loops.store import PostgresLoops
from heardback_router.mail.settings import MailSettings
from heardback_router.main import Core, Settings
from heardback_router.settings import RouterSettings
from heardback_router.wording import CustomerText
from heardback_shared.access.store import ApiKeys
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.contracts.events import LOOP_CHANGED, FeedbackScored, LoopChanged
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.settings import ServiceSettings

SERVICE = ServiceSettings(secret_key=base64.b64encode(b"k" * 32).decode())
PUBLIC_URL = "https://feedback.example.com"
POLICIES = Path(__file__).parents[2] / "support" / "any_time"
SCOPES = ("items:read", "items:write", "endpoints:write")
WEBHOOKS = WebhookSettings(allow_loopback=True, timeout_seconds=25, lease_seconds=60, poll_seconds=0.02)
"""Attempts outlast whatever a busy machine does to a receiver that answers."""

HURRIED = WebhookSettings(allow_loopback=True, timeout_seconds=1, lease_seconds=60, poll_seconds=0.02)
"""For receivers that never answer."""


class Caller:
    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **params: str) -> httpx.Response:
        return await self._client.get(path, params=params, headers=self._headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.post(path, json=body, headers={**self._headers, **sent})

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self._client.patch(path, json=body, headers=self._headers)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self._client.put(path, json=body, headers=self._headers)

    async def delete(self, path: str) -> httpx.Response:
        return await self._client.delete(path, headers=self._headers)


@dataclass
class House:
    database: Database
    clock: FakeClock
    core: Core
    receiver: Receiver
    client: httpx.AsyncClient
    keys: ApiKeys
    metrics: Metrics

    @property
    def dispatcher(self) -> Dispatcher:
        return self.core.closing.deliveries.dispatcher

    @property
    def contacts(self) -> PostgresContacts:
        return PostgresContacts(Keyring(SERVICE.master_key))

    @property
    def policies(self) -> Policies:
        return load_policies(POLICIES)

    def link(self, loop_id: str, tenant: str = "default") -> str:
        """The path of a link as a customer holds it."""
        claim = LinkClaim(tenant, loop_id, self.clock.now() + timedelta(days=30))
        return f"/v1/loops/{sign_link(Keyring(SERVICE.master_key).key(PURPOSE), claim)}"

    async def deliver(self) -> int:
        """Decides about what is due, and makes what attempts are due; how many attempts."""
        await self.core.closing.messages.sending.send_due()
        return await self.dispatcher.deliver_due()

    async def caller(self, tenant: str = "default", scopes: tuple[str, ...] = SCOPES) -> Caller:
        _, token = await self.keys.create(tenant, "ann", scopes)
        return Caller(self.client, token)

    async def endpoint(self, path: str = "/in", tenant: str = "default") -> tuple[str, str]:
        """(id, secret) of a new endpoint at the receiver, proven by its handshake."""
        sending = self.core.closing.deliveries
        made = await sending.webhooks.add_endpoint(tenant, NewEndpoint(self.receiver.url(path)), "test")
        proven = await sending.prover.prove(tenant, made.endpoint.id, "handshake", "test")
        assert proven.proven, proven.proof_because
        assert made.issued is not None
        return made.endpoint.id, made.issued.secret or ""

    async def item(self, number: int = 1, *, customer: str | None = "c-1", tenant: str = "default") -> str:
        """A feedback routed to an item of its own; the item's id."""
        feedback = scored(number, customer=customer, accepted_at=self.clock.now())
        await self.core.route([incoming(feedback, tenant=tenant)])
        return await self.item_of(feedback, tenant)

    async def item_of(self, feedback: FeedbackScored, tenant: str = "default") -> str:
        async with self.database.tenant(tenant) as connection:
            found = await connection.exec_driver_sql(
                "SELECT item_id FROM router.item_feedback WHERE feedback_id = $1",
                (feedback.accepted.feedback_id,),
            )
            return str(found.scalar_one())

    async def resolve(
        self,
        item_id: str,
        by: Caller,
        tell: str | None = "The invoice is corrected.",
        translations: dict[str, str] | None = None,
    ) -> Any:
        body: dict[str, Any] = {"root_cause": "INTERNAL-CAUSE", "action": "INTERNAL-ACTION"}
        if tell is None:
            body["not_telling_because"] = "our own test"
        else:
            body["tell_customer"] = {"text": tell, "translations": translations or {}}
        tag = (await by.get(f"/v1/items/{item_id}")).headers["ETag"]
        answer = await by.post(f"/v1/items/{item_id}:resolve", body, If_Match=tag)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def open_loops(
        self, count: int, *, tenant: str = "default", item: str = "it_x", number: int = 1
    ) -> list[str]:
        """Loops of one resolution with this many customers, whose item is of no concern; their ids."""
        linked = tuple(LinkedCustomer(f"c-{n}", (f"fb_{item}_{n}",), "email") for n in range(count))
        resolution = Resolution(
            item,
            "internal",
            number,
            "cause",
            "action",
            CustomerText("Fixed."),
            None,
            linked,
            "key:ann",
            change_id=f"ch_{item}_{number}",
        )
        policy = load_policies().telling
        async with self.database.tenant(tenant) as connection:
            outgoing = await self.core.closing.loops.resolved(
                connection, tenant, resolution, policy, self.clock.now()
            )
        await self.core.closing.messages.sending.send_due()
        return list(dict.fromkeys(o.event.subject or "" for o in outgoing))

    async def loop_of(self, item_id: str, tenant: str = "default") -> dict[str, Any]:
        async with self.database.tenant(tenant) as connection:
            (loop,) = await self.core.closing.loops.of_item(connection, tenant, item_id)
        return loop

    async def status(self, loop_id: str, tenant: str = "default") -> LoopStatus:
        """The fold of the loop's log, which must agree with the stored copy."""
        store = PostgresLoops()
        async with self.database.tenant(tenant) as connection:
            loop = await store.find(connection, tenant, loop_id)
            assert loop is not None
            logs = await store.of_item(connection, tenant, loop.item_id)
        events: list[LoopEvent] = next(list(log) for found, log in logs if found.id == loop_id)
        status = fold(events)
        assert loop.status == status
        return status

    async def announced(self, tenant: str = "default") -> list[LoopChanged]:
        query = select(outbox_table.c.data).where(outbox_table.c.type == LOOP_CHANGED)
        async with self.database.tenant(tenant) as connection:
            rows = await connection.execute(query.order_by(outbox_table.c.id))
            return [LoopChanged.model_validate_json(row[0]) for row in rows]


def build_house(
    database: Database,
    receiver: Receiver,
    at: datetime,
    webhooks: WebhookSettings = WEBHOOKS,
    clock: FakeClock | None = None,
    mail: MailSettings | None = None,
) -> House:
    clock = clock or FakeClock(at)
    metrics = Metrics()
    router = RouterSettings(policies=POLICIES)
    settings = Settings(
        SERVICE, router, LoopSettings(public_url=PUBLIC_URL), webhooks, mail or MailSettings()
    )
    core = Core(database, clock, metrics, Readiness(), settings)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=core.http), base_url="http://router")
    keys = ApiKeys(database, Keyring(SERVICE.master_key), clock)
    return House(database, clock, core, receiver, client, keys, metrics)


@asynccontextmanager
async def living_in(house: House) -> AsyncIterator[House]:
    """The house until the block ends; then its connections are closed."""
    try:
        async with house.client:
            yield house
    finally:
        stopped = asyncio.Event()
        stopped.set()
        await house.core.closing.deliver(stopped)
