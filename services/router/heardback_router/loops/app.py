"""Loops: opened when an item is resolved, told by webhook, answered by the customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Resolution
from heardback_router.deliveries.endpoint import takes
from heardback_router.deliveries.ports import DeliveryQueue, Endpoints, Message
from heardback_router.loops.domain import (
    NOBODY_REACHED,
    Already,
    Answer,
    LoopEvent,
    LoopPlan,
    Refuse,
    Take,
    judge_answer,
    may_follow,
    message_id,
    plan_loops,
    state_by_deliveries,
)
from heardback_router.loops.links import LinkClaim, sign_link
from heardback_router.loops.payload import Origin, links, loop_told
from heardback_router.loops.ports import FeedbackOrigins, Loop, LoopStore
from heardback_router.wording import CustomerText
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import LOOP_CHANGED, LoopChanged, LoopRef, LoopState
from heardback_shared.contracts.topics import BACKLOG
from heardback_shared.ids import derived_id
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing

SOURCE = "/heardback/router"
LOOP_TOLD = "loop.told"
MACHINE = "router"
CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    key: bytes
    public_url: str
    days: float


class Loops:
    def __init__(
        self,
        store: LoopStore,
        endpoints: Endpoints,
        queue: DeliveryQueue,
        origins: FeedbackOrigins,
        link_policy: LinkPolicy,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._queue = queue
        self._origins = origins
        self._links = link_policy
        self._metrics = metrics

    async def open_on_resolve(
        self, connection: AsyncConnection, tenant_id: str, resolution: Resolution, at: datetime
    ) -> Sequence[Outgoing]:
        """Inside the resolve transaction: one loop per linked customer, one delivery per loop and endpoint.

        Who cannot be told gets a loop too, in state not_told with the reason. A repeat of the same
        resolution changes nothing and returns nothing. The events belong into the caller's outbox.
        """
        receivers = [
            e.id
            for e in await self._endpoints.all(connection, tenant_id, lock=True)
            if takes(e, LOOP_TOLD, None)
        ]
        plans = plan_loops(tenant_id, resolution, has_endpoint=bool(receivers))
        # Tokens and bodies speak in whole seconds.
        expires_at = (at + timedelta(days=self._links.days)).replace(microsecond=0)
        loops = [_loop(plan, resolution, at, expires_at) for plan in plans]
        new = await self._store.add(connection, tenant_id, loops, resolution.actor)
        told = [plan for plan in plans if plan.loop_id in new and plan.state == "pending"]
        if told and resolution.tell_customer is not None:
            bodies = await self._bodies(
                connection, tenant_id, told, resolution.item_id, resolution.tell_customer, at, expires_at
            )
            messages = [
                Message(message_id(loop_id, endpoint_id), endpoint_id, LOOP_TOLD, body, loop_id)
                for loop_id, body in bodies.items()
                for endpoint_id in receivers
            ]
            await self._queue.add(connection, tenant_id, messages, at)
        return [self._announce(tenant_id, loop) for loop in loops if loop.id in new]

    async def settle(
        self, connection: AsyncConnection, tenant_id: str, loop_ids: Sequence[str], at: datetime
    ) -> Sequence[Outgoing]:
        """Brings loops in line with their deliveries. The lock comes first, so that of two deliveries that
        fail at once the later one sees the other's end."""
        if not loop_ids:
            return []
        outgoing = []
        loops = await self._store.lock(connection, tenant_id, loop_ids)
        states = await self._queue.states_of_loops(connection, tenant_id, loop_ids)
        for loop in loops:
            state = state_by_deliveries(states.get(loop.id, ()))
            if state != loop.state and may_follow(loop.state, state):
                reason = NOBODY_REACHED if state == "failed" else None
                outgoing.append(await self._move(connection, tenant_id, loop, state, at, MACHINE, reason))
        return outgoing

    async def take_answer(
        self, connection: AsyncConnection, tenant_id: str, loop_id: str, answer: Answer, at: datetime
    ) -> tuple[Take | Already | Refuse, Sequence[Outgoing]]:
        """Judges the answer with the loop locked, and moves the loop if it counts. The loop must exist."""
        (loop,) = await self._store.lock(connection, tenant_id, [loop_id])
        verdict = judge_answer(loop.state, answer)
        if not isinstance(verdict, Take):
            return verdict, []
        return verdict, [await self._move(connection, tenant_id, loop, answer, at, CUSTOMER, None)]

    async def find(self, connection: AsyncConnection, tenant_id: str, loop_id: str) -> Loop | None:
        return await self._store.find(connection, tenant_id, loop_id)

    async def of_feedback(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, LoopRef]:
        """The latest loop of each feedback that has one."""
        found = await self._store.latest_of_feedback(connection, tenant_id, feedback_ids)
        return {
            feedback_id: LoopRef(id=loop.id, state=loop.state, at=loop.since)
            for feedback_id, loop in found.items()
        }

    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> list[dict[str, Any]]:
        """Every loop of the item with its history, oldest resolution first; plain values for JSON."""
        found = await self._store.of_item(connection, tenant_id, item_id)
        return [_shown(loop, events) for loop, events in found]

    async def _bodies(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        plans: Sequence[LoopPlan],
        item_id: str,
        message: CustomerText,
        at: datetime,
        expires_at: datetime,
    ) -> dict[str, bytes]:
        feedback_ids = [feedback_id for plan in plans for feedback_id in plan.feedback_ids]
        origins = await self._origins.of(connection, tenant_id, feedback_ids)
        bodies = {}
        for plan in plans:
            token = sign_link(self._links.key, LinkClaim(tenant_id, plan.loop_id, expires_at))
            to = links(self._links.public_url, token, expires_at)
            named: list[Origin] = [origins[f] for f in plan.feedback_ids if f in origins]
            bodies[plan.loop_id] = loop_told(plan, item_id, message, named, to, at)
        return bodies

    async def _move(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        loop: Loop,
        state: LoopState,
        at: datetime,
        actor: str,
        reason: str | None,
    ) -> Outgoing:
        event = LoopEvent(loop.sequence + 1, state, at, actor, reason)
        await self._store.append(connection, tenant_id, loop.id, event)
        return self._announce(tenant_id, loop, event)

    def _announce(self, tenant_id: str, loop: Loop, event: LoopEvent | None = None) -> Outgoing:
        state, sequence = (event.state, event.sequence) if event else (loop.state, loop.sequence)
        at, reason = (event.at, event.reason) if event else (loop.since, loop.reason)
        self._metrics.loops.labels(state).inc()
        changed = LoopChanged(
            loop_id=loop.id,
            item_id=loop.item_id,
            customer_id=loop.customer_id,
            feedback_ids=loop.feedback_ids,
            state=state,
            reason=reason,
            at=at,
        )
        envelope = Envelope(
            id=derived_id("ev", loop.id, sequence),
            source=SOURCE,
            type=LOOP_CHANGED,
            data=to_bytes(changed),
            time=at,
            subject=loop.id,
            tenant_id=tenant_id,
            key=loop.item_id,
        )
        return Outgoing(BACKLOG.name, envelope)


def _loop(plan: LoopPlan, resolution: Resolution, at: datetime, expires_at: datetime) -> Loop:
    told = plan.state == "pending" and resolution.tell_customer is not None
    return Loop(
        id=plan.loop_id,
        item_id=resolution.item_id,
        resolution_number=resolution.resolution_number,
        customer_id=plan.customer_id,
        feedback_ids=plan.feedback_ids,
        message=resolution.tell_customer.text if told and resolution.tell_customer else None,
        state=plan.state,
        sequence=1,
        since=at,
        reason=plan.reason,
        opened_at=at,
        expires_at=expires_at,
    )


def _shown(loop: Loop, events: Sequence[LoopEvent]) -> dict[str, Any]:
    return {
        "id": loop.id,
        "resolution_number": loop.resolution_number,
        "customer_id": loop.customer_id,
        "feedback_ids": list(loop.feedback_ids),
        "state": loop.state,
        "reason": loop.reason,
        "message": loop.message,
        "opened_at": loop.opened_at,
        "since": loop.since,
        "expires_at": loop.expires_at,
        "history": [{"state": e.state, "at": e.at, "actor": e.actor, "reason": e.reason} for e in events],
    }
