"""The backlog's bodies on the wire."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from heardback_router.backlog.children import ChildrenOut
from heardback_router.backlog.domain import Item
from heardback_router.backlog.duties import PromiseState, StepOutcome
from heardback_router.backlog.order import because, contributions_of
from heardback_router.characters import unreadable
from heardback_router.messages.domain import Result
from heardback_router.wording import CUSTOMER_TEXT_LIMIT, INTERNAL_TEXT_LIMIT, LanguageCode
from heardback_shared.contracts.base import Submission
from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain the character U+0000")
    return text


def _as_it_is_read(text: str) -> str:
    """What the customer sees is what was written."""
    said = text.replace("\r\n", "\n")
    if found := unreadable(said):
        raise ValueError(f"must not contain {found}, which a reader does not see; type the text anew")
    return said


_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True), AfterValidator(_without_nul)]
Name = Annotated[_Text, Field(max_length=200)]
Internal = Annotated[_Text, Field(max_length=INTERNAL_TEXT_LIMIT)]
ForCustomer = Annotated[_Text, Field(max_length=CUSTOMER_TEXT_LIMIT), AfterValidator(_as_it_is_read)]
MOST_LANGUAGES = 30
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._#/-]{0,79}$")]


class PlanIn(Submission):
    text: ForCustomer


class TellCustomer(Submission):
    """`text` is in the language that the messages policy has for everybody else; `translations` are the same
    in other languages, by code. Each customer reads their own, or `text` with a word on its language."""

    text: ForCustomer
    translations: dict[LanguageCode, ForCustomer] = Field(default_factory=dict, max_length=MOST_LANGUAGES)


class ClaimIn(Submission):
    """Without `assignee` the caller takes it."""

    assignee: Name | None = None


class StartIn(Submission):
    """What is planned, as customers may read it, and by when: a time that was named is a promise."""

    plan: PlanIn | None = None
    due_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _time_of_something(self) -> Self:
        if self.due_at is not None and self.plan is None:
            raise ValueError('say what is due then: {"plan":{"text":"…"},"due_at":"…"}')
        return self


class CommentIn(Submission):
    """For colleagues; customers never see it."""

    text: Internal


class ResolveIn(Submission):
    """Exactly one of `tell_customer` and `not_telling_because`. Nothing was changed where it is `declined`,
    and the customer reads why. `reference` is what a customer may quote, such as the number of a release."""

    root_cause: Internal
    action: Internal
    result: Result = "done"
    reference: Reference | None = None
    tell_customer: TellCustomer | None = None
    not_telling_because: Internal | None = None
    form: dict[Name, str | int | float | bool | None] = Field(
        default_factory=dict, description="The resolution form of the item's domain, field by field"
    )

    @model_validator(mode="after")
    def _says_what_the_customer_hears(self) -> Self:
        if (self.tell_customer is None) == (self.not_telling_because is None):
            raise ValueError(
                'say what the customer is told, {"tell_customer":{"text":"…"}}, or why nothing, '
                '{"not_telling_because":"…"}: exactly one of the two'
            )
        if self.result == "declined" and self.tell_customer is None:
            raise ValueError(
                'a customer whose wish is declined reads why: {"tell_customer":{"text":"We will not …, '
                'because …"}}'
            )
        return self


class ReasonIn(Submission):
    reason: Internal


class ReassignIn(Submission):
    team: Name
    reason: Internal


class ContributionOut(BaseModel):
    factor: str
    points: float
    because: str


class SeverityOut(BaseModel):
    score: float
    band: Band


class WeighedOut(SeverityOut):
    """`contributions` add up to the score."""

    contributions: list[ContributionOut]


class CountsOut(BaseModel):
    """How often what happened; `rework` is how often it had to be done again."""

    transfers: int
    reopens: int
    rework: int
    escalations: int
    breaches: int
    open_promises: int
    broken_promises: int
    minutes: int


class CriterionOut(BaseModel):
    """What the customer calls solved. `outcome` None: nobody has said yet whether it is met."""

    text: str
    source: str
    set_by: str
    outcome: Literal["met", "waived"] | None
    because: str | None
    settled_by: str | None


class ItemOut(BaseModel):
    """`because` says why it stands where it stands in a list."""

    id: str
    title: str
    team: str
    assignee: str | None
    state: ItemState
    severity: WeighedOut
    domain: str | None
    category: str | None
    feedback_count: int
    customers: list[str]
    clocks: list[dict[str, Any]] | None = Field(
        description="Of each clock its last run: of one item as of now, in lists as of the last look at the "
        "item, in the answer to a deed null"
    )
    opened_at: datetime
    updated_at: datetime
    version: int
    because: str
    counts: CountsOut
    flag: Literal["standard", "custom"] | None
    request: str | None
    parent: str | None
    case: str | None
    merged_into: str | None
    waiting_for: str | None
    criterion: CriterionOut | None = Field(description="The customer's own, beside the clocks")


class ResolvedOut(ItemOut):
    """`warnings` are what was found in the text for the customer; the item is resolved all the same."""

    warnings: list[dict[str, str]]


class ViewOut(BaseModel):
    id: str
    name: str
    owner: str
    shared: bool
    filters: dict[str, Any]
    columns: list[str]
    sort: Literal["severity", "due"]
    version: int
    updated_at: datetime


class PageOut(BaseModel):
    items: list[ItemOut]
    next_cursor: str | None
    view: ViewOut | None = None


class EntryOut(BaseModel):
    sequence: int
    kind: str
    actor: str
    at: datetime
    reason: str | None
    data: dict[str, Any]


class ResolutionOut(BaseModel):
    number: int
    root_cause: str
    action: str
    result: Result
    reference: str | None
    tell_customer: str | None
    translations: dict[str, str]
    not_telling_because: str | None
    actor: str
    at: datetime
    form: dict[str, Any]
    warnings: list[dict[str, str]]


class PromiseOut(BaseModel):
    id: str
    what: str
    to: str | None
    by: str
    due_at: datetime | None
    state: PromiseState


class StepOut(BaseModel):
    """`holds_up` while the item cannot be resolved for want of it."""

    id: str
    title: str
    mandatory: bool
    approval: str | None
    because: str
    asked_by: str | None
    outcome: StepOutcome | None
    settled_by: str | None
    holds_up: bool


class EarlierResolutionOut(BaseModel):
    """A resolution that did not hold, and who said so. `entry` is where in the timeline; words are there."""

    number: int
    root_cause: str
    action: str
    resolved_at: datetime
    resolved_by: str
    reopened_at: datetime
    reopened_by: str
    reopened_because: str | None
    entry: int


class LinkedFeedbackOut(BaseModel):
    """One feedback of the item: redacted content, score, why it is here, and its decision record."""

    feedback_id: str
    customer_id: str | None
    channel: str | None
    revision: int
    joined_because: str
    accepted_at: datetime
    scored_at: datetime
    routed_at: datetime
    content: dict[str, Any]
    score: dict[str, Any]
    decision: dict[str, Any]


class ItemDetailOut(ItemOut):
    """With the newest 500 entries of the log, oldest first, and the newest 100 feedbacks, newest first."""

    children: ChildrenOut
    resolution: ResolutionOut | None
    earlier_resolutions: list[EarlierResolutionOut]
    promises: list[PromiseOut]
    steps: list[StepOut]
    timeline: list[EntryOut]
    feedback: list[LinkedFeedbackOut]
    loops: list[dict[str, Any]]


class TeamOut(BaseModel):
    """`unresolved` counts open and in progress; `bands` are of those."""

    team: str
    title: str
    unresolved: int
    states: dict[str, int]
    bands: dict[str, int]


class BacklogOut(BaseModel):
    teams: list[TeamOut]


def shown(item: Item, clocks: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """The item as JSON."""
    weight = item.weight
    return {
        "id": item.id,
        "title": item.title,
        "team": item.team,
        "assignee": item.assignee,
        "state": item.state,
        "severity": {
            "score": weight.score,
            "band": weight.band,
            "contributions": list(contributions_of(item)),
        },
        "domain": item.domain,
        "category": item.category,
        "feedback_count": item.feedback_count,
        "customers": list(item.customers),
        "clocks": clocks,
        "opened_at": item.opened_at,
        "updated_at": item.updated_at,
        "version": item.version,
        "because": because(item),
        "counts": {**asdict(item.counts), "rework": item.counts.reopens},
        "flag": item.flag,
        "request": item.request,
        "parent": item.parent_id,
        "case": item.case_id,
        "merged_into": item.merged_into,
        "waiting_for": item.waiting_for,
        "criterion": asdict(item.criterion) if item.criterion else None,
    }


def counted(teams: Mapping[str, str], counts: Iterable[tuple[str, str, str, int]]) -> list[dict[str, Any]]:
    """Per team, those of the policy first even when empty, how many items in which state and band."""
    found: dict[str, dict[str, Any]] = {
        team: {"team": team, "title": title, "unresolved": 0, "states": {}, "bands": {}}
        for team, title in teams.items()
    }
    for team, state, band, number in sorted(counts):
        of_team = found.setdefault(
            team, {"team": team, "title": team, "unresolved": 0, "states": {}, "bands": {}}
        )
        of_team["states"][state] = of_team["states"].get(state, 0) + number
        if state in {"open", "in_progress"}:
            of_team["unresolved"] += number
            of_team["bands"][band] = of_team["bands"].get(band, 0) + number
    return list(found.values())
