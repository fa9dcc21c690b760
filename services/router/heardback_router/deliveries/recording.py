"""What an attempt means for its delivery and its endpoint, written in one transaction."""

from collections.abc import Sequence
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

    async def record(
        self, connection: AsyncConnection, tenant_id: str, attempts: Sequence[Attempt]
    ) -> tuple[str, ...]:
        """Stores the attempts and what follows from them; returns the messages to customers they may end.

        Locks are always taken in the order endpoints, deliveries, messages, and each of these by id, so that
        two records never deadlock.
        """
        ordered = sorted(attempts, key=lambda one: (one.claimed.endpoint_id, one.at, one.claimed.id))
        given_up = await self._judge_endpoints(connection, tenant_id, ordered)
        counted = await self._queue.record(connection, tenant_id, ordered)
        about = [one.claimed.message_id for one in ordered if one.claimed.message_id]
        for attempt, because in given_up:
            about += await self._queue.fail_pending(
                connection, tenant_id, attempt.claimed.endpoint_id, because, attempt.at
            )
        for attempt in ordered:
            response, claimed = attempt.response, attempt.claimed
            exhausted = isinstance(attempt.decision, GiveUp) and not (response.abort or response.ours)
            if claimed.id in counted and exhausted and claimed.event_type in LOOP_EVENTS:
                await self._alarms.exhausted(connection, attempt)
        return tuple(about)

    async def _judge_endpoints(
        self, connection: AsyncConnection, tenant_id: str, attempts: Sequence[Attempt]
    ) -> list[tuple[Attempt, str]]:
        """The attempts by which an endpoint was given up, and why."""
        telling = [(one, outcome) for one in attempts if (outcome := outcome_of(one)) is not None]
        ids = sorted({one.claimed.endpoint_id for one, _ in telling})
        seen = {one.id: one for one in await self._endpoints.some(connection, tenant_id, ids)}
        # Most attempts succeed at an endpoint that is well: those write nothing here and wait for nobody.
        well = {one.id for one in seen.values() if one.enabled and one.health == Health()}
        given_up = []
        for attempt, outcome in telling:
            endpoint_id = attempt.claimed.endpoint_id
            if endpoint_id not in seen or (outcome == "ok" and endpoint_id in well):
                continue
            well.discard(endpoint_id)
            because = await self._judge_endpoint(connection, attempt, outcome)
            if because is not None:
                given_up.append((attempt, because))
        return given_up

    async def _judge_endpoint(
        self, connection: AsyncConnection, attempt: Attempt, outcome: Outcome
    ) -> str | None:
        """Why the endpoint was given up, if it was."""
        claimed = attempt.claimed
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
