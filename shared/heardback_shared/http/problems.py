"""Errors as RFC 9457 problem details: what is wrong, where, and what to send instead."""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from heardback_shared.errors import ProblemError
from heardback_shared.ids import trace_id

_log = structlog.get_logger(__name__)

Face = Callable[[Request, ProblemError], Response | None]
"""How a problem looks to who opened a page; None where they asked for JSON."""

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "https://heardback.dev/problems/"

_PLAIN = frozenset({"str", "int", "float", "bool"})
_HINTS = {
    "direction": 'say which end is good: "higher_is_better" or "lower_is_better"',
}


def not_found(what: str) -> ProblemError:
    return ProblemError(
        404, "not-found", "Not found", f"{what} does not exist, or belongs to another tenant."
    )


def invalid(errors: tuple[tuple[str, str], ...], detail: str | None = None) -> ProblemError:
    said = detail or f"{len(errors)} field(s) cannot be accepted; nothing was stored."
    return ProblemError(422, "invalid-content", "The content cannot be accepted", said, errors)


def field_errors(
    error: ValidationError | RequestValidationError, skip: int = 0
) -> tuple[tuple[str, str], ...]:
    """(JSON pointer, what to send instead) per finding; `skip` drops leading parts of the location."""
    return tuple(dict.fromkeys(_field_error(e["loc"][skip:], e) for e in error.errors()))


def _field_error(location: Sequence[Any], error: Any) -> tuple[str, str]:
    parts = [str(part) for part in location]
    if parts[-1:] and parts[-1] in _PLAIN:
        # A field that takes any of these: pydantic names each that it is not.
        return _pointer(parts[:-1]), "must be a text, a number, or true or false"
    pointer = _pointer(parts)
    kind = error["type"]
    if kind == "missing":
        hint = _HINTS.get(parts[-1] if parts else "", "")
        return pointer, f"is required{'; ' + hint if hint else ''}"
    if kind == "extra_forbidden":
        return pointer, "is not a known field; remove it, or put it into context"
    return pointer, str(error["msg"]).removeprefix("Value error, ")


def _pointer(parts: Sequence[str]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def show_to_people(app: FastAPI, prefix: str, face: Face) -> None:
    """Whatever goes wrong below this path, outages and unknown paths included, is shown by `face`."""
    app.state.faces = {**getattr(app.state, "faces", {}), prefix: face}


def problem_response(request: Request, problem: ProblemError) -> Response:
    faces: dict[str, Face] = getattr(request.app.state, "faces", {})
    for prefix, face in faces.items():
        if request.url.path.startswith(prefix) and (shown := face(request, problem)) is not None:
            shown.headers.update(problem.headers)
            return shown
    body: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.slug,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.url.path,
    }
    if problem.errors:
        body["errors"] = [{"pointer": p, "detail": d} for p, d in problem.errors]
    body["trace_id"] = trace_id(getattr(request.state, "traceparent", None))
    return JSONResponse(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


_TITLES = {404: "not-found", 405: "method-not-allowed"}


def install_problem_handlers(app: FastAPI) -> None:
    @app.exception_handler(ProblemError)
    async def _problem(request: Request, error: ProblemError) -> Response:
        return problem_response(request, error)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        if any(e["type"] == "json_invalid" for e in error.errors()):
            return problem_response(
                request, malformed_json(str(error.errors()[0].get("ctx", {}).get("error", "")))
            )
        found = dict.fromkeys(_request_error(e) for e in error.errors())
        return problem_response(request, invalid(tuple(found)))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, ProblemError):  # raised while FastAPI was reading the body
            return problem_response(request, error.__cause__)
        slug = _TITLES.get(error.status_code, "http-error")
        detail = f"{request.method} {request.url.path}: {error.detail}."
        headers = dict(error.headers or {})
        return problem_response(
            request, ProblemError(error.status_code, slug, str(error.detail), detail, headers=headers)
        )

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        # The route's template: a path may hold a token.
        route = getattr(request.scope.get("route"), "path", "unmatched")
        _log.error("http.unexpected", route=route, error=type(error).__name__)
        return problem_response(
            request,
            ProblemError(
                500,
                "internal",
                "Something failed on our side",
                "Nothing was accepted. Try again; quote the trace id if it stays.",
            ),
        )


def _request_error(error: Any) -> tuple[str, str]:
    where, *rest = error["loc"]
    pointer, detail = _field_error(rest, error)
    return (pointer, detail) if where == "body" else (f"{where}:{pointer.lstrip('/')}", detail)


def malformed_json(reason: str) -> ProblemError:
    return ProblemError(
        400,
        "malformed-json",
        "The body is not JSON",
        f"The body could not be read as JSON: {reason or 'empty'}.",
    )
