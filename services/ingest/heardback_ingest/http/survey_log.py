"""Why a customer was or was not asked, and by which rules."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from heardback_ingest.app.surveys.explain import Explain
from heardback_ingest.http import survey_views
from heardback_ingest.http.survey_shapes import read_cursor
from heardback_shared.access.keys import Principal
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import not_found


def routes(guard: Guard, explain: Explain) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["surveys"])
    reader = Annotated[Principal, Depends(guard.needs("surveys:write", "customers:read"))]

    @api.get("/survey-invitations", summary="Why was this customer (not) asked? Newest first")
    async def page(
        principal: reader,
        customer: Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$")],
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        after = read_cursor(cursor) if cursor else None
        found = await explain.page(principal.tenant_id, customer, after, limit + 1)
        return survey_views.page(found, limit)

    @api.get("/survey-decisions/{decision_id}", summary="One decision, and the same made again now")
    async def decision(decision_id: str, principal: reader) -> dict[str, Any]:
        found = None if "\x00" in decision_id else await explain.decision(principal.tenant_id, decision_id)
        if found is None:
            raise not_found("This decision")
        return survey_views.explained(found)

    @api.get("/survey-rules", summary="The rules that decide now, in words, and what is strange about them")
    async def rules(principal: reader) -> dict[str, Any]:
        return survey_views.rules(*await explain.rules(principal.tenant_id))

    return api
