"""The HTTP shell every service has: problems, tracing, size limits, health, readiness, metrics, OpenAPI."""

import re
from collections.abc import MutableMapping
from time import perf_counter
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heardback_shared import __version__
from heardback_shared.errors import ProblemError
from heardback_shared.health import Readiness
from heardback_shared.http.outages import install_outage_handlers
from heardback_shared.http.problems import install_problem_handlers, problem_response
from heardback_shared.ids import new_traceparent, trace_id
from heardback_shared.metrics import Metrics

_TRACEPARENT = re.compile(r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")


def create_app(
    title: str,
    description: str,
    *,
    metrics: Metrics,
    readiness: Readiness,
    max_body_bytes: int,
    again: str = "look first whether it took effect",
) -> FastAPI:
    """`again` says what a request does that is sent again after the database could not be asked."""
    # FastAPI's own page loads its script from elsewhere, and stays blank where there is no way out.
    app = FastAPIOffline(
        title=title,
        description=description,
        version=__version__,
        openapi_url="/openapi.json",
        docs_url="/docs",
        redoc_url=None,
        static_url="/docs-assets",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    install_problem_handlers(app)
    install_outage_handlers(app, again)
    app.add_middleware(_Shell, metrics=metrics, max_body_bytes=max_body_bytes)
    _add_operations(app, metrics, readiness)
    return app


def serve_routes(app: FastAPI, *routers: APIRouter) -> None:
    """Serves their routes as they are, in this order; the first that matches a request takes it.

    `include_router` would build every route a second time, and look through two levels for each request.
    """
    for router in routers:
        app.router.routes.extend(router.routes)


def _add_operations(app: FastAPI, metrics: Metrics, readiness: Readiness) -> None:
    @app.get("/healthz", tags=["operations"], summary="The process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["operations"], summary="Ready for traffic, or what is missing")
    async def readyz() -> JSONResponse:
        problems = await readiness.problems()
        body = {"status": "not ready" if problems else "ready", "problems": problems}
        if notes := await readiness.remarks():
            body["notes"] = notes
        return JSONResponse(body, 503 if problems else 200)

    @app.get("/metrics", tags=["operations"], summary="Prometheus metrics")
    async def metrics_page() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


class _Shell:
    """Around every request: a trace, a size limit, a measurement."""

    def __init__(self, app: ASGIApp, metrics: Metrics, max_body_bytes: int) -> None:
        self._app = app
        self._metrics = metrics
        self._max = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"traceparent", b"").decode("latin-1")
        traceparent = given if _TRACEPARENT.match(given) else new_traceparent()
        scope.setdefault("state", {})["traceparent"] = traceparent
        structlog.contextvars.bind_contextvars(trace_id=trace_id(traceparent))
        started, status = perf_counter(), "500"

        async def measured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                message.setdefault("headers", []).append((b"traceparent", traceparent.encode()))
            await send(message)

        try:
            length = headers.get(b"content-length", b"0")
            if length.isdigit() and int(length) > self._max:
                await self._too_large(scope, receive, measured)
            else:
                await self._app(scope, _limited(receive, self._max), measured)
        finally:
            route = _route_template(scope)
            self._metrics.http_requests.labels(route, scope["method"], status).inc()
            self._metrics.http_seconds.labels(route).observe(perf_counter() - started)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        await problem_response(Request(scope), too_large(self._max))(scope, receive, send)


def too_large(limit: int) -> ProblemError:
    return ProblemError(
        413,
        "too-large",
        "The body is too large",
        f"At most {limit} bytes are taken at once; send it in parts.",
    )


def _limited(receive: Receive, limit: int) -> Receive:
    read = 0

    async def inner() -> MutableMapping[str, Any]:
        nonlocal read
        message = await receive()
        if message["type"] == "http.request":
            read += len(message.get("body", b""))
            if read > limit:
                raise too_large(limit)
        return message

    return inner


def _route_template(scope: Scope) -> str:
    route = scope.get("route")
    return getattr(route, "path", None) or "unmatched"
