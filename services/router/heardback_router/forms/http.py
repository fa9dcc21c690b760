"""Routes of forms and templates."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field, StringConstraints

from heardback_router.backlog.deeds import as_json
from heardback_router.configuration.source import PolicySource
from heardback_router.forms.domain import FormError, FormsPolicy, filled
from heardback_router.forms.lint import Finding, lint
from heardback_router.wording import CUSTOMER_TEXT_LIMIT
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

Filling = Annotated[str, StringConstraints(max_length=1_000, pattern=r"^[^\x00]*$")]
Text = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]


class FillIn(Submission):
    fields: dict[str, Filling] = Field(default_factory=dict, max_length=50)


class LintIn(Submission):
    text: Text


class FindingOut(BaseModel):
    """`refuses`: a customer is not told anything while this is so."""

    rule: str
    detail: str
    refuses: bool


class FilledOut(BaseModel):
    template: str
    policy: str
    text: str
    findings: list[FindingOut]


class LintOut(BaseModel):
    policy: str
    findings: list[FindingOut]


def forms_routes(database: Database, policies: PolicySource, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["forms"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    async def of(who: Principal) -> FormsPolicy:
        async with database.tenant(who.tenant_id) as connection:
            return (await policies.of(connection, who.tenant_id)).forms

    @router.post(
        "/v1/templates/{name}:fill", response_model=FilledOut, summary="A response from a template, checked"
    )
    async def fill(name: str, body: FillIn, who: readers) -> Response:
        policy = await of(who)
        template = policy.template(name)
        if template is None:
            raise not_found(f"Template {name}")
        try:
            text = filled(template, body.fields)
        except FormError as error:
            raise invalid(error.faults) from error
        if len(text) > CUSTOMER_TEXT_LIMIT:
            raise invalid((("/fields", f"makes the text longer than {CUSTOMER_TEXT_LIMIT} characters"),))
        findings = [shown_finding(finding) for finding in lint(text, policy.lint)]
        return as_json({"template": name, "policy": policy.name, "text": text, "findings": findings})

    @router.post(
        "/v1/templates:lint", response_model=LintOut, summary="What is wrong with a text for customers"
    )
    async def check(body: LintIn, who: readers) -> Response:
        policy = await of(who)
        findings = [shown_finding(finding) for finding in lint(body.text, policy.lint)]
        return as_json({"policy": policy.name, "findings": findings})

    return router


def shown_finding(finding: Finding) -> dict[str, Any]:
    return {"rule": finding.rule, "detail": finding.detail, "refuses": finding.refuses}
