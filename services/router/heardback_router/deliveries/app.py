"""Use cases of endpoints, each one transaction of one tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.addresses import RefusedError, UrlRules, read_url
from heardback_router.deliveries.alarms import Alarms
from heardback_router.deliveries.endpoint import (
    ENDPOINT_TEST,
    Endpoint,
    Group,
    Signature,
    disabled,
    enabled,
    moved,
)
from heardback_router.deliveries.keys import Issued, Keys, kinds_of
from heardback_router.deliveries.log import check_usable, hasten
from heardback_router.deliveries.ports import (
    AlertMails,
    DeliveryQueue,
    EndpointEvent,
    Endpoints,
    LiveKey,
    Message,
    Settler,
    Waker,
)
from heardback_router.mail.domain import UnfitMailError, checked_address
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.ids import new_id

REMOVED = "the endpoint was removed"


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    url: str
    event_types: Sequence[str] = ()
    description: str | None = None
    group: Group = field(default_factory=Group)
    fields: Sequence[str] = ()
    signature: Signature = "v1"


@dataclass(frozen=True, slots=True)
class Shown:
    """An endpoint with its live keys; `issued` holds what is shown this once."""

    endpoint: Endpoint
    keys: Sequence[LiveKey]
    issued: Issued | None = None


class Webhooks:
    def __init__(
        self,
        database: Database,
        endpoints: Endpoints,
        keys: Keys,
        queue: DeliveryQueue,
        alarms: Alarms,
        mails: AlertMails,
        *,
        settler: Settler,
        outbox: Outbox,
        waker: Waker,
        clock: Clock,
        rules: UrlRules,
        limit: int,
    ) -> None:
        self._database = database
        self._endpoints = endpoints
        self._keys = keys
        self._queue = queue
        self._alarms = alarms
        self._mails = mails
        self._settler = settler
        self._outbox = outbox
        self._waker = waker
        self._clock = clock
        self._rules = rules
        self._limit = limit

    async def add_endpoint(self, tenant_id: str, new: NewEndpoint, actor: str) -> Shown:
        """Unproven: nothing but a proof is sent to it yet. The name behind the URL is checked again, by its
        addresses, at every request."""
        self._check_url(new.url)
        at = self._clock.now()
        endpoint = Endpoint(
            new_id("ep"),
            new.url,
            new.description,
            tuple(dict.fromkeys(new.event_types)),
            True,
            None,
            None,
            at,
            at,
            group=new.group,
            fields=tuple(dict.fromkeys(new.fields)),
            signature=new.signature,
            held_since=at,
        )
        async with self._database.tenant(tenant_id) as connection:
            if await self._endpoints.count(connection, tenant_id) >= self._limit:
                raise ProblemError(
                    409,
                    "too-many-endpoints",
                    "Too many endpoints",
                    f"A tenant has at most {self._limit} endpoints; remove one first.",
                )
            await self._endpoints.add(connection, tenant_id, endpoint, actor)
            kinds = kinds_of(new.signature)
            issued = await self._keys.issue(connection, tenant_id, endpoint.id, kinds, at)
            await self._note(connection, tenant_id, endpoint.id, "added", None, actor)
            return await self._shown(connection, tenant_id, endpoint, issued)

    async def change_endpoint(
        self, tenant_id: str, endpoint_id: str, changes: Mapping[str, Any], actor: str
    ) -> Shown:
        """`changes` are fields of NewEndpoint. Another URL has to be proved anew; another way of signing
        makes the key it lacks, and the old one signs for a day more."""
        at = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._get(connection, tenant_id, endpoint_id, lock=True)
            url = changes.get("url", endpoint.url)
            if url != endpoint.url:
                self._check_url(url)
                endpoint = moved(endpoint, url, at)
            rest = {name: value for name, value in changes.items() if name != "url"}
            after = replace(endpoint, **rest, changed_at=at)
            await self._endpoints.save(connection, tenant_id, after)
            issued = None
            if "signature" in changes:
                issued = await self._keys.change(connection, tenant_id, endpoint_id, after.signature, at)
            said = ", ".join(sorted(changes))
            await self._note(connection, tenant_id, endpoint_id, "changed", said, actor)
            return await self._shown(connection, tenant_id, after, issued)

    async def endpoints(self, tenant_id: str) -> Sequence[Shown]:
        async with self._database.tenant(tenant_id) as connection:
            found = await self._endpoints.all(connection, tenant_id)
            return [await self._shown(connection, tenant_id, endpoint) for endpoint in found]

    async def endpoint(self, tenant_id: str, endpoint_id: str) -> Shown:
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._get(connection, tenant_id, endpoint_id)
            return await self._shown(connection, tenant_id, endpoint)

    async def history(self, tenant_id: str, endpoint_id: str) -> Sequence[EndpointEvent]:
        async with self._database.tenant(tenant_id) as connection:
            await self._get(connection, tenant_id, endpoint_id)
            return await self._endpoints.history(connection, tenant_id, endpoint_id)

    async def remove_endpoint(self, tenant_id: str, endpoint_id: str) -> None:
        """What still waits for it fails, visibly; its delivery log stays."""
        at = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            await self._get(connection, tenant_id, endpoint_id, lock=True)
            await self._endpoints.remove(connection, tenant_id, endpoint_id)
            about = await self._queue.fail_pending(connection, tenant_id, endpoint_id, REMOVED, at)
            changes = await self._settler.settle(connection, tenant_id, sorted(set(about)), at)
            await self._outbox.add(connection, changes)
        self._outbox.wake()

    async def rotate_keys(self, tenant_id: str, endpoint_id: str, actor: str) -> Issued:
        """New keys of every kind it signs by. Those before them sign as well for a day."""
        at = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._get(connection, tenant_id, endpoint_id, lock=True)
            kinds = kinds_of(endpoint.signature)
            issued = await self._keys.issue(connection, tenant_id, endpoint_id, kinds, at)
            await self._note(connection, tenant_id, endpoint_id, "key_rotated", None, actor)
        return issued

    async def revoke_old_keys(self, tenant_id: str, endpoint_id: str, actor: str) -> Shown:
        """At once instead of after a day, for when the old key is known to somebody."""
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._get(connection, tenant_id, endpoint_id, lock=True)
            ended = await self._endpoints.revoke_old_keys(
                connection, tenant_id, endpoint_id, self._clock.now()
            )
            said = f"{ended} key(s) that had been replaced"
            await self._note(connection, tenant_id, endpoint_id, "old_keys_revoked", said, actor)
            return await self._shown(connection, tenant_id, endpoint)

    async def enable(self, tenant_id: str, endpoint_id: str, actor: str) -> Shown:
        """Deliveries go on where their schedule stands."""
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._get(connection, tenant_id, endpoint_id, lock=True)
            after = enabled(endpoint, self._clock.now())
            await self._endpoints.save(connection, tenant_id, after)
            await self._note(connection, tenant_id, endpoint_id, "enabled", None, actor)
            shown = await self._shown(connection, tenant_id, after)
        self._waker.wake()
        return shown

    async def disable(self, tenant_id: str, endpoint_id: str, because: str, actor: str) -> Shown:
        """Deliveries are held back; what is still held when the hold time is over fails."""
        at = self._clock.now()
        async with self._database.tenant(tenant_id) as connection:
            endpoint = await self._get(connection, tenant_id, endpoint_id, lock=True)
            after = disabled(endpoint, "person", because, at)
            await self._endpoints.save(connection, tenant_id, after)
            await self._alarms.disabled(connection, tenant_id, after, at, actor)
            shown = await self._shown(connection, tenant_id, after)
        self._waker.wake()
        return shown

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
            endpoint = await self._get(connection, tenant_id, endpoint_id, lock=True)
            check_usable(endpoint)
            await hasten(self._endpoints, connection, tenant_id, endpoint, at)
            await self._queue.add(connection, tenant_id, [message], at)
            delivery = await self._queue.find(connection, tenant_id, message.id)
        self._waker.wake()
        return delivery or {}

    async def alert_addresses(self, tenant_id: str) -> Sequence[str]:
        async with self._database.tenant(tenant_id) as connection:
            return await self._mails.addresses(connection, tenant_id)

    async def put_alert_addresses(
        self, tenant_id: str, addresses: Sequence[str], actor: str
    ) -> Sequence[str]:
        """Whom to write to when an endpoint is disabled or back. They take the place of those before."""
        wrong = []
        for number, address in enumerate(addresses):
            try:
                checked_address(address)
            except UnfitMailError as error:
                wrong.append((f"/addresses/{number}", str(error)))
        if wrong:
            raise invalid(tuple(wrong))
        kept = tuple(dict.fromkeys(addresses))
        async with self._database.tenant(tenant_id) as connection:
            await self._mails.put_addresses(connection, tenant_id, kept, actor, self._clock.now())
        return kept

    def _check_url(self, url: str) -> None:
        try:
            read_url(url, self._rules)
        except RefusedError as error:
            raise invalid((("/url", str(error)),)) from error

    async def _shown(
        self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, issued: Issued | None = None
    ) -> Shown:
        now: datetime = self._clock.now()
        live = await self._endpoints.live_keys(connection, tenant_id, endpoint.id, now)
        return Shown(endpoint, live, issued)

    async def _note(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        kind: str,
        because: str | None,
        actor: str,
    ) -> None:
        event = EndpointEvent(self._clock.now(), kind, because, actor)
        await self._endpoints.note(connection, tenant_id, endpoint_id, event)

    async def _get(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, *, lock: bool = False
    ) -> Endpoint:
        endpoint = await self._endpoints.find(connection, tenant_id, endpoint_id, lock=lock)
        if endpoint is None:
            raise not_found(f"The endpoint {endpoint_id}")
        return endpoint
