"""What stops surveys: a crisis for everybody until a date, a word of an agent for one conversation."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from heardback_ingest.app.surveys.stops import BadEndError, Halt
from heardback_ingest.http import openapi, survey_views
from heardback_ingest.http.requests import JSON_TYPES, media_type
from heardback_ingest.http.survey_shapes import CrisisIn, SkipIn, read_one
from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

ConversationId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


def routes(guard: Guard, halt: Halt) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["surveys"])
    asker = Annotated[Principal, Depends(guard.needs("surveys:write"))]
    reader = Annotated[Principal, Depends(guard.needs("surveys:write", "customers:read"))]
    admin = Annotated[Principal, Depends(guard.needs("admin"))]

    @api.get("/survey-crisis", summary="Crises, newest first")
    async def crises(principal: reader) -> dict[str, Any]:
        return {"crises": [survey_views.crisis(one) for one in await halt.crises(principal.tenant_id)]}

    @api.put(
        "/survey-crisis",
        summary="Ask nobody until a date: something is happening",
        openapi_extra=openapi.body(CrisisIn),
    )
    async def call(request: Request, principal: admin) -> dict[str, Any]:
        media_type(request, *JSON_TYPES)
        told = read_one(CrisisIn, await request.body())
        try:
            crisis = await halt.call(principal.tenant_id, told.because, told.ends_at, principal.name)
        except BadEndError as error:
            raise invalid((("/ends_at", "must lie ahead, within a year"),)) from error
        return survey_views.crisis(crisis)

    @api.delete("/survey-crisis", status_code=204, summary="It is over before its time")
    async def lift(principal: admin) -> Response:
        if not await halt.lift(principal.tenant_id, principal.name):
            raise ProblemError(404, "not-found", "Not found", "There is no crisis to be lifted.")
        return Response(status_code=204)

    @api.put(
        "/survey-skips/{conversation_id:path}",
        status_code=204,
        summary="Ask nothing about this conversation",
        openapi_extra=openapi.body(SkipIn),
    )
    async def skip(request: Request, conversation_id: ConversationId, principal: asker) -> Response:
        media_type(request, *JSON_TYPES)
        told = read_one(SkipIn, await request.body())
        await halt.skip(principal.tenant_id, conversation_id, told.because, principal.name)
        return Response(status_code=204)

    @api.delete("/survey-skips/{conversation_id:path}", status_code=204, summary="Ask about it after all")
    async def unskip(conversation_id: ConversationId, principal: asker) -> Response:
        if not await halt.unskip(principal.tenant_id, conversation_id):
            raise not_found("This conversation, left out of surveys,")
        return Response(status_code=204)

    return api
