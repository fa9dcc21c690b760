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
from heardback_router.outreach.deciding import ERASED, AskVerdict, by_rules, still
from heardback_router.outreach.domain import ENDED, Standing
from heardback_router.outreach.ports import Listener
from heardback_router.outreach.store import Change, Kept, PostgresMessages, any_of
from heardback_router.outreach.tables import handovers
from heardback_shared.contact.domain import Later, Never, Recipient
from heardback_shared.contact.ports import Contacts
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing

Outcome = Literal["sent", "failed"]
PAUSED = "The campaign is paused."
NOT_TAKEN = "No endpoint took it; see its deliveries."
_TAKEN_BACK = Stopped("It was taken back, or goes out by another channel by now.")


@dataclass(frozen=True, slots=True)
class Handed:
    id: str
    touch_id: str
    customer_id: str
    channel: str
    state: str
    created_at: datetime


class Ending:
    """The dispatcher and the mail worker call `permits` before every attempt and `settle` after it."""

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

    async def permits(
        self, connection: AsyncConnection, tenant_id: str, handover_ids: Sequence[str], at: datetime
    ) -> Mapping[str, Held | Stopped]:
        """What is not named may go. Asked in a transaction of its own, with the customers' wishes as they are
        now."""
        found = await self._handed(connection, tenant_id, handover_ids)
        if not found:
            return {}
        there: dict[str, list[Kept]] = {}
        gone = {"refused", "cancelled"}
        for one in await self._store.at(connection, tenant_id, [handed.id for handed in found]):
            if one.state not in gone and one.if_returned != "cancelled" and one.handover_id:
                there.setdefault(one.handover_id, []).append(one)
        customers = sorted({handed.customer_id for handed in found if handed.id in there})
        recipients = (
            await self._contacts.recipients(connection, tenant_id, customers, at) if customers else {}
        )
        rules = (await self._policies.of(connection, tenant_id)).contact
        ask = by_rules(rules, await self._contacts.sending_stopped(connection, tenant_id))
        permits: dict[str, Held | Stopped] = {}
        for handed in found:
            kept = there.get(handed.id)
            said = _said(handed, kept, recipients[handed.customer_id], ask, at) if kept else _TAKEN_BACK
            if said is not None:
                permits[handed.id] = said
        return permits

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
        noted: list[str] = []
        for handed in found:
            outcome, because = outcomes[handed.id]
            if handed.state in {outcome, "sent"}:
                continue
            mine = [one for one in kept if one.handover_id == handed.id]
            ended = [change for one in mine if (change := _ended(one, outcome, because, at))]
            if outcome == "failed":
                forgotten.append(handed.touch_id)
            changes.extend(ended)
            noted.append(handed.id)
        await self._note(connection, tenant_id, {id_: outcomes[id_] for id_ in noted}, at)
        await self._store.keep(connection, tenant_id, changes, at)
        if forgotten:
            await self._contacts.forget(connection, tenant_id, forgotten)
        return await self.tell(connection, tenant_id, changes, at)

    async def _note(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        outcomes: Mapping[str, tuple[Outcome, str | None]],
        at: datetime,
    ) -> None:
        for said in sorted(set(outcomes.values()), key=str):
            ids = [handover_id for handover_id, outcome in outcomes.items() if outcome == said]
            state, because = said
            await connection.execute(
                update(handovers)
                .where(handovers.c.tenant_id == tenant_id, handovers.c.id == any_of(ids))
                .values(state=state, because=because, done_at=at)
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


def _said(
    handed: Handed, kept: Sequence[Kept], recipient: Recipient, ask: AskVerdict, at: datetime
) -> Held | Stopped | None:
    """None: what was handed over together may go."""
    if recipient.erased_at is not None and handed.created_at <= recipient.erased_at:
        return Stopped(ERASED)
    channel = kept[0].channel or "webhook"
    said = [still(one.draft, recipient, channel, ask, at) for one in kept]
    never = [one for one in said if isinstance(one, Never)]
    if len(never) == len(said):
        return Stopped(never[0].because)
    later = [one for one in said if isinstance(one, Later)]
    latest = max(later, key=lambda one: one.at, default=None)
    return Held(latest.at, latest.because) if latest else None


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
