"""The doors for surveys and transcripts, one at a time or many, and what became of one."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from heardback_ingest.app.accept import Accept, Result, Submitted
from heardback_ingest.app.gather import Gatherer
from heardback_ingest.app.idempotency import Answer, Idempotent
from heardback_ingest.app.show import Show
from heardback_ingest.http import openapi
from heardback_ingest.http.requests import (
    JSON_TYPES,
    NDJSON_TYPES,
    answer,
    media_type,
    once,
    parse,
)
from heardback_ingest.http.schemas import AcceptedView, FeedbackView
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.feedback import FeedbackIn, SurveyIn, TranscriptIn
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import field_errors, invalid, malformed_json, not_found

MODELS: dict[str, type[SurveyIn] | type[TranscriptIn]] = {"survey": SurveyIn, "transcript": TranscriptIn}
Row = FeedbackIn | tuple[tuple[str, str], ...]
"""A row that could be read, or what is wrong with it."""


def routes(
    guard: Guard,
    accept: Accept,
    gatherer: Gatherer,
    idempotent: Idempotent,
    show: Show,
    *,
    max_rows: int,
    max_bytes: int,
) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["feedback"])
    writer = Annotated[Principal, Depends(guard.needs("feedback:write"))]
    reader = Annotated[Principal, Depends(guard.needs("feedback:read"))]

    async def one(
        request: Request, principal: Principal, model: type[SurveyIn] | type[TranscriptIn]
    ) -> Response:
        media_type(request, *JSON_TYPES)
        body = await request.body()
        submitted = Submitted(parse(model, body), request.state.traceparent)

        async def action() -> Answer:
            return accepted_answer(await gatherer.submit(principal.tenant_id, submitted))

        return await once(idempotent, request, principal, body, action)

    described: dict[str, Any] = {
        "status_code": 202,
        "response_model": AcceptedView,
        "responses": {200: {"model": AcceptedView, "description": "Was accepted before; no effect"}},
    }

    @api.post(
        "/surveys", summary="Accept one survey answer", openapi_extra=openapi.body(SurveyIn), **described
    )
    async def post_survey(request: Request, principal: writer) -> Response:
        return await one(request, principal, SurveyIn)

    @api.post(
        "/transcripts",
        summary="Accept one support conversation",
        openapi_extra=openapi.body(TranscriptIn),
        **described,
    )
    async def post_transcript(request: Request, principal: writer) -> Response:
        return await one(request, principal, TranscriptIn)

    @api.post(
        "/feedback:batch",
        summary="Accept many, each on its own",
        openapi_extra=openapi.body(SurveyIn, TranscriptIn, many=True),
    )
    async def post_batch(request: Request, principal: writer) -> Response:
        media = media_type(request, *JSON_TYPES, *NDJSON_TYPES)
        body = await request.body()
        rows = read_rows(body, lines=media in NDJSON_TYPES, max_rows=max_rows, max_bytes=max_bytes)

        async def action() -> Answer:
            fine = [Submitted(row, request.state.traceparent) for row in rows if not isinstance(row, tuple)]
            return answer(200, results(rows, await accept(principal.tenant_id, "batch", fine)))

        return await once(idempotent, request, principal, body, action)

    @api.get("/feedback/{feedback_id}", summary="What became of one feedback", response_model=FeedbackView)
    async def get_feedback(feedback_id: str, principal: reader) -> Response:
        view = None if "\x00" in feedback_id else await show.feedback(principal.tenant_id, feedback_id)
        if view is None:
            raise not_found("This feedback")
        return Response(orjson.dumps(view), media_type="application/json")

    return api


def accepted_answer(result: Result) -> Answer:
    """202 the first time, 200 for a repeat, or the problem that the submission is."""
    if result.outcome == "rejected":
        raise rejection(result)
    location = f"/v1/feedback/{result.id}"
    if result.outcome == "duplicate":
        body = {
            "id": result.id,
            "status": "accepted",
            "duplicate": True,
            "same_content": result.same_content,
        }
        return answer(200, body, Location=location)
    return answer(202, {"id": result.id, "status": "accepted"}, Location=location)


def rejection(result: Result) -> ProblemError:
    if result.problem == 413:
        return ProblemError(
            413,
            "too-large",
            "The feedback is too large",
            "A part is beyond its limit; nothing was stored.",
            result.errors,
        )
    return invalid(result.errors)


def too_much(said: str) -> ProblemError:
    return ProblemError(413, "too-large", "The batch is too large", f"{said}; send it in parts.")


def read_rows(body: bytes, *, lines: bool, max_rows: int, max_bytes: int) -> list[Row]:
    if len(body) > max_bytes:
        raise too_much(f"At most {max_bytes} bytes are taken at once")
    rows = read_lines(body) if lines else read_array(body)
    if len(rows) > max_rows:
        raise too_much(f"At most {max_rows} rows are taken at once; these are {len(rows)}")
    return rows


def read_array(body: bytes) -> list[Row]:
    try:
        rows = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed_json(str(error)) from error
    if not isinstance(rows, list):
        raise invalid((("", "send an array of surveys and transcripts"),))
    return [read_row(row) for row in rows]


def read_lines(body: bytes) -> list[Row]:
    """One row per line that is not blank."""
    rows: list[Row] = []
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            rows.append(read_row(orjson.loads(line)))
        except orjson.JSONDecodeError as error:
            rows.append((("", f"is not JSON: {error}"),))
    return rows


def read_row(row: Any) -> Row:
    """`type` says what a row is; without it, turns make a transcript."""
    if not isinstance(row, dict):
        return (("", "must be an object"),)
    kind = row.pop("type", None) or ("transcript" if "turns" in row else "survey")
    model = MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        return (("/type", 'send "survey" or "transcript"'),)
    try:
        return model.model_validate(row)
    except ValidationError as error:
        return field_errors(error)


def results(rows: Sequence[Row], accepted: Sequence[Result]) -> list[dict[str, Any]]:
    """One entry per row, in order."""
    given = iter(accepted)
    entries: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        result = Result("rejected", errors=row) if isinstance(row, tuple) else next(given)
        entry: dict[str, Any] = {"index": index, "status": result.outcome}
        if result.outcome == "rejected":
            entry["errors"] = [{"pointer": p, "detail": d} for p, d in result.errors]
        else:
            entry["id"] = result.id
        if result.outcome == "duplicate":
            entry["same_content"] = result.same_content
        entries.append(entry)
    return entries
