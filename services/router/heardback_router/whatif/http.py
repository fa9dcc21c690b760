"""The routes of what-ifs: ask, follow, look at what changes, cancel, resume."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from orjson import Fragment
from pydantic import AwareDatetime, Field, field_validator, model_validator
from sqlalchemy import RowMapping

from heardback_router.backlog.deeds import Actor
from heardback_router.configuration.http import answered, caller_of
from heardback_router.configuration.schemas import Number
from heardback_router.whatif.app import Asked, WhatIfs
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.http.auth import Guard

MOST_DAYS = 366
MOST_FEEDBACK = 1_000_000


class WhatIfIn(Submission):
    """A candidate: either the text of a policy or the number of a version."""

    kind: str
    text: Annotated[str | None, Field(min_length=1)] = None
    version: Number | None = None
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 30
    until: AwareDatetime | None = None
    """The end of the time looked at; now if not given."""
    limit: Annotated[int | None, Field(ge=1, le=MOST_FEEDBACK)] = None
    """At most so many of the newest feedbacks. Kinds that are seen item by item look at every item."""

    @field_validator("text")
    @classmethod
    def _can_be_kept(cls, text: str | None) -> str | None:
        if text and "\x00" in text:
            raise ValueError("must not hold the character U+0000")
        return text

    @field_validator("until")
    @classmethod
    def _in_this_age(cls, until: datetime | None) -> datetime | None:
        if until is not None and not 2000 <= until.year <= 9000:
            raise ValueError("must be a time of this age")
        return until

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.version is None):
            raise ValueError("give either text or version")
        return self


def what_if_routes(what_ifs: WhatIfs, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["policies"])
    _add_asking(router, what_ifs, guard)
    _add_looking(router, what_ifs, guard)
    return router


def _add_asking(router: APIRouter, what_ifs: WhatIfs, guard: Guard) -> None:
    writers = Annotated[Principal, Depends(guard.needs("policies:write", "policies:approve"))]

    @router.post("/v1/what-if", status_code=202, summary="What would this policy have changed?")
    async def ask(request: Request, body: WhatIfIn, who: writers, actor: Actor = None) -> Response:
        """Runs over stored feedback in the background; nothing of it takes effect."""
        asked = Asked(body.kind, body.text, body.version, body.days, body.until, body.limit)
        run = await what_ifs.start(caller_of(request, who, actor), asked)
        return answered(_shown(run), 202, {"Location": f"/v1/what-if/{run['id']}"})

    @router.post("/v1/what-if/{run_id}:cancel", summary="Stop a run")
    async def cancel(run_id: str, who: writers) -> Response:
        return answered(_shown(await what_ifs.cancel(who.tenant_id, run_id)))

    @router.post("/v1/what-if/{run_id}:resume", status_code=202, summary="Let a failed run go on")
    async def resume(request: Request, run_id: str, who: writers, actor: Actor = None) -> Response:
        return answered(_shown(await what_ifs.resume(caller_of(request, who, actor), run_id)), 202)


def _add_looking(router: APIRouter, what_ifs: WhatIfs, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("policies:read"))]

    @router.get("/v1/what-if", summary="The runs, the newest first")
    async def listed(
        who: readers,
        kind: Annotated[str | None, Query(max_length=40, pattern=r"^[^\x00]+$")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        runs = await what_ifs.newest(who.tenant_id, kind, limit)
        return answered({"runs": [_shown(run) for run in runs]})

    @router.get("/v1/what-if/{run_id}", summary="How far a run is, and its report when it is done")
    async def one(run_id: str, who: readers) -> Response:
        return answered(_shown(await what_ifs.get(who.tenant_id, run_id)))

    @router.get("/v1/what-if/{run_id}/changes", summary="Every outcome that changes, in order")
    async def changes(
        run_id: str,
        who: readers,
        after: Annotated[int, Query(ge=0, le=MOST_FEEDBACK * 10)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Response:
        found = await what_ifs.page(who.tenant_id, run_id, after, limit)
        following = after + limit if len(found) == limit else None
        return answered({"changes": [Fragment(one) for one in found], "next_after": following})


def _shown(run: RowMapping) -> dict[str, Any]:
    return {
        "id": run["id"],
        "kind": run["kind"],
        "state": run["state"],
        "policy": run["policy"],
        "digest": run["digest"],
        "since": run["since"],
        "until": run["until"],
        "limit": run["limit"],
        "made_by": run["made_by"],
        "made_at": run["made_at"],
        "ended_at": run["ended_at"],
        "progress": {"done": run["progress"].get("done", 0), "total": run["total"]},
        "changed": run["changes"],
        "problem": run["problem"],
        "report": run["report"],
        "report_digest": run["report_digest"],
    }
