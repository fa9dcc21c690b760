"""Trying routing over HTTP: one event without effect, and what is wrong with a policy."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from heardback_router.routing.lint import Finding
from heardback_router.routing.tries import RoutingTries, UnknownFeedbackError
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import FeedbackAccepted, FeedbackScored
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.score import Score
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.policies.reading import PolicyError

PolicyText = Annotated[str, Field(min_length=1, max_length=500_000)]
FeedbackId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class TriedFeedback(Submission):
    """What a platform would have sent, and the customer as known then."""

    content: FeedbackContent
    customer: CustomerSnapshot | None = None
    accepted_at: AwareDatetime | None = None


class DryRunIn(Submission):
    """Either the id of a feedback that is stored, or an event: what was accepted, and its score.

    `policy` is the text of a routing policy to try instead of the one in force; `at` the time of routing.
    """

    feedback_id: FeedbackId | None = None
    accepted: TriedFeedback | None = None
    score: Score | None = None
    policy: PolicyText | None = None
    at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _names_one_event(self) -> Self:
        whole = self.accepted is not None and self.score is not None
        if (self.feedback_id is not None) == whole or (self.accepted is None) != (self.score is None):
            raise ValueError(
                'send {"feedback_id"}, or {"accepted", "score"} together: exactly one of the two'
            )
        return self


class LintIn(Submission):
    """The text of a routing policy."""

    text: PolicyText


class AssigneeOut(BaseModel):
    person: str
    because: str


class DryRunOut(BaseModel):
    """The decision as it would be recorded, and what would follow from it. Nothing was written."""

    policy: str
    team: str
    title: str
    rule: str
    because: str
    reason: str
    winner: dict[str, Any]
    added: list[dict[str, Any]]
    losers: list[dict[str, Any]]
    default: dict[str, Any]
    gates: list[dict[str, Any]]
    owner: str | None
    processes: list[str]
    inputs: dict[str, Any]
    assignee: AssigneeOut | None = Field(description="Who would get it if nothing else waited")
    children: list[dict[str, Any]]
    clocks: list[dict[str, Any]]
    at: datetime


class FindingOut(BaseModel):
    level: str
    kind: str
    rule: str | None
    other: str | None
    because: str
    witness: dict[str, Any] | None = Field(description="An event, as decisions look at it, that shows it")


class LintOut(BaseModel):
    policy: str
    findings: list[FindingOut]


def tries_routes(tries: RoutingTries, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["policies"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.post("/v1/routing:dry-run", response_model=DryRunOut, summary="Whose one event would be, and why")
    async def dry_run(body: DryRunIn, who: readers) -> dict[str, Any]:
        try:
            event = _event(body, tries.now())
            return await tries.dry_run(who.tenant_id, event, body.policy, body.at)
        except UnknownFeedbackError as error:
            raise not_found(f"Feedback {body.feedback_id}") from error
        except PolicyError as error:
            raise invalid((("/policy", str(error)),)) from error

    @router.post("/v1/policies/routing:lint", response_model=LintOut, summary="What is wrong with the rules")
    async def lint(body: LintIn, who: readers) -> dict[str, Any]:
        try:
            name, findings = await tries.lint(who.tenant_id, body.text)
        except PolicyError as error:
            raise invalid((("/text", str(error)),)) from error
        return {"policy": name, "findings": [shown_finding(finding) for finding in findings]}

    @router.get("/v1/routing/misrouting", summary="What wrong guesses have cost, by domain and confidence")
    async def wrong_guesses(who: readers, days: Annotated[int, Query(ge=1, le=366)] = 30) -> dict[str, Any]:
        return await tries.misrouting(who.tenant_id, tries.now() - timedelta(days=days))

    return router


def shown_finding(finding: Finding) -> dict[str, Any]:
    return {
        "level": finding.level,
        "kind": finding.kind,
        "rule": finding.rule,
        "other": finding.other,
        "because": finding.because,
        "witness": finding.witness,
    }


def _event(body: DryRunIn, now: datetime) -> FeedbackScored | str:
    if body.accepted is None or body.score is None:
        return body.feedback_id or ""
    at = body.accepted.accepted_at or body.at or now
    accepted = FeedbackAccepted(
        feedback_id="fb_tried",
        revision=1,
        accepted_at=at,
        content=body.accepted.content,
        customer=body.accepted.customer,
    )
    return FeedbackScored(accepted=accepted, score=body.score, scored_at=at)
