"""How a customer is to be treated: handling, contracts by version, and what is still missing."""

from dataclasses import asdict
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StringConstraints, field_validator, model_validator

from heardback_ingest.app.handling import ContractRefusedError, KeepHandling, Rules
from heardback_ingest.domain.handling import ContractVersion
from heardback_ingest.http.customers import CustomerId
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Instant, Label, Submission
from heardback_shared.contracts.customer import Tier
from heardback_shared.contracts.feedback import ContextValue
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

PLAIN = r"^[^\x00]*$"
Text = Annotated[str, StringConstraints(min_length=1, max_length=5_000, strip_whitespace=True, pattern=PLAIN)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True, pattern=PLAIN)]
Number = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")]
Cursor = Annotated[str, Query(max_length=200, pattern=PLAIN)]


class EscalationStep(Submission):
    to: Line
    """Whom to go to: a person, a team, a number."""
    after_minutes: Annotated[int, Field(ge=0, le=525_600)] = 0
    """How long after the step before did not help."""


class HandlingIn(Submission):
    """For colleagues; no customer ever sees it. Replaces what was written before."""

    handling_notes: Text | None = None
    escalation_path: Annotated[tuple[EscalationStep, ...], Field(max_length=20)] = ()
    success_criteria: Annotated[tuple[Line, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.handling_notes or self.escalation_path or self.success_criteria):
            raise ValueError("write handling_notes, escalation_path or success_criteria")
        return self


class ContractIn(Submission):
    """One version of a contract. An amendment is the next version, in force from its own date on."""

    number: Number
    version: Annotated[int, Field(ge=1)] | None = None
    """Which it is meant to become; sent again, it is the same version. The next one, if left out."""
    effective_from: Instant
    effective_to: Instant | None = None
    """The first moment at which it holds no more."""
    terms: Annotated[dict[Label, ContextValue], Field(max_length=100)] = Field(default_factory=dict)

    @field_validator("terms")
    @classmethod
    def _storable(cls, terms: dict[str, Any]) -> dict[str, Any]:
        for name, value in terms.items():
            for text in (name, value):
                if isinstance(text, str) and not _can_be_stored(text):
                    raise ValueError("must not contain the character U+0000 or half of a surrogate pair")
            if isinstance(value, float) and not isfinite(value):
                raise ValueError("its numbers must be finite")
            if isinstance(value, int) and abs(value) >= 2**63:
                raise ValueError("a number is too large; send it as text")
        return terms

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise ValueError("effective_to must lie after effective_from")
        return self


def routes(guard: Guard, handling: KeepHandling) -> APIRouter:
    api = APIRouter(prefix="/v1", tags=["customers"])
    writer = Annotated[Principal, Depends(guard.needs("customers:write"))]
    reader = Annotated[Principal, Depends(guard.needs("customers:read"))]

    @api.get("/customers:completeness", summary="Customers of whom something required is not known")
    async def get_completeness(
        principal: reader,
        tier: Tier | None = None,
        cursor: Cursor = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """What is required of which tier says policy `classes`. A page may hold few although more follow."""
        found, following = await handling.incomplete(principal.tenant_id, tier, cursor, limit)
        return {
            "customers": [{"id": x.customer_id, "tier": x.tier, "missing": list(x.missing)} for x in found],
            "next_cursor": following,
        }

    @api.get(
        "/customers/{customer_id:path}/rules", summary="How to treat a customer, as it holds at a moment"
    )
    async def get_rules(
        customer_id: CustomerId, principal: reader, at: Instant | None = None
    ) -> dict[str, Any]:
        """`at` is when the matter was opened: what was agreed or written later does not hold for it."""
        return _view(customer_id, await handling.rules(principal.tenant_id, customer_id, at), at)

    @api.put("/customers/{customer_id:path}/handling", summary="Write how to treat a customer (internal)")
    async def put_handling(customer_id: CustomerId, principal: writer, body: HandlingIn) -> dict[str, Any]:
        written = body.model_dump(mode="json")
        version = await handling.write(principal.tenant_id, customer_id, written, principal.name)
        return {"customer_id": customer_id, "version": version}

    @api.post(
        "/customers/{customer_id:path}/contracts", status_code=201, summary="Add a contract, or an amendment"
    )
    async def add_contract(customer_id: CustomerId, principal: writer, body: ContractIn) -> dict[str, Any]:
        try:
            version = await handling.agree(
                principal.tenant_id,
                customer_id,
                body.number,
                body.effective_from,
                body.effective_to,
                body.terms,
                principal.name,
                body.version,
            )
        except ContractRefusedError as error:
            raise invalid(((error.pointer, error.detail),)) from error
        return contract_view(version)

    return api


def _can_be_stored(text: str) -> bool:
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


def contract_view(version: ContractVersion) -> dict[str, Any]:
    return {**asdict(version), "name": version.name}


def _view(customer_id: str, rules: Rules, at: datetime | None) -> dict[str, Any]:
    handled = rules.handling_version is not None
    return {
        "customer_id": customer_id,
        "at": at,
        "handling": {
            "version": rules.handling_version,
            "by": rules.handling_by,
            "since": rules.handling_since,
            "erased": rules.handling is None,
            **(rules.handling or {}),
        }
        if handled
        else None,
        "contract": contract_view(rules.contract) if rules.contract else None,
        "contract_versions": [contract_view(v) for v in rules.contracts],
    }
