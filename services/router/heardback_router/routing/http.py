"""Showing the policy that routes."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from heardback_router.grouping.domain import GroupingPolicy
from heardback_router.grouping.policy import shown
from heardback_router.routing.domain import RoutingPolicy
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
                }
                for rule in routing.rules
            ],
        }

    @router.get("/v1/policies/grouping", summary="When a feedback joins an item that is there")
    async def grouping_policy(who: readers) -> dict[str, Any]:
        return {
            "policy": grouping.name,
            **shown(grouping),
        }

    return router
