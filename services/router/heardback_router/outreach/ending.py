"""What channels made of messages: sent, or given back for the next channel; and whether what waits at a
channel may still go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.source import PolicySource
from heardback_router.deliveries.permits import Held, Stopped
from heardback_router.deliveries.ports import DeliveryQueue
from heardback_router.outreach.deciding import by_rules, still
from heardback_router.outreach.domain import ENDED, Standing
from heardback_router.outreach.ports import Listener
from heardback_router.outreach.store import Change, Kept, PostgresMessages, any_of
from heardback_router.outreach.tables import handovers
from heardback_shared.contact.domain import Later, Never
from heardback_shared.contact.ports import Contacts
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing

Outcome = Literal["sent", "failed"]
PAUSED = "The campaign is paused."
NOT_TAKEN = "No endpoint took it; see its deliveries."


@dataclass(frozen=True, slots=True)
class Handed:
    id: str
    touch_id: str
    customer_id: str
    channel: str
    state: str


class Ending:
    """The dispatcher and the mail worker call `permit` before every attempt and `settle` after it."""

    def __init__(
        self,
        store: PostgresMessages,
        queue: DeliveryQueue,
        contacts: Contacts,
        policies: PolicySource,
        listener: Listener,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._queue = queue
        self._contacts = contacts
        self._policies = policies
        self._listener = listener
        self._metrics = metrics

    async def permit(
        self, connection: AsyncConnection, tenant_id: str, handover_id: str, at: datetime
    ) -> Held | Stopped | None:
        """None: it may go. Asked in a transaction of its own, with the customer's wishes as they are now."""
        found = await self._handed(connection, tenant_id, [handover_id])
        if not found:
            return None
        handed = found[0]
        there = await self._store.at(connection, tenant_id, handover_id)
        gone = {"refused", "cancelled"}
        kept = [one for one in there if one.state not in gone and one.if_returned != "cancelled"]
        if not kept:
            return Stopped("It was taken back, or goes out by another channel by now.")
        customer_id = handed.customer_id
        recipients = await self._contacts.recipients(connection, tenant_id, [customer_id], at)
        rules = (await self._policies.of(connection, tenant_id)).contact
        stopped = await self._contacts.sending_stopped(connection, tenant_id)
        ask = by_rules(rules, stopped)
        channel = kept[0].channel or "webhook"
        said = [still(one.draft, recipients[customer_id], channel, ask, at) for one in kept]
        never = [one for one in said if isinstance(one, Never)]
        if len(never) == len(said):
            return Stopped(never[0].because)
        later = [one for one in said if isinstance(one, Later)]
        latest = max(later, key=lambda one: one.at, default=None)
        return Held(latest.at, latest.because) if latest else None

    async def settle(
        self, connection: AsyncConnection, tenant_id: str, handover_ids: Sequence[str], at: datetime
    ) -> Sequence[Outgoing]:
        """Brings messages in line with their webhook deliveries, in the caller's transaction. The lock comes
        first, so that of two deliveries that fail at once the later one sees the other's end."""
        if not handover_ids:
            return []
        kept = await self._store.of_handovers(connection, tenant_id, handover_ids)
        states = await self._queue.states_of(connection, tenant_id, handover_ids)
        outcomes: dict[str, tuple[Outcome, str | None]] = {}
        for handover_id in handover_ids:
            made = states.get(handover_id, ())
            if "delivered" in made:
                outcomes[handover_id] = "sent", None
            elif made and "pending" not in made:
                outcomes[handover_id] = "failed", NOT_TAKEN
        return await self._end(connection, tenant_id, outcomes, kept, at)

    async def end(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        handover_id: str,
        outcome: Outcome,
        because: str | None,
        at: datetime,
    ) -> Sequence[Outgoing]:
        """As `settle`, for a channel that knows by itself what became of it."""
        kept = await self._store.of_handovers(connection, tenant_id, [handover_id])
        return await self._end(connection, tenant_id, {handover_id: (outcome, because)}, kept, at)

    async def tell(
        self, connection: AsyncConnection, tenant_id: str, changes: Sequence[Change], at: datetime
    ) -> Sequence[Outgoing]:
        """Tells the loops of every message that has ended, and counts."""
        standings: dict[str, list[Standing]] = {}
        for change in changes:
            labels = change.state, change.channel or "none", change.kept.draft.step
            self._metrics.messages.labels(*labels).inc()
            if change.state in ENDED:
                for loop_id in change.kept.draft.loop_ids:
                    standings.setdefault(loop_id, []).append(change.standing(at))
        return await self._listener.settle(connection, tenant_id, standings, at) if standings else []

    async def _end(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        outcomes: Mapping[str, tuple[Outcome, str | None]],
        kept: Sequence[Kept],
        at: datetime,
    ) -> Sequence[Outgoing]:
        found = await self._handed(connection, tenant_id, list(outcomes), lock=True)
        changes: list[Change] = []
        forgotten: list[str] = []
        for handed in found:
            outcome, because = outcomes[handed.id]
            if handed.state in {outcome, "sent"}:
                continue
            mine = [one for one in kept if one.handover_id == handed.id]
            ended = [change for one in mine if (change := _ended(one, outcome, because, at))]
            if outcome == "failed":
                forgotten.append(handed.touch_id)
            changes.extend(ended)
            await self._note(connection, tenant_id, handed.id, outcome, because, at)
        await self._store.keep(connection, tenant_id, changes, at)
        if forgotten:
            await self._contacts.forget(connection, tenant_id, forgotten)
        return await self.tell(connection, tenant_id, changes, at)

    async def _note(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        handover_id: str,
        outcome: Outcome,
        because: str | None,
        at: datetime,
    ) -> None:
        await connection.execute(
            update(handovers)
            .where(handovers.c.tenant_id == tenant_id, handovers.c.id == handover_id)
            .values(state=outcome, because=because, done_at=at)
        )

    async def _handed(
        self, connection: AsyncConnection, tenant_id: str, handover_ids: Sequence[str], *, lock: bool = False
    ) -> Sequence[Handed]:
        columns = (getattr(handovers.c, name) for name in Handed.__dataclass_fields__)
        query = select(*columns).where(
            handovers.c.tenant_id == tenant_id, handovers.c.id == any_of(handover_ids)
        )
        query = query.order_by(handovers.c.id)
        rows = await connection.execute(query.with_for_update() if lock else query)
        return [Handed(*row) for row in rows]


def _ended(one: Kept, outcome: Outcome, because: str | None, at: datetime) -> Change | None:
    """A failed channel gives the message back, and it is decided about anew: by another channel, if there is
    one. What was given up and arrives after all is sent, unless another channel has it by now."""
    if outcome == "sent":
        if one.state not in {"handed", "failed", "waiting"}:
            return None
        return Change(one, "sent", "sent", f"By {one.channel}.", None, one.channel, one.handover_id)
    if one.state != "handed":
        return None
    if one.if_returned == "cancelled":
        return Change(
            one, "cancelled", "taken_back", f"It was taken back before {one.channel} could deliver it."
        )
    reason = f"Not by {one.channel}: {because}"
    if one.if_returned == "paused":
        return Change(
            one, "paused", "campaign_paused", f"{reason} {PAUSED}", None, None, one.handover_id, one.channel
        )
    return Change(one, "waiting", "channel_failed", reason, at, None, one.handover_id, tried=one.channel)
