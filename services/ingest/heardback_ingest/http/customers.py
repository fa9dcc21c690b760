"""Customers: told by CRM and billing, used by scoring and routing."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from heardback_ingest.app.customers import FromTheFutureError, KeepCustomers
from heardback_ingest.domain.customer import Facts
from heardback_ingest.http import openapi
from heardback_ingest.http.requests import JSON_TYPES, media_type, parse
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Instant, Label, ShortText, Submission, TimeZone
from heardback_shared.contracts.customer import Tier
from heardback_shared.contracts.feedback import ContextValue
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

MAX_ENTRIES = 50


class CustomerIn(Submission):
    """Facts told by one source. A field left out stays as it is; null says that it is known to be empty."""

    source: Label
    at: Instant | None = None
    """As of when; now, if left out."""
    tier: Tier | None = None
    segment: Label | None = None
    lifetime_value: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    renewal_date: date | None = None
    since: date | None = None
    region: Label | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    time_zone: TimeZone | None = None
    owner: ShortText | None = None
    preferences: Annotated[dict[Label, ContextValue], Field(max_length=MAX_ENTRIES)] | None = None
    external_ids: Annotated[dict[Label, ShortText], Field(max_length=MAX_ENTRIES)] | None = None
    name: ShortText | None = None
    email: ShortText | None = None
    phone: ShortText | None = None

    def facts(self) -> dict[str, Any]:
        """What was told, as JSON values."""
        return self.model_dump(mode="json", exclude={"source", "at"}, exclude_unset=True)


MODELS = (CustomerIn,)
CustomerId = Annotated[str, Path(min_length=1, max_length=200)]


def routes(guard: Guard, customers: KeepCustomers) -> APIRouter:
    api = APIRouter(prefix="/v1/customers", tags=["customers"])
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]
    admin = Annotated[Principal, Depends(guard.needs("admin"))]

    @api.put(
        "/{customer_id:path}", summary="Tell facts about a customer", openapi_extra=openapi.body(CustomerIn)
    )
    async def put_customer(request: Request, customer_id: CustomerId, principal: writer) -> Response:
        media_type(request, *JSON_TYPES)
        body = await request.body()
        told = parse(CustomerIn, body)
        if b"\\u0000" in body or "\x00" in customer_id:
            raise invalid((("", "must not contain the character U+0000"),))
        facts = told.facts()
        if not facts:
            raise invalid((("", "tell at least one field besides source"),))
        try:
            after = await customers.tell(principal.tenant_id, customer_id, facts, told.source, told.at)
        except FromTheFutureError as error:
            raise invalid((("/at", "must not lie in the future"),)) from error
        return _view(customer_id, after)

    @api.get("/{customer_id:path}", summary="What is known of a customer, from whom and since when")
    async def get_customer(customer_id: CustomerId, principal: reader) -> Response:
        facts = None if "\x00" in customer_id else await customers.get(principal.tenant_id, customer_id)
        if facts is None:
            raise not_found("This customer")
        return _view(customer_id, facts)

    @api.delete(
        "/{customer_id:path}/personal-data",
        status_code=204,
        summary="Erase original texts, contacts and personal facts of a customer",
    )
    async def erase_customer(customer_id: CustomerId, principal: admin) -> Response:
        erased = "\x00" not in customer_id and await customers.erase(principal.tenant_id, customer_id)
        if not erased:
            raise ProblemError(404, "not-found", "Not found", "Nothing personal is kept of this customer.")
        return Response(status_code=204)

    return api


def _view(customer_id: str, facts: Facts) -> Response:
    fields = {
        name: {**fact, "at": datetime.fromisoformat(fact["at"]).astimezone(UTC).isoformat()}
        for name, fact in sorted(facts.items())
    }
    return Response(orjson.dumps({"id": customer_id, "fields": fields}), media_type="application/json")
