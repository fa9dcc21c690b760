"""Endpoints and deliveries over HTTP."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from heardback_router.deliveries.app import Webhooks
from heardback_router.deliveries.domain import SUBSCRIBABLE, DeliveryState
from heardback_router.deliveries.ports import Endpoint
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

WRITE, READ = "endpoints:write", "items:read"

Id = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,64}$")]
IdFilter = Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,64}$")]
Words = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")]


class EndpointIn(Submission):
    url: Annotated[str, Field(description="https, a public host, a usual port")]
    event_types: Annotated[
        tuple[Literal["loop.told"], ...],
        Field(max_length=len(SUBSCRIBABLE) * 2, description="Empty takes every event"),
    ] = ()
    description: Words | None = None


class EndpointOut(BaseModel):
    id: str
    url: str
    description: str | None
    event_types: tuple[str, ...]
    enabled: bool
    disabled_because: str | None
    throttled_until: AwareDatetime | None
    created_at: AwareDatetime
    changed_at: AwareDatetime


class EndpointCreated(EndpointOut):
    secret: str = Field(description="Signs every delivery; shown this once")


class EndpointList(BaseModel):
    endpoints: list[EndpointOut]


class SecretRotated(BaseModel):
    secret: str = Field(description="Signs from now on; shown this once")
    old_secret_valid_until: AwareDatetime = Field(description="Until then both sign")


class DisableIn(Submission):
    reason: Words | None = None


class AttemptOut(BaseModel):
    number: int
    at: AwareDatetime
    outcome: Literal["delivered", "retry", "gave_up", "disabled"]
    status: int | None
    response: str = Field(description="The beginning of the answer, at most 1 kB")
    error: str | None
    duration_ms: int


class DeliveryOut(BaseModel):
    id: str = Field(description="The webhook-id: the same over retries and replays")
    endpoint_id: str
    loop_id: str | None
    event_type: str
    state: DeliveryState
    because: str | None
    attempt_count: int = Field(description="Attempts in the current schedule; a replay starts it anew")
    next_attempt_at: AwareDatetime | None
    created_at: AwareDatetime
    done_at: AwareDatetime | None
    attempts: list[AttemptOut]


class DeliveryList(BaseModel):
    deliveries: list[DeliveryOut]
    next_cursor: str | None


def webhook_routes(webhooks: Webhooks, guard: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1")
    _add_endpoint_routes(router, webhooks, guard)
    _add_endpoint_commands(router, webhooks, guard)
    _add_delivery_routes(router, webhooks, guard)
    return router


def _add_endpoint_routes(router: APIRouter, webhooks: Webhooks, guard: Guard) -> None:
    may_write, may_read = Depends(guard.needs(WRITE)), Depends(guard.needs(READ))

    @router.post("/endpoints", status_code=201, tags=["endpoints"], summary="Add a webhook endpoint")
    async def add(body: EndpointIn, response: Response, who: Principal = may_write) -> EndpointCreated:
        endpoint, secret = await webhooks.add_endpoint(
            who.tenant_id, body.url, body.event_types, body.description, f"key:{who.name}"
        )
        response.headers["Location"] = f"/v1/endpoints/{endpoint.id}"
        response.headers["Cache-Control"] = "no-store"
        return EndpointCreated(**_fields(endpoint), secret=secret)

    @router.get("/endpoints", tags=["endpoints"], summary="All endpoints, without their secrets")
    async def all_endpoints(who: Principal = may_read) -> EndpointList:
        found = await webhooks.endpoints(who.tenant_id)
        return EndpointList(endpoints=[_endpoint(e) for e in found])

    @router.get("/endpoints/{endpoint_id}", tags=["endpoints"], summary="One endpoint")
    async def one(endpoint_id: Id, who: Principal = may_read) -> EndpointOut:
        return _endpoint(await webhooks.endpoint(who.tenant_id, endpoint_id))

    @router.delete(
        "/endpoints/{endpoint_id}", status_code=204, tags=["endpoints"], summary="Remove an endpoint"
    )
    async def remove(endpoint_id: Id, who: Principal = may_write) -> None:
        await webhooks.remove_endpoint(who.tenant_id, endpoint_id)


def _add_endpoint_commands(router: APIRouter, webhooks: Webhooks, guard: Guard) -> None:
    may_write = Depends(guard.needs(WRITE))

    @router.post(
        "/endpoints/{endpoint_id}:test",
        status_code=202,
        tags=["endpoints"],
        summary="Send a test event, signed like every other",
    )
    async def test(endpoint_id: Id, who: Principal = may_write) -> DeliveryOut:
        return _delivery(await webhooks.send_test(who.tenant_id, endpoint_id))

    @router.post("/endpoints/{endpoint_id}:rotate-secret", tags=["endpoints"], summary="Change the secret")
    async def rotate(endpoint_id: Id, response: Response, who: Principal = may_write) -> SecretRotated:
        secret, until = await webhooks.rotate_secret(who.tenant_id, endpoint_id)
        response.headers["Cache-Control"] = "no-store"
        return SecretRotated(secret=secret, old_secret_valid_until=until)

    @router.post("/endpoints/{endpoint_id}:enable", tags=["endpoints"], summary="Let deliveries go on")
    async def enable(endpoint_id: Id, who: Principal = may_write) -> EndpointOut:
        return _endpoint(await webhooks.set_enabled(who.tenant_id, endpoint_id, enabled=True))

    @router.post("/endpoints/{endpoint_id}:disable", tags=["endpoints"], summary="Hold deliveries back")
    async def disable(
        endpoint_id: Id, body: DisableIn | None = None, who: Principal = may_write
    ) -> EndpointOut:
        because = (body.reason if body else None) or f"disabled by {who.name}"
        return _endpoint(
            await webhooks.set_enabled(who.tenant_id, endpoint_id, enabled=False, because=because)
        )


def _add_delivery_routes(router: APIRouter, webhooks: Webhooks, guard: Guard) -> None:
    may_write, may_read = Depends(guard.needs(WRITE)), Depends(guard.needs(READ))

    @router.get("/deliveries", tags=["deliveries"], summary="Deliveries with their attempts, newest first")
    async def search(
        loop: IdFilter = None,
        endpoint: IdFilter = None,
        state: DeliveryState | None = None,
        cursor: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 50,
        who: Principal = may_read,
    ) -> DeliveryList:
        given = {"loop_id": loop, "endpoint_id": endpoint, "state": state}
        filters = {column: value for column, value in given.items() if value is not None}
        after = _read_cursor(cursor) if cursor else None
        found = await webhooks.deliveries(who.tenant_id, filters, after, limit + 1)
        return _page(found, limit)

    @router.get("/deliveries/{delivery_id}", tags=["deliveries"], summary="One delivery with its attempts")
    async def one(delivery_id: Id, who: Principal = may_read) -> DeliveryOut:
        return _delivery(await webhooks.delivery(who.tenant_id, delivery_id))

    @router.post(
        "/deliveries/{delivery_id}:replay",
        status_code=202,
        tags=["deliveries"],
        summary="Send it again: same id, same bytes",
    )
    async def replay(delivery_id: Id, who: Principal = may_write) -> DeliveryOut:
        return _delivery(await webhooks.replay(who.tenant_id, delivery_id))


def _fields(endpoint: Endpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, name) for name in EndpointOut.model_fields}


def _endpoint(endpoint: Endpoint) -> EndpointOut:
    return EndpointOut(**_fields(endpoint))


def _delivery(row: Mapping[str, Any]) -> DeliveryOut:
    attempts = [
        AttemptOut(**{name: made[name] for name in AttemptOut.model_fields}) for made in row["attempt_log"]
    ]
    return DeliveryOut(
        id=row["id"],
        endpoint_id=row["endpoint_id"],
        loop_id=row["loop_id"],
        event_type=row["event_type"],
        state=row["state"],
        because=row["because"],
        attempt_count=row["attempts"],
        next_attempt_at=row["next_attempt_at"] if row["state"] == "pending" else None,
        created_at=row["created_at"],
        done_at=row["done_at"],
        attempts=attempts,
    )


def _page(rows: Sequence[Mapping[str, Any]], limit: int) -> DeliveryList:
    shown = rows[:limit]
    more = len(rows) > limit
    return DeliveryList(
        deliveries=[_delivery(row) for row in shown], next_cursor=_cursor(shown[-1]) if more else None
    )


def _cursor(row: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{row['created_at'].isoformat()} {row['id']}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, delivery_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        created_at = datetime.fromisoformat(at)
        if created_at.tzinfo is None or "\x00" in delivery_id:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        problem = (("query:cursor", "is not a cursor of ours; take next_cursor from the page before"),)
        raise invalid(problem) from error
    return created_at, delivery_id
