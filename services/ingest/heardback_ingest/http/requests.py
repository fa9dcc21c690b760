"""Reading requests: content types, JSON with findings, idempotency keys; and writing JSON."""

import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from heardback_ingest.app.idempotency import Answer, Idempotent, Owner
from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import field_errors, invalid, malformed_json

T = TypeVar("T", bound=BaseModel)

JSON_TYPES = ("application/json",)
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_QUOTED = re.compile(r'^"((?:[^"\\]|\\["\\])*)"$')
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")


def media_type(request: Request, *known: str) -> str:
    """The request's media type, or a 415 problem that names what is taken."""
    said = request.headers.get("content-type", "")
    media = said.split(";", 1)[0].strip().lower()
    if media not in known:
        raise ProblemError(
            415,
            "unsupported-media-type",
            "This content type is not taken",
            f"The body came as {media or 'no content type'}; send it as {' or '.join(known)}.",
            (("header:Content-Type", f"send {' or '.join(known)}"),),
        )
    return media


def parse(model: type[T], body: bytes) -> T:
    """The body as a model, or a 400 or 422 problem."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise malformed_json(str(first.get("ctx", {}).get("error", ""))) from error
        raise invalid(field_errors(error)) from error


def answer(status: int, body: object, **headers: str) -> Answer:
    return Answer(status, orjson.dumps(body), {k.replace("_", "-"): v for k, v in headers.items()})


def respond(given: Answer) -> Response:
    return Response(given.body, given.status, dict(given.headers), media_type="application/json")


async def once(
    idempotent: Idempotent,
    request: Request,
    principal: Principal,
    body: bytes,
    action: Callable[[], Awaitable[Answer]],
) -> Response:
    """Runs the action, under the request's Idempotency-Key if it carries one."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return respond(await action())
    owner = Owner(principal.tenant_id, principal.key_id, _spelled(key))
    whole = b"\n".join(
        (request.url.path.encode(), request.headers.get("content-type", "").encode("latin-1"), body)
    )
    return respond(await idempotent.run(owner, whole, action))


def _spelled(header: str) -> str:
    """The key, quoted as a structured-field string or bare."""
    quoted = _QUOTED.match(header.strip())
    key = re.sub(r"\\(.)", r"\1", quoted.group(1)) if quoted else header.strip()
    if not _KEY.match(key) or (not quoted and '"' in key):
        raise ProblemError(
            400,
            "bad-idempotency-key",
            "The Idempotency-Key cannot be read",
            "Send 1 to 255 visible ASCII characters in double quotes, a UUID for example.",
            (("header:Idempotency-Key", "must be 1 to 255 visible ASCII characters"),),
        )
    return key
