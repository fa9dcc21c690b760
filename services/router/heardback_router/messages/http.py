"""Trying templates and looking at texts before a customer reads them."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from heardback_router.backlog.deeds import as_json
from heardback_router.configuration.source import PolicySource
from heardback_router.messages.domain import (
    ChangeFacts,
    MessageFacts,
    MessageLinks,
    Result,
    Sensitivity,
    Step,
)
from heardback_router.messages.lint import Finding, Rule, lint
from heardback_router.messages.policy import read_messages, warnings_of
from heardback_router.messages.rendering import MessagesPolicy, render
from heardback_router.wording import CUSTOMER_TEXT_LIMIT, CustomerText, LanguageCode, translated
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission, TimeZone
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid
from heardback_shared.policies.reading import PolicyError

Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=CUSTOMER_TEXT_LIMIT, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$"),
]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
EXAMPLE = MessageLinks(
    page="https://feedback.example/c/…",
    confirm="https://feedback.example/v1/loops/…:confirm",
    dispute="https://feedback.example/v1/loops/…:dispute",
    contest="https://feedback.example/c/…/contest",
    preferences="https://feedback.example/c/…/preferences",
)


class FindingOut(BaseModel):
    """`refuses`: a customer is not told anything while this is so."""

    rule: Rule
    detail: str
    refuses: bool


class ChangeIn(Submission):
    result: Result
    text: Text
    translations: dict[LanguageCode, Text] = Field(default_factory=dict, max_length=30)
    on: date
    reference: Text | None = None


class FactsIn(Submission):
    """What the message is to say; whatever is left out is not known, as it may be when it is sent."""

    about: Annotated[str, StringConstraints(max_length=130)] | None = Field(
        None, description="The root cause, domain/category"
    )
    raised_on: date | None = None
    changes: Annotated[tuple[ChangeIn, ...], Field(max_length=20)] = ()
    plan: Text | None = None
    answer: Text | None = None
    due: AwareDatetime | None = None
    automated: bool = True


class TryIn(Submission):
    step: Step
    sensitivity: Sensitivity = "standard"
    language: Language | None = None
    time_zone: TimeZone | None = None
    facts: FactsIn = FactsIn()
    text: Annotated[str, StringConstraints(min_length=1, max_length=100_000)] | None = Field(
        None, description="A messages policy to try instead of the one in force"
    )


class TriedOut(BaseModel):
    """`template` says whose words they are: policy, step, sensitivity and language."""

    subject: str
    body: str
    language: str
    template: str
    findings: list[FindingOut]
    warnings: list[str]


class LookIn(Submission):
    text: Text
    language: Language | None = None
    results: Annotated[tuple[Result, ...], Field(max_length=3)] = ()


class LookedOut(BaseModel):
    policy: str
    language: str
    findings: list[FindingOut]


def message_routes(database: Database, policies: PolicySource, clock: Clock, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["messages"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    async def of(who: Principal) -> MessagesPolicy:
        async with database.tenant(who.tenant_id) as connection:
            return (await policies.of(connection, who.tenant_id)).messages

    @router.post(
        "/v1/message-templates:try",
        response_model=TriedOut,
        summary="A message as a customer would read it, from the texts in force or from others",
    )
    async def try_out(body: TryIn, who: readers) -> Response:
        policy = await of(who) if body.text is None else _given(body.text)
        return as_json(_tried(policy, body, clock))

    @router.post(
        "/v1/message-texts:lint",
        response_model=LookedOut,
        summary="What is wrong with a text, in the language of the customer who is to read it",
    )
    async def check(body: LookIn, who: readers) -> Response:
        policy = await of(who)
        rules = policy.rules_for(body.language)
        found = lint(body.text, rules, clock.now(), frozenset(body.results))
        findings = [shown_finding(one) for one in found]
        return as_json({"policy": policy.name, "language": rules.language, "findings": findings})

    return router


def shown_finding(finding: Finding) -> dict[str, Any]:
    return {"rule": finding.rule, "detail": finding.detail, "refuses": finding.refuses}


def _given(text: str) -> MessagesPolicy:
    try:
        return read_messages(text)
    except PolicyError as error:
        faults = tuple(("/text" + pointer, detail) for pointer, detail in error.faults)
        raise invalid(faults or (("/text", str(error)),)) from error


def _tried(policy: MessagesPolicy, body: TryIn, clock: Clock) -> dict[str, Any]:
    changes = tuple(
        ChangeFacts(
            c.result,
            CustomerText(c.text),
            c.on,
            "ch_example",
            c.reference,
            translations=translated(c.translations),
        )
        for c in body.facts.changes
    )
    facts = MessageFacts(
        about=body.facts.about,
        raised_on=body.facts.raised_on,
        changes=changes,
        plan=CustomerText(body.facts.plan) if body.facts.plan else None,
        answer=CustomerText(body.facts.answer) if body.facts.answer else None,
        due=body.facts.due,
        automated=body.facts.automated,
    )
    rendered = render(policy, body.step, body.sensitivity, body.language, facts, EXAMPLE, body.time_zone)
    rules = policy.languages[rendered.language].lint
    found = lint(rendered.body.text, rules, clock.now(), frozenset(change.result for change in changes))
    return {
        "subject": rendered.subject.text,
        "body": rendered.body.text,
        "language": rendered.language,
        "template": rendered.template,
        "findings": [shown_finding(one) for one in found],
        "warnings": list(warnings_of(policy)),
    }
