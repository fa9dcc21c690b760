"""The router's use cases on a real database, and looks into what they left there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select, text

from heardback_router.assignment.app import Assignment
from heardback_router.assignment.store import PostgresPeople, PostgresQueues
from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.store import PostgresItems, event_of, item_of
from heardback_router.backlog.tables import item_events, items, links, outbox
from heardback_router.configuration.source import DeploymentPolicies, PolicySource, load_policies
from heardback_router.corrections.overlay import Overlay
from heardback_router.corrections.store import PostgresCorrections
from heardback_router.grouping.neighbours import PostgresNeighbours
from heardback_router.outreach.discomfort import Discomfort
from heardback_router.routing.app import RouteFeedback
from heardback_router.routing.ports import LoopStates
from heardback_router.routing.store import PostgresInbox
from heardback_shared.contact.holds import PostgresHolds
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Outgoing
from tests.support.clock import FakeClock


class NoLoops:
    """Nobody waits to hear back."""

    async def open(self, *_: Any) -> tuple[dict[str, Any], list[Outgoing]]:
        return {}, []

    async def of_feedback(
        self, connection: Any, tenant_id: str, feedback_ids: Sequence[str]
    ) -> dict[str, Any]:
        return {}


@dataclass
class Router:
    database: Database
    clock: FakeClock
    metrics: Metrics
    route: RouteFeedback

    async def receive(self, *batch: Incoming) -> None:
        await self.route(batch)

    async def items(self, tenant: str = "default") -> list[Item]:
        async with self.database.tenant(tenant) as connection:
            rows = await connection.execute(select(items).order_by(items.c.opened_at, items.c.id))
            return [item_of(row) for row in rows.mappings()]

    async def log(self, item_id: str, tenant: str = "default") -> list[ItemEvent]:
        query = select(item_events).where(item_events.c.item_id == item_id).order_by(item_events.c.sequence)
        async with self.database.tenant(tenant) as connection:
            return [event_of(row) for row in (await connection.execute(query)).mappings()]

    async def links(self, tenant: str = "default") -> list[dict[str, Any]]:
        async with self.database.tenant(tenant) as connection:
            rows = await connection.execute(select(links).order_by(links.c.feedback_id))
            return [dict(row) for row in rows.mappings()]

    async def sent(self, topic: str, tenant: str = "default") -> list[dict[str, Any]]:
        """The data of what waits in the outbox, in order."""
        query = select(outbox.c.data).where(outbox.c.topic == topic).order_by(outbox.c.id)
        async with self.database.tenant(tenant) as connection:
            return [orjson.loads(row[0]) for row in await connection.execute(query)]

    async def empty_outbox(self) -> None:
        async with self.database.worker() as connection:
            await connection.execute(text("DELETE FROM router.outbox"))


def router_on(
    database: Database, loops: LoopStates | None = None, source: PolicySource | None = None
) -> Router:
    clock, metrics = FakeClock(), Metrics()
    route = RouteFeedback(
        database,
        PostgresInbox(),
        PostgresItems(),
        loops or NoLoops(),
        Outbox(outbox),
        source or DeploymentPolicies(load_policies()),
        clock,
        metrics,
        assignment=Assignment(PostgresItems(), PostgresPeople(), PostgresQueues()),
        neighbours=PostgresNeighbours(),
        corrections=Overlay(PostgresCorrections()),
        discomfort=Discomfort(PostgresHolds()),
    )
    return Router(database, clock, metrics, route)
