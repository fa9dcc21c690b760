"""Trying routing without doing anything: what would become of one event, and what is wrong with a policy."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.assignment.app import Assignment
from heardback_router.assignment.domain import UNKNOWN, Waiting
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.routing.children import Part, parts_of
from heardback_router.routing.domain import Decision, RoutingPolicy, decide
from heardback_router.routing.inputs import inputs_of
from heardback_router.routing.lint import Finding, lint
from heardback_router.routing.misrouting import misrouting
from heardback_router.routing.policy import read_routing
from heardback_router.routing.store import PostgresFeedback
from heardback_router.sla.clocks import expected
from heardback_router.sla.pin import facts_in, facts_of
from heardback_shared.clock import Clock
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.db.database import Database
from heardback_shared.db.planning import look_up_by_key

MOST_OUTCOMES = 5_000
ASSUMED_MINUTES = (5.0, 7.0)
"""To read first, and to be wrong, where the policy has no confidence gate that says."""

RECORDED = 200
"""Of how many items the decision is tried on a policy that is looked over."""


class UnknownFeedbackError(Exception):
    """There is no such feedback in this tenant, or it has not been routed yet."""


class RoutingTries:
    """Answers only; nothing is written."""

    def __init__(
        self,
        database: Database,
        feedback: PostgresFeedback,
        assignment: Assignment,
        policies: PolicySource,
        clock: Clock,
    ) -> None:
        self._database = database
        self._feedback = feedback
        self._assignment = assignment
        self._policies = policies
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    async def dry_run(
        self,
        tenant_id: str,
        event: FeedbackScored | str,
        candidate: str | None,
        at: datetime | None,
    ) -> dict[str, Any]:
        """What would become of this event, or of a stored feedback, under the policy in force or `candidate`.

        Raises UnknownFeedbackError and PolicyError.
        """
        async with self._database.tenant(tenant_id) as connection:
            policies = await self._policies.of(connection, tenant_id)
            routing = read_routing(candidate) if candidate is not None else policies.routing
            scored = await self._scored(connection, tenant_id, event)
            now = at or self._clock.now()
            inputs = inputs_of(scored, now)
            decision = decide(inputs, routing)
            assignee = await self._assignee(connection, tenant_id, scored, decision, policies, now)
        return {
            **_decided(decision, routing),
            "assignee": assignee,
            "children": [_part(part) for part in parts_of(inputs, decision, routing)],
            "clocks": _clocks(scored, decision, policies, now),
            "at": now,
        }

    async def lint(self, tenant_id: str, text: str) -> tuple[str, list[Finding]]:
        """(name@version, what is wrong with it). Raises PolicyError for one that cannot be used at all."""
        routing = read_routing(text)
        async with self._database.tenant(tenant_id) as connection:
            await look_up_by_key(connection)
            recorded = await self._feedback.recorded_inputs(connection, tenant_id, RECORDED)
        usable = [inputs for inputs in recorded if {"event", "score", "customer", "at"} <= inputs.keys()]
        return routing.name, await asyncio.to_thread(lint, routing, usable)

    async def misrouting(self, tenant_id: str, since: datetime) -> dict[str, Any]:
        """What wrong guesses have cost since then, by the minutes of the policy in force."""
        async with self._database.tenant(tenant_id) as connection:
            await look_up_by_key(connection)
            gate = (await self._policies.of(connection, tenant_id)).routing.gates.confidence
            outcomes = await self._feedback.outcomes(connection, tenant_id, since, MOST_OUTCOMES)
        triage, misroute = (gate.triage_minutes, gate.misroute_minutes) if gate else ASSUMED_MINUTES
        return {
            **misrouting(outcomes, triage, misroute),
            "triage_minutes": triage,
            "misroute_minutes": misroute,
        }

    async def _scored(
        self, connection: AsyncConnection, tenant_id: str, event: FeedbackScored | str
    ) -> FeedbackScored:
        if isinstance(event, FeedbackScored):
            return event
        stored = await self._feedback.scored(connection, tenant_id, event)
        if stored is None:
            raise UnknownFeedbackError(event)
        return stored

    async def _assignee(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        scored: FeedbackScored,
        decision: Decision,
        policies: Policies,
        at: datetime,
    ) -> dict[str, Any] | None:
        """Who would get it if nothing else waited; None where it would stay in its team's queue."""
        customer, causes = scored.accepted.customer, scored.score.root_causes
        topics = {causes[0].domain, causes[0].path} if causes else set()
        waiting = Waiting(
            scored.accepted.feedback_id,
            scored.score.severity.band,
            scored.accepted.accepted_at,
            (customer.tier if customer else None) or UNKNOWN,
            decision.owner,
            frozenset(topics),
        )
        answer = await self._assignment.would_get(
            connection, tenant_id, decision.team, waiting, policies.capacity, at
        )
        if not answer.given:
            return None
        return {"person": answer.given[0].person, "because": answer.given[0].because}


def _decided(decision: Decision, routing: RoutingPolicy) -> dict[str, Any]:
    record = decision.record
    winner = record["winner"]["rule"]
    errors: Mapping[str, list[str]] = record["losers"]["error"]
    outcomes = {
        **dict.fromkeys(record["losers"]["false"], ("false", "its condition is false")),
        **{name: ("error", because) for because, names in errors.items() for name in names},
        **dict.fromkeys(
            record["losers"]["not_reached"], ("not reached", f"not reached: {winner} won before it")
        ),
    }
    return {
        "policy": routing.name,
        "team": decision.team,
        "title": routing.titles[decision.team],
        "rule": decision.rule,
        "because": decision.because,
        "reason": record["reason"],
        "winner": record["winner"],
        "added": record["added"],
        "losers": [
            {
                "rule": rule.name,
                "team": rule.team,
                "condition": rule.condition.text,
                "outcome": outcomes[rule.name][0],
                "because": outcomes[rule.name][1],
            }
            for rule in routing.rules
            if rule.name in outcomes
        ],
        "default": record["default"],
        "gates": record["gates"],
        "owner": decision.owner,
        "processes": list(decision.processes),
        "inputs": record["inputs"],
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "domain": part.domain,
        "category": part.category,
        "team": part.decision.team,
        "rule": part.decision.rule,
        "because": part.because,
    }


def _clocks(
    scored: FeedbackScored, decision: Decision, policies: Policies, at: datetime
) -> Sequence[dict[str, Any]]:
    facts = facts_in(facts_of(scored))
    if facts is None:
        return ()
    due = expected(policies.sla, at, scored.score.severity.band, facts, decision.team)
    return [
        {
            "kind": kind,
            "due_at": one.due_at,
            "target_minutes": int(one.target.total_seconds() // 60),
            "rule": one.rule,
            "because": one.because,
        }
        for kind, one in due.items()
    ]
