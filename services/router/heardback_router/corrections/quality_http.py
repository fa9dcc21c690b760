"""Showing how often people disagree with the machine."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heardback_router.corrections.quality import CauseQuality, TellQuality
from heardback_shared.access.keys import Principal
from heardback_shared.http.auth import Guard


def quality_routes(tell: TellQuality, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["quality"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get("/v1/quality/root-causes", summary="How often people disagree with the root causes")
    async def root_causes(who: readers, days: Annotated[int, Query(ge=1, le=3650)] = 30) -> CauseQuality:
        """Counts with 95 % Wilson intervals, of feedback accepted in these days, by category and version.

        People correct what they see and what looks wrong to them, so no figure here is that of a random
        sample: the share that is right lies between the two that are given.
        """
        return await tell(who.tenant_id, days)

    return router
