"""Change records and campaigns on the wire."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from heardback_router.backlog.schemas import MOST_LANGUAGES, ForCustomer, Internal, Name
from heardback_router.campaigns.app import MOST_ITEMS, Done
from heardback_router.campaigns.domain import CampaignState, Picked
from heardback_router.messages.domain import Result
from heardback_router.wording import CustomerText, InternalText, LanguageCode, translated
from heardback_shared.contracts.base import Submission

MOST_CHANGES = 50
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class ChangeIn(Submission):
    """`what` is for colleagues, `tell` for customers, `translations` are `tell` in other languages by code.
    `reference` is what a customer may quote, such as the number of a release."""

    result: Result
    what: Internal
    tell: ForCustomer
    translations: dict[LanguageCode, ForCustomer] = Field(default_factory=dict, max_length=MOST_LANGUAGES)
    on: date
    reference: Name | None = None
    items: Annotated[list[Id], Field(min_length=1, max_length=MOST_ITEMS)]

    @property
    def done(self) -> Done:
        return Done(
            self.result,
            InternalText(self.what),
            CustomerText(self.tell),
            self.on,
            self.reference,
            tuple(dict.fromkeys(self.items)),
            translated(self.translations),
        )


class ChangeOut(BaseModel):
    id: str
    result: Result
    what: str
    tell: str
    translations: dict[str, str]
    on: date
    reference: str | None
    items: list[str]
    recorded_by: str
    recorded_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None


class ChangesOut(BaseModel):
    changes: list[ChangeOut]


class FilterIn(Submission):
    """Items with this root cause, by when they were opened: from `since` on, before `until`."""

    domain: Label | None = None
    category: Label | None = None
    key: Name | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class CampaignIn(Submission):
    """Which items, at least one way of saying it; what they come to is frozen. `changes` may follow while it
    is a draft."""

    name: Name
    items: Annotated[list[Id], Field(max_length=MOST_ITEMS)] = Field(default_factory=list)
    cases: Annotated[list[Id], Field(max_length=MOST_ITEMS)] = Field(default_factory=list)
    filter: FilterIn | None = None
    changes: Annotated[list[Id], Field(max_length=MOST_CHANGES)] = Field(default_factory=list)

    @property
    def picked(self) -> Picked:
        chosen = self.filter.model_dump() if self.filter else {}
        return Picked(tuple(dict.fromkeys(self.items)), tuple(dict.fromkeys(self.cases)), **chosen)

    @property
    def change_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.changes))


class ReturnIn(Submission):
    reason: Internal


class RefusalOut(BaseModel):
    code: str
    pointer: str
    detail: str


class WouldBeOut(BaseModel):
    """What would come of it if it were approved now."""

    to_tell: int
    excluded: dict[str, int]
    second_person: bool
    because: list[str]


class ProgressOut(BaseModel):
    """People. `excluded` are not written to at all, by code. `waiting` are due,
    `deferred` have a later time, `handed` are with a channel; `ended_by` says why failed, refused and
    cancelled ones ended. `told`, `confirmed` and `disputed` are where the people stand who were written to.
    `per_minute` counts the time of sending only, and `eta` leaves the deferred out."""

    recipients: int
    excluded: dict[str, int]
    waiting: int
    deferred: int
    deferred_by: dict[str, int]
    handed: int
    sent: int
    failed: int
    refused: int
    cancelled: int
    ended_by: dict[str, int]
    told: int
    confirmed: int
    disputed: int
    per_minute: float | None
    eta: datetime | None


class HistoryOut(BaseModel):
    kind: str
    actor: str
    at: datetime
    reason: str | None


class CampaignOut(BaseModel):
    id: str
    name: str
    state: CampaignState
    version: int
    picked: dict[str, Any]
    items: list[str]
    changes: list[str]
    made_by: str
    made_at: datetime
    submitted_by: str | None
    submitted_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    ended_at: datetime | None
    decision: dict[str, Any] | None = Field(description="What the approval rests on")


class CampaignPageOut(CampaignOut):
    """`would_be` and `refusals` before it is approved, `progress` after."""

    history: list[HistoryOut]
    would_be: WouldBeOut | None = None
    refusals: list[RefusalOut] | None = None
    progress: ProgressOut | None = None


class CampaignsOut(BaseModel):
    campaigns: list[CampaignOut]


class LeftOutOut(BaseModel):
    item: str
    code: str
    because: str


class RecipientOut(BaseModel):
    """With `code` they are not written to. `verdict` and `message` say before the approval what would go out
    as of now; `standing` says after it where the message is."""

    person_id: str
    customer_id: str | None
    items: list[str]
    loops: list[str]
    changes: list[str]
    left_out: list[LeftOutOut]
    code: str | None
    because: str | None
    verdict: dict[str, Any] | None = None
    message: dict[str, str] | None = None
    standing: dict[str, Any] | None = None


class RecipientsOut(BaseModel):
    recipients: list[RecipientOut]
    next_cursor: str | None
