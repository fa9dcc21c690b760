"""Endpoints over HTTP."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from heardback_router.deliveries.app import NewEndpoint, Webhooks
from heardback_router.deliveries.proving import Prover
from heardback_router.deliveries.schemas import (
    READ,
    WRITE,
    Addresses,
    AddressesIn,
    DeliveryOut,
    DisableIn,
    EndpointChange,
    EndpointIn,
    EndpointList,
    EndpointOut,
    EndpointShown,
    History,
    Id,
    KeysRotated,
    ProveIn,
    show_delivery,
    show_endpoint,
    show_events,
)
from heardback_shared.access.keys import Principal
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid


def endpoint_routes(webhooks: Webhooks, prover: Prover, guard: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1")
    _add_alert_routes(router, webhooks, guard)
    _add_endpoint_routes(router, webhooks, guard)
    _add_proof_routes(router, webhooks, prover, guard)
    _add_key_routes(router, webhooks, guard)
    return router


def _add_alert_routes(router: APIRouter, webhooks: Webhooks, guard: Guard) -> None:
    may_write, may_read = Depends(guard.needs(WRITE)), Depends(guard.needs(READ))

    @router.get("/endpoints/alert-addresses", tags=["endpoints"], summary="Who is mailed about endpoints")
    async def read(who: Principal = may_read) -> Addresses:
        return Addresses(addresses=list(await webhooks.alert_addresses(who.tenant_id)))

    @router.put(
        "/endpoints/alert-addresses",
        tags=["endpoints"],
        summary="Whom to mail when an endpoint is disabled or back",
    )
    async def put(body: AddressesIn, who: Principal = may_write) -> Addresses:
        kept = await webhooks.put_alert_addresses(who.tenant_id, body.addresses, _actor(who))
        return Addresses(addresses=list(kept))


def _add_endpoint_routes(router: APIRouter, webhooks: Webhooks, guard: Guard) -> None:
    may_write, may_read = Depends(guard.needs(WRITE)), Depends(guard.needs(READ))

    @router.post("/endpoints", status_code=201, tags=["endpoints"], summary="Add a webhook endpoint")
    async def add(body: EndpointIn, response: Response, who: Principal = may_write) -> EndpointShown:
        """Set its secret at the receiver, then `:prove` it: nothing else is sent before."""
        new = NewEndpoint(
            body.url, body.event_types, body.description, body.group.read(), body.fields, body.signature
        )
        shown = await webhooks.add_endpoint(who.tenant_id, new, _actor(who))
        response.headers["Location"] = f"/v1/endpoints/{shown.endpoint.id}"
        response.headers["Cache-Control"] = "no-store"
        return show_endpoint(shown)

    @router.get("/endpoints", tags=["endpoints"], summary="All endpoints, without their secrets")
    async def all_endpoints(who: Principal = may_read) -> EndpointList:
        return EndpointList(endpoints=[_public(s) for s in await webhooks.endpoints(who.tenant_id)])

    @router.get("/endpoints/{endpoint_id}", tags=["endpoints"], summary="One endpoint")
    async def one(endpoint_id: Id, who: Principal = may_read) -> EndpointOut:
        return _public(await webhooks.endpoint(who.tenant_id, endpoint_id))

    @router.get("/endpoints/{endpoint_id}/history", tags=["endpoints"], summary="What happened to it")
    async def history(endpoint_id: Id, who: Principal = may_read) -> History:
        return show_events(await webhooks.history(who.tenant_id, endpoint_id))

    @router.patch("/endpoints/{endpoint_id}", tags=["endpoints"], summary="Change what is sent, how, where")
    async def change(
        endpoint_id: Id, body: EndpointChange, response: Response, who: Principal = may_write
    ) -> EndpointShown:
        changed = await webhooks.change_endpoint(who.tenant_id, endpoint_id, _changes(body), _actor(who))
        response.headers["Cache-Control"] = "no-store"
        return show_endpoint(changed)

    @router.delete(
        "/endpoints/{endpoint_id}", status_code=204, tags=["endpoints"], summary="Remove an endpoint"
    )
    async def remove(endpoint_id: Id, who: Principal = may_write) -> None:
        await webhooks.remove_endpoint(who.tenant_id, endpoint_id)


def _add_proof_routes(router: APIRouter, webhooks: Webhooks, prover: Prover, guard: Guard) -> None:
    may_write = Depends(guard.needs(WRITE))

    @router.post(
        "/endpoints/{endpoint_id}:prove",
        tags=["endpoints"],
        summary="Ask the receiver whether it wants webhooks",
    )
    async def prove(endpoint_id: Id, body: ProveIn | None = None, who: Principal = may_write) -> EndpointOut:
        """By the CloudEvents handshake or a signed ping; `proof` in the answer says what came of it."""
        method = body.method if body else None
        await prover.prove(who.tenant_id, endpoint_id, method, _actor(who))
        return _public(await webhooks.endpoint(who.tenant_id, endpoint_id))

    @router.post(
        "/endpoints/{endpoint_id}:test",
        status_code=202,
        tags=["endpoints"],
        summary="Send a test event, signed like every other",
    )
    async def test(endpoint_id: Id, who: Principal = may_write) -> DeliveryOut:
        return show_delivery(await webhooks.send_test(who.tenant_id, endpoint_id))

    @router.post("/endpoints/{endpoint_id}:enable", tags=["endpoints"], summary="Let deliveries go on")
    async def enable(endpoint_id: Id, who: Principal = may_write) -> EndpointOut:
        return _public(await webhooks.enable(who.tenant_id, endpoint_id, _actor(who)))

    @router.post("/endpoints/{endpoint_id}:disable", tags=["endpoints"], summary="Hold deliveries back")
    async def disable(
        endpoint_id: Id, body: DisableIn | None = None, who: Principal = may_write
    ) -> EndpointOut:
        because = (body.reason if body else None) or f"disabled by {who.name}"
        return _public(await webhooks.disable(who.tenant_id, endpoint_id, because, _actor(who)))


def _add_key_routes(router: APIRouter, webhooks: Webhooks, guard: Guard) -> None:
    may_write = Depends(guard.needs(WRITE))

    @router.post(
        "/endpoints/{endpoint_id}:rotate-secret", tags=["endpoints"], summary="Change the signing keys"
    )
    async def rotate(endpoint_id: Id, response: Response, who: Principal = may_write) -> KeysRotated:
        issued = await webhooks.rotate_keys(who.tenant_id, endpoint_id, _actor(who))
        response.headers["Cache-Control"] = "no-store"
        return KeysRotated(
            secret=issued.secret,
            public_key=issued.public_key,
            old_secret_valid_until=issued.old_valid_until,
        )

    @router.post(
        "/endpoints/{endpoint_id}:revoke-old-secret",
        tags=["endpoints"],
        summary="End the keys that have been replaced, at once",
    )
    async def revoke(endpoint_id: Id, who: Principal = may_write) -> EndpointOut:
        return _public(await webhooks.revoke_old_keys(who.tenant_id, endpoint_id, _actor(who)))


def _public(shown: Any) -> EndpointOut:
    return EndpointOut(**show_endpoint(shown).model_dump(exclude={"secret"}))


def _actor(who: Principal) -> str:
    return f"key:{who.name}"


def _changes(body: EndpointChange) -> dict[str, Any]:
    """Only what was given. A description may be taken away; everything else needs a value."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    empty = [name for name, value in given.items() if value is None and name != "description"]
    if empty:
        raise invalid(tuple((f"/{name}", "leave it out to keep it, or send a value") for name in empty))
    if "group" in given:
        given["group"] = given["group"].read()
    for name in ("event_types", "fields"):
        if name in given:
            given[name] = tuple(dict.fromkeys(given[name]))
    return given
