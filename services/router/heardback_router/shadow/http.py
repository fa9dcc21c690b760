"""Showing how a candidate model disagrees with the one in force."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from heardback_router.shadow.app import TellDisagreement
from heardback_router.shadow.domain import Report
from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard

Sha256 = Annotated[
    str | None, Query(pattern=r"^[0-9a-f]{64}$", description="Of the model; the latest if not given.")
]


def shadow_routes(tell: TellDisagreement, keep_days: int, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["models"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get("/v1/models/shadow", summary="How a candidate disagrees with the model in force")
    async def shadow(
        who: readers,
        days: Annotated[int, Query(ge=1, le=keep_days)] = min(30, keep_days),
        active: Sha256 = None,
        candidate: Sha256 = None,
    ) -> Report:
        """Counts with 95 % intervals, by source and language, and the feedback on which they differ most."""
        report = await tell(who.tenant_id, days, active, candidate)
        if report is None:
            raise ProblemError(
                404,
                "not-found",
                "No candidate has read anything",
                f"In the last {days} days no candidate read feedback of this tenant. "
                "`heardback models shadow MODEL` lets one read along.",
            )
        return report

    return router
