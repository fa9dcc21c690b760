"""Gives messages to a channel: rows of the delivery queue for webhooks, letters for e-mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.endpoint import Endpoint, takes, wants
from heardback_router.deliveries.ports import DeliveryQueue, Endpoints, Message, Waker
from heardback_router.loops.ports import FeedbackOrigins
from heardback_router.mail.ports import Mailer
from heardback_router.outreach.domain import Draft
from heardback_router.outreach.links import MessageAddresses
from heardback_router.outreach.payload import (
    DIGEST,
    Origin,
    Outgoing,
    Part,
    event_type,
    shown_changes,
    shown_links,
    webhook_body,
)
from heardback_router.outreach.tables import handovers, letters
from heardback_shared.contact.domain import Channel, Recipient
from heardback_shared.db.bulk import insert_rows
from heardback_shared.ids import derived_id

BY_WEBHOOK: frozenset[Channel] = frozenset({"webhook", "sms", "in_app"})


@dataclass(frozen=True, slots=True)
class Ready:
    """Texts that go to one customer by one channel. `touch_id` is forgotten again if the channel fails."""

    recipient: Recipient
    channel: Channel
    parts: tuple[Part, ...]
    touch_id: str

    def handover_id(self, tenant_id: str) -> str:
        """The same for the same message on the same channel, and with it every id that travels. No message
        is given to one channel twice."""
        return derived_id("out", tenant_id, self.parts[0].draft.id, self.channel)


class Channels:
    def __init__(
        self,
        endpoints: Endpoints,
        queue: DeliveryQueue,
        origins: FeedbackOrigins,
        mailer: Mailer,
        addresses: MessageAddresses,
        wakers: Sequence[Waker] = (),
    ) -> None:
        self._endpoints = endpoints
        self._queue = queue
        self._origins = origins
        self._mailer = mailer
        self._addresses = addresses
        self._wakers = wakers

    def wake(self) -> None:
        """Call after the commit of a hand-over."""
        for waker in self._wakers:
            waker.wake()

    async def open(self, connection: AsyncConnection, tenant_id: str) -> "OpenChannels":
        """What can be used in this transaction; no endpoint is removed or disabled before it ends."""
        endpoints = await self._endpoints.all(connection, tenant_id, lock=True)
        return OpenChannels(endpoints, mail=self._mailer.usable)

    async def hand_over(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        ready: Sequence[Ready],
        open_: "OpenChannels",
        at: datetime,
    ) -> None:
        rows, mail, queued = [], [], []
        for one in await self._with_origins(connection, tenant_id, ready, open_):
            handover_id = one.handover_id(tenant_id)
            url, expires_at = self._addresses.details(tenant_id, handover_id, at)
            rows.append(_handover_row(tenant_id, handover_id, one, at, expires_at))
            if one.channel == "email":
                mail.append(_letter_row(tenant_id, handover_id, at))
                continue
            customer_id = one.recipient.customer_id
            outgoing = Outgoing(handover_id, customer_id, one.channel, one.parts, url, at)
            kind = event_type([part.draft for part in one.parts])
            for endpoint in open_.receivers(kind, one.recipient):
                body = webhook_body(outgoing, frozenset(endpoint.fields))
                message_id = derived_id("msg", handover_id, endpoint.id)
                queued.append(Message(message_id, endpoint.id, kind, body, handover_id))
        await insert_rows(connection, handovers, rows)
        await insert_rows(connection, letters, mail)
        await self._queue.add(connection, tenant_id, queued, at)

    async def _with_origins(
        self, connection: AsyncConnection, tenant_id: str, ready: Sequence[Ready], open_: "OpenChannels"
    ) -> Sequence[Ready]:
        """Where feedback came from is looked up only for endpoints that asked for it."""
        wanted = [one for one in ready if one.channel in BY_WEBHOOK and open_.asks("feedback", one)]
        ids = {feedback_id for one in wanted for part in one.parts for feedback_id in part.draft.feedback_ids}
        if not ids:
            return ready
        origins = await self._origins.of(connection, tenant_id, sorted(ids))
        return [_named(one, origins) for one in ready]


class OpenChannels:
    def __init__(self, endpoints: Sequence[Endpoint], *, mail: bool) -> None:
        self._endpoints = endpoints
        self._mail = mail

    def receivers(self, kind: str, recipient: Recipient) -> Sequence[Endpoint]:
        return [e for e in self._endpoints if takes(e, kind, recipient)]

    def asks(self, field: str, ready: Ready) -> bool:
        kind = event_type([part.draft for part in ready.parts])
        return any(field in endpoint.fields for endpoint in self.receivers(kind, ready.recipient))

    def closed(self, draft: Draft, recipient: Recipient) -> tuple[Mapping[Channel, str], bool]:
        """Channels of the customer that cannot be used for this message, and why; and whether one of them is
        only down for a time."""
        kind = event_type([draft])
        found: dict[Channel, str] = {}
        down = False
        if not self.receivers(kind, recipient):
            why = f"no enabled webhook endpoint takes {kind} of this customer"
            found = {channel: why for channel in recipient.channels if channel in BY_WEBHOOK}
            down = bool(found) and any(wants(e, kind, recipient) for e in self._endpoints)
        if "email" in recipient.channels and not self._mail:
            found["email"] = "no mail server is set"
        return found, down

    def together(self, channel: Channel, recipient: Recipient) -> bool:
        """Whether the channel takes several messages as one."""
        return channel not in BY_WEBHOOK or bool(self.receivers(DIGEST, recipient))


def _named(ready: Ready, origins: Mapping[str, Origin]) -> Ready:
    parts = (
        replace(part, origins=tuple(origins[f] for f in part.draft.feedback_ids if f in origins))
        for part in ready.parts
    )
    return replace(ready, parts=tuple(parts))


def _handover_row(
    tenant_id: str, handover_id: str, ready: Ready, at: datetime, expires_at: datetime
) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": handover_id,
        "customer_id": ready.recipient.customer_id,
        "touch_id": ready.touch_id,
        "channel": ready.channel,
        "state": "open",
        "content": {"parts": [_content(part) for part in ready.parts]},
        "expires_at": expires_at,
        "created_at": at,
    }


def _content(part: Part) -> dict[str, Any]:
    return {
        "message_id": part.draft.id,
        "step": part.draft.step,
        "loop_ids": list(part.draft.loop_ids),
        "item_ids": list(part.draft.item_ids),
        "subject": part.rendered.subject.text,
        "text": part.rendered.body.text,
        "language": part.rendered.language,
        "template": part.rendered.template,
        "links": dict(shown_links(part.links)),
        "changes": shown_changes(part.draft),
    }


def _letter_row(tenant_id: str, handover_id: str, at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": handover_id,
        "state": "pending",
        "attempts": 0,
        "claims": 0,
        "next_attempt_at": at,
        "created_at": at,
    }
