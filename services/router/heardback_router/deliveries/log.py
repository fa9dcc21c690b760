"""The delivery log, and sending again what is in it: one delivery, or a time range."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.breaker import hastened
from heardback_router.deliveries.domain import DeliveryState
from heardback_router.deliveries.endpoint import Endpoint
from heardback_router.deliveries.ports import (
    DeliveryQueue,
    EndpointEvent,
    Endpoints,
    Replay,
    Settler,
    Waker,
    Which,
)
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.ids import new_id


class DeliveryLog:
    """`replay_limit`: how many deliveries one replay takes at most."""

    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        queue: DeliveryQueue,
        settler: Settler,
        outbox: Outbox,
        waker: Waker,
        clock: Clock,
        replay_limit: int,
    ) -> None:
        self._database = database
        self._endpoints = endpoints
        self._queue = queue
        self._settler = settler
        self._outbox = outbox
        self._waker = waker
        self._clock = clock
        self._replay_limit = replay_limit

    async def delivery(
        self, tenant_id: str, delivery_id: str, *, endpoint_id: str | None = None
    ) -> Mapping[str, Any]:
        """With `endpoint_id` only if it is a delivery of that endpoint."""
        async with self._database.tenant(tenant_id) as connection:
            return await self._delivery(connection, tenant_id, delivery_id, endpoint_id)

    async def deliveries(
        self, tenant_id: str, filters: Mapping[str, str], after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        async with self._database.tenant(tenant_id) as connection:
            return await self._queue.search(connection, tenant_id, filters, after, limit)

    async def replay(
        self, tenant_id: str, delivery_id: str, *, endpoint_id: str | None = None
    ) -> Mapping[str, Any]:
        """Sends it again: same id, same bytes, fresh schedule, same guard. With `endpoint_id` only if it is a
        delivery of that endpoint."""
        at = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            found = await self._delivery(connection, tenant_id, delivery_id, endpoint_id)
            if found["erased_at"] is not None:
                raise ProblemError(
                    409,
                    "delivery-erased",
                    "The delivery was erased",
                    "The customer's personal data were erased, and with them what this delivery carried; "
                    "that it was sent is all that is kept.",
                )
            endpoint = await self._endpoints.find(connection, tenant_id, found["endpoint_id"], lock=True)
            if endpoint is None:
                raise ProblemError(
                    409,
                    "endpoint-removed",
                    "The endpoint is gone",
                    "The endpoint of this delivery was removed; nothing can be sent to it any more.",
                )
            check_usable(endpoint)
            await hasten(self._endpoints, connection, tenant_id, endpoint, at)
            await self._queue.replay(connection, tenant_id, delivery_id, at)
            about = [found["message_id"]] if found["message_id"] else []
            await self._settle(connection, tenant_id, about, at)
            replayed = await self._delivery(connection, tenant_id, delivery_id)
        self._wake()
        return replayed

    async def replay_range(
        self,
        tenant_id: str,
        endpoint_id: str,
        which: Which,
        since: datetime,
        until: datetime | None,
        actor: str,
    ) -> tuple[Replay, Mapping[DeliveryState, int]]:
        """Sends again what was made in the range, oldest first and as many as one replay takes: `missing`
        what never arrived, `all` also what did. What is pending is on its way anyway."""
        at = self._clock.now()
        until = until or at
        if since >= until:
            raise invalid((("/since", "must lie before until"),))
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._endpoints.find(connection, tenant_id, endpoint_id, lock=True)
            if endpoint is None:
                raise not_found(f"The endpoint {endpoint_id}")
            check_usable(endpoint)
            await hasten(self._endpoints, connection, tenant_id, endpoint, at)
            matched = await self._queue.count_range(connection, tenant_id, endpoint_id, which, since, until)
            most = min(matched, self._replay_limit)
            planned = Replay(new_id("rpl"), endpoint_id, which, since, until, matched, most, actor, at)
            queued, about = await self._queue.replay_range(connection, tenant_id, planned, self._replay_limit)
            await self._queue.add_replay(connection, tenant_id, planned)
            said = f"{queued} of {matched} deliveries, {which}"
            await self._endpoints.note(
                connection, tenant_id, endpoint_id, EndpointEvent(at, "replayed", said, actor)
            )
            await self._settle(connection, tenant_id, about, at)
            found = await self._find_replay(connection, tenant_id, endpoint_id, planned.id)
        self._wake()
        return found

    async def replay_progress(
        self, tenant_id: str, endpoint_id: str, replay_id: str
    ) -> tuple[Replay, Mapping[DeliveryState, int]]:
        async with self._database.tenant(tenant_id) as connection:
            return await self._find_replay(connection, tenant_id, endpoint_id, replay_id)

    async def _find_replay(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, replay_id: str
    ) -> tuple[Replay, Mapping[DeliveryState, int]]:
        found = await self._queue.find_replay(connection, tenant_id, replay_id)
        if found is None or found[0].endpoint_id != endpoint_id:
            raise not_found(f"The replay {replay_id}")
        return found

    async def _settle(
        self, connection: AsyncConnection, tenant_id: str, about: Sequence[str], at: datetime
    ) -> None:
        changes = await self._settler.settle(connection, tenant_id, sorted(set(about)), at)
        await self._outbox.add(connection, changes)

    def _wake(self) -> None:
        self._outbox.wake()
        self._waker.wake()

    async def _delivery(
        self, connection: AsyncConnection, tenant_id: str, delivery_id: str, endpoint_id: str | None = None
    ) -> Mapping[str, Any]:
        delivery = await self._queue.find(connection, tenant_id, delivery_id)
        if delivery is None or endpoint_id not in {None, delivery["endpoint_id"]}:
            raise not_found(f"The delivery {delivery_id}")
        return delivery


def check_usable(endpoint: Endpoint) -> None:
    """Raises the problem of an endpoint that nothing may be queued for."""
    if not endpoint.enabled:
        raise ProblemError(
            409,
            "endpoint-disabled",
            "The endpoint is disabled",
            f"{endpoint.disabled_because or 'It was disabled by hand'}; enable it first.",
        )
    if not endpoint.proven:
        raise ProblemError(
            409,
            "endpoint-unproven",
            "The endpoint has not proved that it wants webhooks",
            f"POST /v1/endpoints/{endpoint.id}:prove first; until then nothing but proofs is sent.",
        )


async def hasten(
    endpoints: Endpoints, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, at: datetime
) -> None:
    """Lets an endpoint that is spared be probed at once, as a person asked for it. Hold its lock."""
    health = hastened(endpoint.health, at)
    if health != endpoint.health:
        await endpoints.save(connection, tenant_id, replace(endpoint, health=health))
