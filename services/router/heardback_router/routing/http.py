"""How the policies that route are shown."""

from typing import Any

from heardback_router.routing.domain import RoutingPolicy
<<<<<<< HEAD
from heardback_router.routing.gates import Gates
from heardback_shared.access.keys import Principal
from heardback_shared.http.auth import Guard


def policy_routes(routing: RoutingPolicy, grouping: GroupingPolicy, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["policies"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get("/v1/policies/routing", summary="The rules that decide whose a feedback is, in order")
    async def routing_policy(who: readers) -> dict[str, Any]:
        return {
            "policy": routing.name,
            "teams": [{"id": team.id, "title": team.title} for team in routing.teams],
            "catch_all": routing.catch_all,
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
                for rule in routing.rules
            ],
            "gates": shown_gates(routing.gates),
            "dedicated": {
                "tiers": sorted(routing.dedicated.tiers),
                "teams": sorted(routing.dedicated.teams),
            }
            if routing.dedicated
            else None,
        }

    @router.get("/v1/policies/grouping", summary="When a feedback joins an item that is there")
    async def grouping_policy(who: readers) -> dict[str, Any]:
        return {
            "policy": grouping.name,
            "window_days": grouping.window.days,
            "entities": list(grouping.entities),
        }

    return router


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
=======


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
>>>>>>> configuration
    }
