"""How the policies that route are shown."""

from typing import Any

from heardback_router.routing.domain import RoutingPolicy


def shown_routing(policy: RoutingPolicy) -> dict[str, Any]:
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
            }
            for rule in policy.rules
        ],
    }
