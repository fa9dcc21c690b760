"""The CloudEvents door: HTTP binding in binary, structured and batched mode."""

from typing import Annotated, Any

import orjson
from cloudevents.core.bindings.http import HTTPMessage, from_http
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from heardback_ingest.app.accept import Accept, Submitted
from heardback_ingest.app.idempotency import Answer, Idempotent
from heardback_ingest.app.submitted import NotAcceptableError, submission_of
from heardback_ingest.http import openapi
from heardback_ingest.http.feedback import Row, accepted_answer, results, too_much
from heardback_ingest.http.requests import answer, media_type, once
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.envelope import Envelope, EnvelopeError, from_cloudevent
from heardback_shared.contracts.feedback import FeedbackIn
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, malformed_json

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"


class CloudEventIn(BaseModel):
    """A CloudEvents 1.0 event in structured mode."""

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    datacontenttype: str = "application/json"
    time: str | None = None
    subject: str | None = None
    data: dict[str, Any] = Field(description="A survey or a transcript, as its type says")


MODELS = (CloudEventIn,)


def routes(guard: Guard, accept: Accept, idempotent: Idempotent, *, max_rows: int) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["feedback"])
    writer = Annotated[Principal, Depends(guard.needs("feedback:write"))]

    @api.post(
        "/events",
        status_code=202,
        summary="Accept feedback as CloudEvents: binary, structured or batched",
        openapi_extra=openapi.body(CloudEventIn, media_type=STRUCTURED),
    )
    async def post_events(request: Request, principal: writer) -> Response:
        binary = any(name.startswith("ce-") for name in request.headers)
        media = media_type(request, *(("application/json",) if binary else (STRUCTURED, BATCHED)))
        body = await request.body()
        tenant_id = principal.tenant_id

        async def many() -> Answer:
            rows = _batch(body, max_rows)
            fine = [Submitted(row, request.state.traceparent) for row in rows if not isinstance(row, tuple)]
            return answer(200, results(rows, await accept(tenant_id, "events", fine)))

        async def one() -> Answer:
            submission = _single(HTTPMessage(dict(request.headers), body), "" if binary else "/data")
            submitted = Submitted(submission, request.state.traceparent)
            (result,) = await accept(tenant_id, "events", [submitted])
            return accepted_answer(result)

        return await once(idempotent, request, principal, body, many if media == BATCHED else one)

    return api


def _single(message: HTTPMessage, prefix: str) -> FeedbackIn:
    try:
        return submission_of(_envelope(message), prefix)
    except NotAcceptableError as error:
        raise invalid(error.errors) from error
    except EnvelopeError as error:
        raise ProblemError(
            400, "not-a-cloudevent", "The request is not a CloudEvents 1.0 event", f"{error}."
        ) from error


def _batch(body: bytes, max_rows: int) -> list[Row]:
    try:
        events = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed_json(str(error)) from error
    if not isinstance(events, list):
        raise invalid((("", "send an array of events"),))
    if len(events) > max_rows:
        raise too_much(f"At most {max_rows} events are taken at once; these are {len(events)}")
    return [_member(event) for event in events]


def _member(event: object) -> Row:
    if not isinstance(event, dict):
        return (("", "must be an object"),)
    try:
        message = HTTPMessage({"content-type": STRUCTURED}, orjson.dumps(event))
        return submission_of(_envelope(message), "/data")
    except NotAcceptableError as error:
        return error.errors
    except EnvelopeError as error:
        return (("", str(error)),)


def _envelope(message: HTTPMessage) -> Envelope:
    """Raises EnvelopeError, which says what is missing or wrong."""
    try:
        return from_cloudevent(from_http(message, JSONFormat()))
    except EnvelopeError:
        raise
    except (BaseCloudEventException, ExceptionGroup) as error:
        raise EnvelopeError(f"attributes are missing or wrong: {_said(error)}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise EnvelopeError(
            "the event cannot be read; check the JSON, the time and the attributes"
        ) from error


def _said(error: BaseException) -> str:
    errors = getattr(error, "errors", None)
    if isinstance(errors, dict):
        return "; ".join(str(e) for group in errors.values() for e in group)
    return str(error)
