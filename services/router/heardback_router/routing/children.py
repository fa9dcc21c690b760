"""A feedback with causes in several domains: one accountable item, a child for each other domain. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from heardback_router.backlog.domain import Item, Weight
from heardback_router.routing.domain import Decision, RoutingPolicy, decide


@dataclass(frozen=True, slots=True)
class Part:
    """One domain's share of the work, and the decision whose it is."""

    domain: str
    category: str
    confidence: float
    decision: Decision

    @property
    def because(self) -> str:
        return (
            f"{self.domain}/{self.category} is a cause of it too, with confidence {self.confidence:.2f}. "
            f"{self.decision.because}"
        )


def parts_of(inputs: Mapping[str, Any], decision: Decision, policy: RoutingPolicy) -> tuple[Part, ...]:
    """The further domains of a feedback that a policy trusts, each with its team by that domain's rules.

    None while a gate holds the decision back, or the catch-all team has it: whoever reads it first says what
    it is about. No part for a domain whose team has the item already.
    """
    if decision.by == "gate" or decision.team == policy.catch_all:
        return ()
    parts, teams, domains = [], {decision.team}, {inputs["score"]["domain"]}
    for cause in _further(inputs):
        domain, confidence = cause["domain"], cause["confidence"]
        gate = policy.gates.confidence
        if domain in domains or (gate is not None and not gate.trusts(domain, confidence)):
            continue
        domains.add(domain)
        part = Part(domain, cause["category"], confidence, decide(_as_if(inputs, cause), policy.by_cause))
        if part.decision.team not in teams:
            teams.add(part.decision.team)
            parts.append(part)
    return tuple(parts)


def entries_of(
    part: Part, parent: Item, child_id: str, feedback_id: str, weight: Weight, at: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what `opened` of the child says, what `child_opened` of the parent says).

    The child has no feedback and no customer: whoever is behind the parent hears from the parent.
    """
    opened = {
        "feedback_id": feedback_id,
        "parent_id": parent.id,
        "customer_id": None,
        "opened_at": at.isoformat(),
        "severity": weight.score,
        "band": weight.band,
        "entity": parent.entity,
        "title": parent.title,
        "team": part.decision.team,
        "domain": part.domain,
        "category": part.category,
        "key": None,
        "tier": parent.tier,
        "rule": part.decision.rule,
        "decision": part.decision.record,
    }
    noted = {
        "feedback_id": feedback_id,
        "child_id": child_id,
        "domain": part.domain,
        "category": part.category,
        "team": part.decision.team,
    }
    return opened, noted


def _further(inputs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its causes after the first; those that only came near are none."""
    causes = set(inputs["score"]["root_causes"][1:])
    return [c for c in inputs["runners_up"] if f"{c['domain']}/{c['category']}" in causes]


def _as_if(inputs: Mapping[str, Any], cause: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, were this the only cause."""
    score = {
        **inputs["score"],
        "domain": cause["domain"],
        "category": cause["category"],
        "confidence": cause["confidence"],
        "root_causes": [f"{cause['domain']}/{cause['category']}"],
    }
    return {**inputs, "score": score, "runners_up": []}
