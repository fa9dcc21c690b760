"""May we ask this customer? Checked, reserved and followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from heardback_ingest.app.idempotency import Answer, Idempotent
from heardback_ingest.app.surveys import ask as asking
from heardback_ingest.app.surveys.ask import Ask, Wanted
from heardback_ingest.app.surveys.explain import Explain
from heardback_ingest.app.surveys.follow import Follow, Followed, Report
from heardback_ingest.app.surveys.stops import Halt
from heardback_ingest.domain.surveys.invitation import Step
from heardback_ingest.http import openapi
from heardback_ingest.http.requests import JSON_TYPES, answer, media_type, once, respond
from heardback_ingest.http.survey_shapes import MOST, AskIn, ReportIn, ReserveIn, Row, read_many
from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

STEPS: Mapping[str, tuple[Step, str]] = {
    "confirm": ("sent", "It was sent: the reserved place is taken"),
    "release": ("released", "It will not be sent: the place is free again"),
    "seen": ("seen", "The customer saw it"),
    "answered": ("answered", "The customer answered it (known by itself where the answer is posted here)"),
}


@dataclass(frozen=True)
class Surveys:
    """The use cases behind these routes."""

    ask: Ask
    follow: Follow
    explain: Explain
    halt: Halt


def routes(guard: Guard, surveys: Surveys, idempotent: Idempotent) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["surveys"])
    asker = Annotated[Principal, Depends(guard.needs("surveys:write"))]

    @api.post(
        "/survey-invitations:check",
        summary=f"May this customer be asked now? One request, or up to {MOST} in an array",
        openapi_extra=openapi.one_or_many(AskIn),
    )
    async def check(request: Request, principal: asker) -> Response:
        rows, many = await _rows(request, AskIn)
        wanted = [row.request() for row in rows]
        answers = await surveys.ask.check(principal.tenant_id, wanted, principal.name)
        return respond(_shaped([one.body for one in answers], many))

    @api.post(
        "/survey-invitations:reserve",
        summary="May they be asked? If so, a place is kept until `expires_at`",
        openapi_extra=openapi.one_or_many(ReserveIn),
    )
    async def reserve(request: Request, principal: asker) -> Response:
        rows, many = await _rows(request, ReserveIn)
        header = request.headers.get("idempotency-key")

        async def action() -> Answer:
            wanted = [
                Wanted(row.request(), _key(row, principal, header, index)) for index, row in enumerate(rows)
            ]
            answers = await surveys.ask.reserve(principal.tenant_id, wanted, principal.name)
            return _shaped([_granted(one, index, many) for index, one in enumerate(answers)], many)

        return await once(idempotent, request, principal, await request.body(), action)

    def follow(path: str, step: Step, summary: str) -> None:
        @api.post(
            f"/survey-invitations:{path}",
            summary=summary,
            name=path,
            openapi_extra=openapi.one_or_many(ReportIn),
        )
        async def told(request: Request, principal: asker) -> Response:
            rows, many = await _rows(request, ReportIn)

            async def action() -> Answer:
                reports = [Report(row.reservation, row.at) for row in rows]
                done = await surveys.follow(principal.tenant_id, step, reports)
                return _shaped([_followed(one, many) for one in done], many)

            return await once(idempotent, request, principal, await request.body(), action)

    for path, (step, summary) in STEPS.items():
        follow(path, step, summary)

    return api


async def _rows(request: Request, model: type[Row]) -> tuple[list[Row], bool]:
    media_type(request, *JSON_TYPES)
    return read_many(model, await request.body())


def _key(row: ReserveIn, principal: Principal, header: str | None, index: int) -> str | None:
    """A key of the request's own is the whole tenant's. One made of the header belongs to the API key, so
    that a repeat after a crash finds what the first one kept."""
    if row.reservation_key is not None:
        return f"own/{row.reservation_key}"
    return None if header is None else f"header/{principal.key_id}/{header}/{index}"


def _shaped(bodies: Sequence[Mapping[str, Any]], many: bool) -> Answer:
    return answer(200, list(bodies) if many else bodies[0])


def _granted(one: asking.Answer, index: int, many: bool) -> Mapping[str, Any]:
    if one.refused:
        pointer = f"/{index}/reservation_key" if many else "/reservation_key"
        said = "is the key of a reservation of something else; send a new one"
        raise invalid(((pointer, said),), "The reservation_key was used for another request; see errors.")
    return one.body


def _followed(one: Followed, many: bool) -> Mapping[str, Any]:
    """Alone, what cannot be done is a problem; among many, it is said in its row."""
    if many:
        return one.body()
    if one.outcome == "unknown":
        raise not_found("This reservation")
    if one.outcome == "ahead":
        raise invalid((("/at", "must not lie in the future"),))
    if one.outcome == "refused":
        raise ProblemError(
            409,
            "already-sent",
            "What was sent cannot be released",
            f"It is {one.state}; what reached the customer counts.",
            (("/reservation", "is sent already"),),
        )
    return one.body()
