"""The portal: one page and its JSON, for the receiver's own people. Works without JavaScript."""

from datetime import UTC, datetime
from pathlib import Path as File
from typing import Annotated

import jinja2
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from heardback_router.deliveries.domain import DeliveryState
from heardback_router.deliveries.log import DeliveryLog
from heardback_router.deliveries.log_http import Cursor, Limit, page, read_cursor
from heardback_router.deliveries.portal import Portal
from heardback_router.deliveries.schemas import (
    WRITE,
    DeliveryList,
    DeliveryOut,
    Id,
    PortalLinkIn,
    PortalLinkOut,
    ReplayIn,
    ReplayOut,
    show_delivery,
    show_replay,
)
from heardback_shared.access.keys import Principal
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard

Token = Annotated[str, Path(max_length=1_000, pattern=r"^[A-Za-z0-9_.\-]+$")]
PREFIX = "/d/"
SHOWN = 50
EVER = datetime(1970, 1, 1, tzinfo=UTC)
ACTOR = "portal"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def portal_routes(portal: Portal, log: DeliveryLog, guard: Guard) -> APIRouter:
    router = APIRouter()
    _add_link_routes(router, portal, guard)
    shared = APIRouter(dependencies=[Depends(_keep_private)])
    _add_page(shared, portal, log)
    _add_json(shared, portal, log)
    router.include_router(shared)
    return router


def _keep_private(response: Response) -> None:
    response.headers.update(_HEADERS)


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(File(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
)


def show_fault(request: Request, problem: ProblemError) -> Response | None:
    """What goes wrong in the portal, as a page to who opened it in a browser."""
    if "text/html" not in request.headers.get("accept", ""):
        return None
    html = _TEMPLATES.get_template("portal_fault.html").render(title=problem.title, detail=problem.detail)
    return HTMLResponse(html, problem.status, _HEADERS)


def _add_link_routes(router: APIRouter, portal: Portal, guard: Guard) -> None:
    may_write = Depends(guard.needs(WRITE))

    @router.post(
        "/v1/endpoints/{endpoint_id}/portal-link",
        status_code=201,
        tags=["portal"],
        summary="A link for the receiver's own people",
    )
    async def link(
        endpoint_id: Id, response: Response, body: PortalLinkIn | None = None, who: Principal = may_write
    ) -> PortalLinkOut:
        hours = body.hours if body else None
        url, expires_at = await portal.link(who.tenant_id, endpoint_id, hours, f"key:{who.name}")
        response.headers["Cache-Control"] = "no-store"
        return PortalLinkOut(url=url, expires_at=expires_at)

    @router.delete(
        "/v1/endpoints/{endpoint_id}/portal-link",
        status_code=204,
        tags=["portal"],
        summary="End every link to this endpoint that was given out",
    )
    async def end(endpoint_id: Id, who: Principal = may_write) -> None:
        await portal.end_links(who.tenant_id, endpoint_id, f"key:{who.name}")


def _add_page(router: APIRouter, portal: Portal, log: DeliveryLog) -> None:
    template = _TEMPLATES.get_template("portal.html")

    @router.get("/d/{token}", tags=["portal"], summary="One endpoint's deliveries, as a page")
    async def show(token: Token, cursor: Cursor = None) -> HTMLResponse:
        tenant_id, endpoint, expires_at = await portal.open(token)
        rows = await log.deliveries(tenant_id, {"endpoint_id": endpoint.id}, read_cursor(cursor), SHOWN + 1)
        shown = page(rows, SHOWN)
        html = template.render(
            endpoint=endpoint,
            deliveries=shown.deliveries,
            next_cursor=shown.next_cursor,
            base=f"/d/{token}",
            expires_at=expires_at,
            moment=_moment,
        )
        return HTMLResponse(html, headers=_HEADERS)

    @router.post("/d/{token}/deliveries/{delivery_id}:replay", tags=["portal"], summary="Send one again")
    async def replay(token: Token, delivery_id: Id) -> RedirectResponse:
        tenant_id, endpoint, _ = await portal.open(token)
        await log.replay(tenant_id, delivery_id, endpoint_id=endpoint.id)
        return RedirectResponse(f"/d/{token}", 303, headers=_HEADERS)

    @router.post("/d/{token}:replay-missing", tags=["portal"], summary="Send again what never arrived")
    async def missing(token: Token) -> RedirectResponse:
        tenant_id, endpoint, _ = await portal.open(token)
        await log.replay_range(tenant_id, endpoint.id, "missing", EVER, None, ACTOR)
        return RedirectResponse(f"/d/{token}", 303, headers=_HEADERS)


def _add_json(router: APIRouter, portal: Portal, log: DeliveryLog) -> None:
    @router.get("/d/{token}/deliveries", tags=["portal"], summary="One endpoint's deliveries")
    async def search(
        token: Token,
        state: DeliveryState | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> DeliveryList:
        tenant_id, endpoint, _ = await portal.open(token)
        filters = {"endpoint_id": endpoint.id} | ({"state": state} if state else {})
        return page(await log.deliveries(tenant_id, filters, read_cursor(cursor), limit + 1), limit)

    @router.post("/d/{token}/replays", status_code=202, tags=["portal"], summary="Send a time range again")
    async def replay(token: Token, body: ReplayIn) -> ReplayOut:
        tenant_id, endpoint, _ = await portal.open(token)
        made = await log.replay_range(tenant_id, endpoint.id, body.which, body.since, body.until, ACTOR)
        return show_replay(*made)

    @router.get("/d/{token}/replays/{replay_id}", tags=["portal"], summary="How far a replay is")
    async def progress(token: Token, replay_id: Id) -> ReplayOut:
        tenant_id, endpoint, _ = await portal.open(token)
        return show_replay(*await log.replay_progress(tenant_id, endpoint.id, replay_id))

    @router.get("/d/{token}/deliveries/{delivery_id}", tags=["portal"], summary="One delivery")
    async def one(token: Token, delivery_id: Id) -> DeliveryOut:
        tenant_id, endpoint, _ = await portal.open(token)
        return show_delivery(await log.delivery(tenant_id, delivery_id, endpoint_id=endpoint.id))


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
