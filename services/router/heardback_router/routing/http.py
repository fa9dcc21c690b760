"""How the policies that route are shown."""

from typing import Any

from heardback_router.routing.domain import RoutingPolicy
from heardback_router.routing.gates import Gates


def shown_routing(policy: RoutingPolicy) -> dict[str, Any]:
    dedicated = policy.dedicated
    return {
        "policy": policy.name,
        "teams": [{"id": team.id, "title": team.title} for team in policy.teams],
        "catch_all": policy.catch_all,
        "rules": [
            {
                "name": rule.name,
                "when": rule.condition.text,
                "team": rule.team,
                "because": rule.because,
                "note": rule.note,
                "process": rule.process,
                "owner": "dedicated" if rule.owner else None,
                "gates": rule.gated,
            }
            for rule in policy.rules
        ],
        "gates": shown_gates(policy.gates),
        "dedicated": {"tiers": sorted(dedicated.tiers), "teams": sorted(dedicated.teams)}
        if dedicated
        else None,
    }


def shown_gates(gates: Gates) -> dict[str, Any]:
    confidence, stakes = gates.confidence, gates.stakes
    return {
        "confidence": {
            "team": confidence.team,
            "because": confidence.because,
            "least": {**confidence.least, "otherwise": confidence.otherwise},
        }
        if confidence
        else None,
        "stakes": {
            "team": stakes.team,
            "because": stakes.because,
            "severity_at_least": stakes.severity_at_least,
            "tiers": sorted(stakes.tiers),
            "cues": list(stakes.cues),
            "confidence_below": stakes.confidence_below,
            "mismatch": stakes.mismatch,
        }
        if stakes
        else None,
    }
