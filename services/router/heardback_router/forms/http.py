"""Routes of forms and templates."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field, StringConstraints

from heardback_router.backlog.deeds import as_json
from heardback_router.configuration.source import PolicySource
from heardback_router.forms.domain import FormError, filled
from heardback_router.messages.http import FindingOut, shown_finding
from heardback_router.messages.lint import lint
from heardback_router.wording import CUSTOMER_TEXT_LIMIT
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

Filling = Annotated[str, StringConstraints(max_length=1_000, pattern=r"^[^\x00]*$")]


class FillIn(Submission):
    fields: dict[str, Filling] = Field(default_factory=dict, max_length=50)


class FilledOut(BaseModel):
    template: str
    policy: str
    text: str
    findings: list[FindingOut]


def forms_routes(database: Database, policies: PolicySource, clock: Clock, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["forms"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.post(
        "/v1/templates/{name}:fill", response_model=FilledOut, summary="A response from a template, checked"
    )
    async def fill(name: str, body: FillIn, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            in_force = await policies.of(connection, who.tenant_id)
        policy = in_force.forms
        template = policy.template(name)
        if template is None:
            raise not_found(f"Template {name}")
        try:
            text = filled(template, body.fields)
        except FormError as error:
            raise invalid(error.faults) from error
        if len(text) > CUSTOMER_TEXT_LIMIT:
            raise invalid((("/fields", f"makes the text longer than {CUSTOMER_TEXT_LIMIT} characters"),))
        rules = in_force.messages.rules_for(template.language)
        findings = [shown_finding(finding) for finding in lint(text, rules, clock.now())]
        return as_json({"template": name, "policy": policy.name, "text": text, "findings": findings})

    return router
