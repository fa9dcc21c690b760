"""Customers: told by CRM and billing, used by scoring and routing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from heardback_ingest.app.customers import KeepCustomers, Telling, Told
from heardback_ingest.app.sources import HearSources
from heardback_ingest.domain.customer import Ages, Facts, is_stale, tellings_of
from heardback_ingest.http import openapi
from heardback_ingest.http.requests import JSON_TYPES, media_type, parse
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.customer import CustomerIn
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

MODELS = (CustomerIn,)
CustomerId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Words = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


def routes(guard: Guard, customers: KeepCustomers, sources: HearSources) -> APIRouter:
    """To be added after every route below `/v1/customers/{id}/…`, as an id may hold slashes."""
    api = APIRouter(prefix="/v1", tags=["customers"])
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]
    admin = Annotated[Principal, Depends(guard.needs("admin"))]

    _add_questions(api, guard, customers, sources)

    @api.put(
        "/customers/{customer_id:path}",
        summary="Tell facts about a customer",
        openapi_extra=openapi.body(CustomerIn),
    )
    async def put_customer(request: Request, customer_id: CustomerId, principal: writer) -> Response:
        media_type(request, *JSON_TYPES)
        body = await request.body()
        told = parse(CustomerIn, body)
        if b"\\u0000" in body:
            raise invalid((("", "must not contain the character U+0000"),))
        facts = told.facts()
        if not facts:
            raise invalid((("", "tell at least one field besides source"),))
        telling = Telling(customer_id, facts, told.source, told.at, told.provenance)
        (outcome,) = await customers.tell(principal.tenant_id, [telling])
        if outcome.refused:
            raise _refused(outcome)
        return await _shown(customers, principal, customer_id)

    @api.get(
        "/customers/{customer_id:path}",
        summary="What is known of a customer, from whom and since when, and what of it is outdated",
    )
    async def get_customer(customer_id: CustomerId, principal: reader) -> Response:
        return await _shown(customers, principal, customer_id)

    @api.delete(
        "/customers/{customer_id:path}/personal-data",
        status_code=204,
        summary="Erase original texts, contacts, personal facts and handling notes of a customer",
    )
    async def erase_customer(customer_id: CustomerId, principal: admin) -> Response:
        if not await customers.erase(principal.tenant_id, customer_id):
            raise ProblemError(404, "not-found", "Not found", "Nothing personal is kept of this customer.")
        return Response(status_code=204)

    return api


def _add_questions(api: APIRouter, guard: Guard, customers: KeepCustomers, sources: HearSources) -> None:
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]

    @api.get("/customers:sync", summary="How fresh each source is: heard last, lag, silent or not")
    async def get_sync(principal: reader) -> dict[str, Any]:
        return {"sources": await sources.show(principal.tenant_id)}

    @api.get("/customers:lookup", summary="The customer that has this id in another system")
    async def look_up(principal: reader, source: Words, external_id: Words) -> dict[str, Any]:
        found = await customers.lookup(principal.tenant_id, source, external_id)
        if found is None:
            raise not_found("A customer with this external id")
        return {"id": found, "source": source, "external_id": external_id}


def _refused(outcome: Told) -> ProblemError:
    taken = any(pointer.startswith("/external_ids") for pointer, _ in outcome.refused)
    if not taken:
        return invalid(outcome.refused)
    return ProblemError(
        409,
        "belongs-to-another",
        "The external id belongs to another customer",
        "An id in another system is the id of one customer only; nothing was stored.",
        outcome.refused,
    )


async def _shown(customers: KeepCustomers, principal: Principal, customer_id: str) -> Response:
    shown = await customers.show(principal.tenant_id, customer_id)
    if shown is None:
        raise not_found("This customer")
    body = {
        "id": customer_id,
        "fields": view(shown.facts, shown.ages, shown.now),
        "class": class_view(shown.settled),
        "person": {"id": shown.person.person_id, "customer_ids": list(shown.person.members)},
    }
    return Response(orjson.dumps(body), media_type="application/json")


def view(facts: Facts, ages: Ages, now: datetime) -> dict[str, Any]:
    """Each field with its best telling; `stale` is true where it is too old to be used."""
    fields: dict[str, Any] = {}
    for name, fact in sorted(facts.items()):
        first, *others = (
            {
                **telling,
                "at": datetime.fromisoformat(telling["at"]).astimezone(UTC).isoformat(),
                "stale": is_stale(name, telling, ages, now),
            }
            for telling in tellings_of(fact)
        )
        fields[name] = first | {"beside": others} if others else first
    return fields


def class_view(settled: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The class that counts, why, and the lower tier that waits, if one does."""
    if settled is None:
        return None
    shown = {n: settled[n] for n in ("tier", "segment", "provenance", "source", "policy", "at")}
    given = settled["given"]
    return {
        **shown,
        "rules": given["rules"],
        "because": given["because"],
        "undecided": [{"rule": rule, "field": name} for rule, name in given["undecided"]],
        "waits": settled.get("keeps"),
    }
