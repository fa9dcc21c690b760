"""What an attempt means for its delivery and its endpoint, written in one transaction."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.alarms import Alarms
from heardback_router.deliveries.breaker import (
    BreakerPolicy,
    Health,
    Judged,
    Outcome,
    after_attempt,
    next_probe,
)
from heardback_router.deliveries.domain import Delivered, Disable, GiveUp, Retry
from heardback_router.deliveries.endpoint import LOOP_EVENTS, Endpoint, disabled, enabled
from heardback_router.deliveries.ports import Attempt, DeliveryQueue, Endpoints


class Recorder:
    def __init__(
        self, endpoints: Endpoints, queue: DeliveryQueue, alarms: Alarms, policy: BreakerPolicy
    ) -> None:
        self._endpoints = endpoints
        self._queue = queue
        self._alarms = alarms
        self._policy = policy
        self._actor = f"router by {policy.version}"

    async def record(self, connection: AsyncConnection, attempt: Attempt) -> tuple[str, ...]:
        """Stores the attempt and what follows from it; returns the messages to customers it may end.

        Locks are always taken in the order endpoint, delivery, message, so that two records never deadlock.
        """
        claimed = attempt.claimed
        given_up = await self._judge_endpoint(connection, attempt)
        counted = await self._queue.record(connection, attempt)
        about: tuple[str, ...] = (claimed.message_id,) if claimed.message_id else ()
        if given_up is not None:
            about += await self._queue.fail_pending(
                connection, claimed.tenant_id, claimed.endpoint_id, given_up, attempt.at
            )
        response = attempt.response
        exhausted = isinstance(attempt.decision, GiveUp) and not (response.abort or response.ours)
        if counted and exhausted and claimed.event_type in LOOP_EVENTS:
            await self._alarms.exhausted(connection, attempt)
        return about

    async def _judge_endpoint(self, connection: AsyncConnection, attempt: Attempt) -> str | None:
        """Why the endpoint was given up, if it was."""
        claimed, outcome = attempt.claimed, outcome_of(attempt)
        if outcome is None:
            return None
        seen = await self._endpoints.find(connection, claimed.tenant_id, claimed.endpoint_id)
        # Most attempts succeed at an endpoint that is well: those write nothing here and wait for nobody.
        if seen is None or (outcome == "ok" and seen.enabled and seen.health == Health()):
            return None
        endpoint = await self._endpoints.find(connection, claimed.tenant_id, claimed.endpoint_id, lock=True)
        if endpoint is None or endpoint.url != claimed.url:
            return None
        if endpoint.enabled:
            return await self._judge(connection, endpoint, outcome, attempt)
        await self._late(connection, claimed.tenant_id, endpoint, outcome, attempt.at)
        return None

    async def _judge(
        self, connection: AsyncConnection, endpoint: Endpoint, outcome: Outcome, attempt: Attempt
    ) -> str | None:
        claimed = attempt.claimed
        if isinstance(attempt.decision, Disable):
            gone = disabled(endpoint, "gone", attempt.decision.because, attempt.at)
            return await self._give_up(connection, claimed.tenant_id, gone, attempt.at)
        judged = after_attempt(self._policy, endpoint.health, outcome, attempt.at)
        if judged.event == "disabled":
            probe_at = next_probe(self._policy, 0, attempt.at)
            failed = disabled(endpoint, "failures", judged.because or "", attempt.at, probe_at)
            return await self._give_up(connection, claimed.tenant_id, failed, attempt.at)
        await self._keep(connection, endpoint, judged, attempt)
        return None

    async def _keep(
        self, connection: AsyncConnection, endpoint: Endpoint, judged: Judged, attempt: Attempt
    ) -> None:
        tenant_id, decision = attempt.claimed.tenant_id, attempt.decision
        until = endpoint.throttled_until
        if isinstance(decision, Retry) and decision.throttle_until:
            until = max(until, decision.throttle_until) if until else decision.throttle_until
        await self._endpoints.save(
            connection, tenant_id, replace(endpoint, health=judged.health, throttled_until=until)
        )
        if judged.event is not None:
            await self._alarms.circuit(connection, tenant_id, endpoint.id, judged, attempt.at, self._actor)

    async def _give_up(
        self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, at: datetime
    ) -> str | None:
        await self._endpoints.save(connection, tenant_id, endpoint)
        await self._alarms.disabled(connection, tenant_id, endpoint, at, self._actor)
        return endpoint.disabled_because

    async def _late(
        self, connection: AsyncConnection, tenant_id: str, endpoint: Endpoint, outcome: Outcome, at: datetime
    ) -> None:
        """Something that flew when the endpoint was disabled: a success shows that it is back."""
        if outcome == "ok" and endpoint.disabled_by == "failures":
            back = enabled(endpoint, at)
            await self._endpoints.save(connection, tenant_id, back)
            await self._alarms.recovered(connection, tenant_id, back, at)


def outcome_of(attempt: Attempt) -> Outcome | None:
    """What the attempt says about the receiver; None where the fault is ours."""
    if attempt.response.ours:
        return None
    if isinstance(attempt.decision, Delivered) or attempt.response.abort:
        return "ok"  # who asks us to stop is there and in order
    return "busy" if attempt.response.status == 429 else "failed"
