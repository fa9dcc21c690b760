"""Ingest and router on one database, with a real receiver and a real mail server around them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.integration.router_loops.house import SERVICE, Caller, House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver
from tests.integration.router_page.conftest import Customer
from tests.support.mailbox import Mailbox
from tests.support.scored import incoming, score

from heardback_ingest.main import build
from heardback_ingest.settings import IngestSettings
from heardback_router.deliveries.app import NewEndpoint
from heardback_shared.contracts.events import FeedbackAccepted, FeedbackScored
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.metrics import Metrics

FIELDS = ("message", "feedback", "changes")


@dataclass
class Town:
    """`staff` asks ingest, `desk` the router; both with every right."""

    house: House
    mailbox: Mailbox
    receiver: Receiver
    staff: Caller
    desk: Caller

    def customer(self, customer_id: str = "c-1", days: float = 30) -> Customer:
        return Customer(self.house, self.mailbox, customer_id, days=days)

    async def endpoint(self) -> str:
        """One that asks for all there is to tell."""
        sending = self.house.core.closing.deliveries
        new = NewEndpoint(self.receiver.url(), fields=FIELDS)
        made = await sending.webhooks.add_endpoint("default", new, "test")
        await sending.prover.prove("default", made.endpoint.id, "handshake", "test")
        return made.endpoint.id

    async def writes(self, number: int, comment: str, customer_id: str = "c-1") -> str:
        """Feedback through ingest's door, scored as anything would be, routed; its item."""
        body = {
            "source": "forms",
            "external_id": f"r-{number}",
            "customer": {"id": customer_id},
            "channel": "email",
            "metric": {"kind": "nps", "value": 2, "min": 0, "max": 10, "direction": "higher_is_better"},
            "comment": comment,
            "language": "en",
        }
        answer = await self.staff.post("/v1/surveys", body)
        assert answer.status_code == 202, answer.text
        async with self.house.database.tenant("default") as c:
            sent = await c.scalar(text("SELECT data FROM ingest.outbox ORDER BY id DESC LIMIT 1"))
            await c.execute(text("DELETE FROM ingest.outbox"))  # the relay has taken it
        accepted = FeedbackAccepted.model_validate_json(bytes(sent))
        scored = FeedbackScored(accepted=accepted, score=score(), scored_at=accepted.accepted_at)
        await self.house.core.route([incoming(scored)])
        return await self.house.item_of(scored)

    async def deliver(self) -> None:
        await self.house.deliver()
        await self.house.core.closing.messages.mailing.send_due()

    async def erase(self, customer_id: str = "c-1") -> int:
        answer = await self.staff.delete(f"/v1/customers/{customer_id}/personal-data")
        assert answer.status_code == 204, answer.text
        return await self.house.core.erasing.sweep()

    async def relayed(self) -> None:
        """What waited for the broker has left: it is kept nowhere after that."""
        async with self.house.database.worker() as c:
            for schema in ("ingest", "router"):
                await c.execute(text(f"DELETE FROM {schema}.outbox"))

    async def rows(self, query: str, **named: Any) -> list[Any]:
        async with self.house.database.worker() as c:
            return list((await c.execute(text(query), named)).all())


@pytest.fixture
async def town(database: Database) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        mailbox = await stack.enter_async_context(Mailbox())
        receiver = Receiver()
        await receiver.start()
        stack.push_async_callback(receiver.stop)
        at = datetime.now(UTC).replace(microsecond=0)
        house = build_house(database, receiver, at, mail=mailbox.settings)
        await stack.enter_async_context(living_in(house))
        ingest = build(IngestSettings(), SERVICE, database, house.clock, Metrics(), Readiness(running=True))
        transport = httpx.ASGITransport(ingest.http)
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://ingest")
        )
        _, token = await house.keys.create("default", "admin", ("admin",))
        yield Town(house, mailbox, receiver, Caller(client, token), Caller(house.client, token))
