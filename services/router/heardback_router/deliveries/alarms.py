"""People hear how endpoints fare: by other endpoints of the tenant, by e-mail, and in the history."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.breaker import Judged
from heardback_router.deliveries.endpoint import (
    DELIVERY_EXHAUSTED,
    ENDPOINT_DISABLED,
    ENDPOINT_RECOVERED,
    Endpoint,
    takes,
)
from heardback_router.deliveries.ports import (
    AlertMail,
    AlertMails,
    Attempt,
    DeliveryQueue,
    EndpointEvent,
    Endpoints,
    Message,
)
from heardback_shared.ids import new_id

MACHINE = "router"


class Alarms:
    """Everything in the caller's transaction, so that no change goes without its news."""

    def __init__(self, endpoints: Endpoints, queue: DeliveryQueue, mails: AlertMails) -> None:
        self._endpoints = endpoints
        self._queue = queue
        self._mails = mails

    async def disabled(
        self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, at: datetime, actor: str
    ) -> None:
        """`endpoint` as it is now."""
        because = endpoint.disabled_because or ""
        await self._note(connection, tenant_id, endpoint.id, "disabled", because, at, actor)
        details = {"disabled_by": endpoint.disabled_by, "because": because}
        await self._tell_others(connection, tenant_id, endpoint, ENDPOINT_DISABLED, details, at)
        again = {
            "failures": "It is asked now and then whether it is back, and then goes on by itself.",
            "gone": "It asked for nothing more to be sent; enable it by hand if that was a mistake.",
            "person": "Enable it by hand to let deliveries go on.",
        }[endpoint.disabled_by or "person"]
        await self._mail(
            connection,
            tenant_id,
            endpoint,
            "Webhook endpoint disabled",
            f"The webhook endpoint {_named(endpoint)} was disabled: {because}.\n\n{again}\n\n"
            "What waited for it has failed or will fail; it stays in the delivery log and can be replayed.\n",
            at,
        )

    async def recovered(
        self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, at: datetime
    ) -> None:
        because = "it answered again"
        await self._note(connection, tenant_id, endpoint.id, "recovered", because, at, MACHINE)
        await self._tell_others(connection, tenant_id, endpoint, ENDPOINT_RECOVERED, {"because": because}, at)
        await self._mail(
            connection,
            tenant_id,
            endpoint,
            "Webhook endpoint enabled again",
            f"The webhook endpoint {_named(endpoint)} answered a signed ping and is enabled again.\n\n"
            f"Send what it missed with POST /v1/endpoints/{endpoint.id}:replay.\n",
            at,
        )

    async def exhausted(self, connection: AsyncConnection, attempt: Attempt) -> None:
        """The last attempt of its delivery."""
        claimed = attempt.claimed
        endpoint = await self._endpoints.find(connection, claimed.tenant_id, claimed.endpoint_id)
        if endpoint is not None:
            said = attempt.response.error or f"the receiver answered {attempt.response.status}"
            details = {"delivery_id": claimed.id, "event_type": claimed.event_type, "because": said}
            await self._tell_others(
                connection, claimed.tenant_id, endpoint, DELIVERY_EXHAUSTED, details, attempt.at
            )

    async def circuit(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        judged: Judged,
        at: datetime,
        actor: str,
    ) -> None:
        kind = f"circuit_{judged.event}"
        await self._note(connection, tenant_id, endpoint_id, kind, judged.because, at, actor)

    async def _note(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        kind: str,
        because: str | None,
        at: datetime,
        actor: str,
    ) -> None:
        await self._endpoints.note(
            connection, tenant_id, endpoint_id, EndpointEvent(at, kind, because, actor)
        )

    async def _tell_others(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint: Endpoint,
        event_type: str,
        details: Mapping[str, str | None],
        at: datetime,
    ) -> None:
        """The URL is left out: another receiver need not know where this one lives."""
        others = [e for e in await self._endpoints.all(connection, tenant_id) if e.id != endpoint.id]
        about = {"endpoint_id": endpoint.id, "description": endpoint.description}
        timestamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        body = orjson.dumps({"type": event_type, "timestamp": timestamp, "data": {**about, **details}})
        messages = [
            Message(new_id("msg"), other.id, event_type, body, None)
            for other in others
            if takes(other, event_type, None)
        ]
        await self._queue.add(connection, tenant_id, messages, at)

    async def _mail(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint: Endpoint,
        subject: str,
        text: str,
        at: datetime,
    ) -> None:
        addresses: Sequence[str] = await self._mails.addresses(connection, tenant_id)
        mails = [AlertMail(new_id("alm"), endpoint.id, address, subject, text) for address in addresses]
        await self._mails.add(connection, tenant_id, mails, at)


def _named(endpoint: Endpoint) -> str:
    return f"{endpoint.id} ({endpoint.description})" if endpoint.description else endpoint.id
