"""`customer.standing`: how customers stand with us, for the snapshot on their next feedback, and for whom a
lower tier waits."""

from collections.abc import Sequence

from heardback_ingest.app.classes import Classes
from heardback_ingest.app.settle import by_tenant, read
from heardback_ingest.ports import Customers
from heardback_shared.clock import Clock
from heardback_shared.contracts.events import CUSTOMER_STANDING, CustomerStanding
from heardback_shared.db.database import Database
from heardback_shared.stream.ports import Incoming, Outgoing


class FollowStandings:
    """Idempotent; of two announcements the later one stays, in whatever order they come."""

    def __init__(self, database: Database, customers: Customers, classes: Classes, clock: Clock) -> None:
        self._database = database
        self._customers = customers
        self._classes = classes
        self._clock = clock

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        for tenant_id, events in by_tenant(batch, CUSTOMER_STANDING).items():
            latest: dict[str, CustomerStanding] = {}
            for incoming in events:
                standing = read(incoming, CustomerStanding)
                before = latest.get(standing.customer_id)
                if before is None or (before.at, before.counter) < (standing.at, standing.counter):
                    latest[standing.customer_id] = standing
            async with self._database.tenant(tenant_id) as c:
                await self._customers.keep_standings(c, tenant_id, [latest[i] for i in sorted(latest)])
                await self._classes.reconsider(c, tenant_id, sorted(latest), self._clock.now())
        return ()
