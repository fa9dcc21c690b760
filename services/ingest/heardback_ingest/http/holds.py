"""Stops of automatic messages: to one customer, or to everybody of the tenant. Only people lift them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import StringConstraints

from heardback_ingest.app.preferences import KeepPreferences, Stops
from heardback_ingest.http import openapi
from heardback_ingest.http.preferences import CustomerId
from heardback_ingest.http.requests import JSON_TYPES, media_type, parse
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

Because = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True, pattern=r"^[^\x00]*$")
]


class StopIn(Submission):
    because: Because
    """In plain words; people see it wherever a message waits for it."""


MODELS = (StopIn,)
WhyLifted = Annotated[str, Query(alias="because", max_length=500, pattern=r"^[^\x00]*$")]


def routes(guard: Guard, preferences: KeepPreferences) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["preferences"])
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]
    admin = Annotated[Principal, Depends(guard.needs("admin"))]
    one = "/customers/{customer_id:path}/hold"

    @api.get(one, summary="Whether machines may write to this customer, and the history of that")
    async def get_hold(customer_id: CustomerId, principal: reader) -> dict[str, Any]:
        return _shown(await preferences.holds(principal.tenant_id, customer_id))

    @api.put(one, summary="Let no machine write to this customer", openapi_extra=openapi.body(StopIn))
    async def put_hold(request: Request, customer_id: CustomerId, principal: writer) -> dict[str, Any]:
        because = await _because(request)
        return _shown(
            await preferences.hold(
                principal.tenant_id, customer_id, held=True, because=because, by=principal.name
            )
        )

    @api.delete(one, summary="Lift it; say why with ?because=")
    async def lift_hold(customer_id: CustomerId, principal: writer, because: WhyLifted) -> dict[str, Any]:
        return _shown(
            await preferences.hold(
                principal.tenant_id, customer_id, held=False, because=_said(because), by=principal.name
            )
        )

    @api.get("/sending-stop", summary="Whether anything is sent automatically, and the history of that")
    async def get_stop(principal: reader) -> dict[str, Any]:
        return _shown(await preferences.sending(principal.tenant_id))

    @api.put(
        "/sending-stop", summary="Stop all that is sent automatically", openapi_extra=openapi.body(StopIn)
    )
    async def put_stop(request: Request, principal: writer) -> dict[str, Any]:
        because = await _because(request)
        return _shown(
            await preferences.stop_sending(
                principal.tenant_id, stopped=True, because=because, by=principal.name
            )
        )

    @api.delete("/sending-stop", summary="Let it go on; say why with ?because=")
    async def lift_stop(principal: admin, because: WhyLifted) -> dict[str, Any]:
        return _shown(
            await preferences.stop_sending(
                principal.tenant_id, stopped=False, because=_said(because), by=principal.name
            )
        )

    return api


async def _because(request: Request) -> str:
    media_type(request, *JSON_TYPES)
    return parse(StopIn, await request.body()).because


def _said(because: str) -> str:
    if not because.strip():
        raise invalid((("query:because", "say why it is lifted"),))
    return because.strip()


def _shown(stops: Stops) -> dict[str, Any]:
    return {
        "held": stops.now is not None,
        "because": stops.now.because if stops.now else None,
        "history": [
            {"held": stop.held, "because": stop.because, "by": stop.by, "at": stop.at}
            for stop in stops.history
        ],
    }
