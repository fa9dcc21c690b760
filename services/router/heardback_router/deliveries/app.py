"""Use cases of endpoints and deliveries, each one transaction of one tenant."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.addresses import RefusedError, UrlRules, read_url
from heardback_router.deliveries.domain import ENDPOINT_TEST
from heardback_router.deliveries.ports import (
    DeliveryQueue,
    Endpoint,
    Endpoints,
    LoopSettler,
    Message,
    Waker,
)
from heardback_router.deliveries.seal import SecretSeal
from heardback_router.deliveries.signing import new_secret
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.ids import new_id

OLD_SECRET_HOURS = 24
REMOVED = "the endpoint was removed"


class Webhooks:
    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        queue: DeliveryQueue,
        settler: LoopSettler,
        outbox: Outbox,
        seal: SecretSeal,
        waker: Waker,
        *,
        clock: Clock,
        rules: UrlRules,
        limit: int,
    ) -> None:
        self._database = database
        self._endpoints = endpoints
        self._queue = queue
        self._settler = settler
        self._outbox = outbox
        self._seal = seal
        self._waker = waker
        self._clock = clock
        self._rules = rules
        self._limit = limit

    async def add_endpoint(
        self, tenant_id: str, url: str, event_types: Sequence[str], description: str | None, actor: str
    ) -> tuple[Endpoint, str]:
        """The endpoint and its secret, which is shown this once. The name behind the URL is checked again,
        by its addresses, at every delivery."""
        try:
            read_url(url, self._rules)
        except RefusedError as error:
            raise invalid((("/url", str(error)),)) from error
        at = self._clock.now()
        endpoint = Endpoint(
            new_id("ep"), url, description, tuple(dict.fromkeys(event_types)), True, None, None, at, at
        )
        secret = new_secret()
        async with self._database.tenant(tenant_id) as connection:
            if len(await self._endpoints.all(connection, tenant_id)) >= self._limit:
                raise ProblemError(
                    409,
                    "too-many-endpoints",
                    "Too many endpoints",
                    f"A tenant has at most {self._limit} endpoints; remove one first.",
                )
            await self._endpoints.add(connection, tenant_id, endpoint, actor)
            await self._put_secret(connection, tenant_id, endpoint.id, secret, at)
        return endpoint, secret

    async def endpoints(self, tenant_id: str) -> Sequence[Endpoint]:
        async with self._database.tenant(tenant_id) as connection:
            return await self._endpoints.all(connection, tenant_id)

    async def endpoint(self, tenant_id: str, endpoint_id: str) -> Endpoint:
        async with self._database.tenant(tenant_id) as connection:
            return await self._get(connection, tenant_id, endpoint_id)

    async def remove_endpoint(self, tenant_id: str, endpoint_id: str) -> None:
        """What still waits for it fails, visibly; its delivery log stays."""
        at = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            await self._get(connection, tenant_id, endpoint_id, lock=True)
            await self._endpoints.remove(connection, tenant_id, endpoint_id)
            loops = await self._queue.fail_pending(connection, tenant_id, endpoint_id, REMOVED, at)
            changes = await self._settler.settle(connection, tenant_id, sorted(set(loops)), at)
            await self._outbox.add(connection, changes)
        self._outbox.wake()

    async def rotate_secret(self, tenant_id: str, endpoint_id: str) -> tuple[str, datetime]:
        """The new secret, and until when the one before it signs as well. At most two are live."""
        at = self._clock.now()
        secret = new_secret()
        async with self._database.tenant(tenant_id) as connection:
            await self._get(connection, tenant_id, endpoint_id, lock=True)
            until = await self._put_secret(connection, tenant_id, endpoint_id, secret, at)
        return secret, until

    async def set_enabled(
        self, tenant_id: str, endpoint_id: str, *, enabled: bool, because: str | None = None
    ) -> Endpoint:
        """Disabling holds deliveries back, enabling lets them go on where their schedule stands."""
        async with self._database.tenant(tenant_id) as connection:
            await self._get(connection, tenant_id, endpoint_id, lock=True)
            await self._endpoints.set_enabled(
                connection, tenant_id, endpoint_id, enabled=enabled, because=because, at=self._clock.now()
            )
            endpoint = await self._get(connection, tenant_id, endpoint_id)
        self._waker.wake()
        return endpoint

    async def send_test(self, tenant_id: str, endpoint_id: str) -> Mapping[str, Any]:
        """Queues an `endpoint.test`, which goes the way of every other delivery: guard, signature, log."""
        at = self._clock.now()
        body = {
            "type": ENDPOINT_TEST,
            "timestamp": at.isoformat().replace("+00:00", "Z"),
            "data": {"endpoint_id": endpoint_id, "message": "This is a test from heardback."},
        }
        message = Message(new_id("msg"), endpoint_id, ENDPOINT_TEST, orjson.dumps(body), None)
        async with self._database.tenant(tenant_id) as connection:
            self._check_enabled(await self._get(connection, tenant_id, endpoint_id, lock=True))
            await self._queue.add(connection, tenant_id, [message], at)
            delivery = await self._delivery(connection, tenant_id, message.id)
        self._waker.wake()
        return delivery

    async def delivery(self, tenant_id: str, delivery_id: str) -> Mapping[str, Any]:
        async with self._database.tenant(tenant_id) as connection:
            return await self._delivery(connection, tenant_id, delivery_id)

    async def deliveries(
        self, tenant_id: str, filters: Mapping[str, str], after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        async with self._database.tenant(tenant_id) as connection:
            return await self._queue.search(connection, tenant_id, filters, after, limit)

    async def replay(self, tenant_id: str, delivery_id: str) -> Mapping[str, Any]:
        """Sends it again: same id, same bytes, fresh schedule, same guard."""
        at = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            found = await self._delivery(connection, tenant_id, delivery_id)
            endpoint = await self._endpoints.find(connection, tenant_id, found["endpoint_id"], lock=True)
            if endpoint is None:
                raise ProblemError(
                    409, "endpoint-removed", "The endpoint is gone", "It was removed; make a new one."
                )
            self._check_enabled(endpoint)
            await self._queue.replay(connection, tenant_id, delivery_id, at)
            loop_ids = [found["loop_id"]] if found["loop_id"] else []
            changes = await self._settler.settle(connection, tenant_id, loop_ids, at)
            await self._outbox.add(connection, changes)
            replayed = await self._delivery(connection, tenant_id, delivery_id)
        self._outbox.wake()
        self._waker.wake()
        return replayed

    async def _put_secret(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, secret: str, at: datetime
    ) -> datetime:
        secret_id, until = new_id("sec"), at + timedelta(hours=OLD_SECRET_HOURS)
        sealed = self._seal.close(tenant_id, endpoint_id, secret_id, secret)
        await self._endpoints.put_secret(connection, tenant_id, endpoint_id, secret_id, sealed, at, until)
        return until

    async def _get(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, *, lock: bool = False
    ) -> Endpoint:
        endpoint = await self._endpoints.find(connection, tenant_id, endpoint_id, lock=lock)
        if endpoint is None:
            raise not_found(f"The endpoint {endpoint_id}")
        return endpoint

    async def _delivery(
        self, connection: AsyncConnection, tenant_id: str, delivery_id: str
    ) -> Mapping[str, Any]:
        delivery = await self._queue.find(connection, tenant_id, delivery_id)
        if delivery is None:
            raise not_found(f"The delivery {delivery_id}")
        return delivery

    @staticmethod
    def _check_enabled(endpoint: Endpoint) -> None:
        if not endpoint.enabled:
            raise ProblemError(
                409,
                "endpoint-disabled",
                "The endpoint is disabled",
                f"{endpoint.disabled_because or 'It was disabled by hand'}; enable it first.",
            )
