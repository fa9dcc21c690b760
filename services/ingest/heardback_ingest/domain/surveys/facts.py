"""What a decision looks at. With the policy and the time, everything it looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from heardback_ingest.domain.surveys.policy import AttributeValue, SurveyType
from heardback_shared.contact.domain import ContactRules, QuietHours

State = Literal["reserved", "sent", "seen", "answered", "released", "expired"]
Kind = Literal["invitation", "reminder"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """The support conversation a survey would be about, as the platform tells it."""

    id: str | None = None
    agent_started: bool = False
    spam: bool = False
    auto_resolved_at: datetime | None = None
    can_reply: bool = True


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants to ask whom what. `account_id` beats the one on the customer's card."""

    customer_id: str
    survey: str
    type: SurveyType
    channel: str
    touchpoint: str | None = None
    kind: Kind = "invitation"
    account_id: str | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    conversation: Conversation | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """One invitation of the past, or a place kept for one. Only `reserved` needs `expires_at`."""

    id: str
    survey: str
    type: str
    channel: str
    touchpoint: str | None
    kind: Kind
    state: State
    reserved_at: datetime
    expires_at: datetime
    sent_at: datetime | None = None
    seen_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it concerns, as known at the moment. `known`: anything at all was told or heard of them.

    `refused`: opted out of being asked. `agreed`: said provably that they want to be asked.
    """

    person_id: str
    account_id: str | None = None
    time_zone: str | None = None
    known: bool = True
    erased: bool = False
    refused: bool = False
    agreed: bool = False
    held_because: str | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reach:
    """When and how often a machine may write to the person: the policy `contact`, with the person's own wish
    where there is one."""

    rules: ContactRules
    zone: str
    quiet: QuietHours | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it as of one moment. `invitations` hold those of the person, `account_invitations` those of
    everybody of the account, the person included. `open_items`: None where nothing was said of it.

    `severe` and `cues` are (what, when heard); `answers` are times. So are `messages`, which a machine sent
    to the person besides invitations, and `by_people`, which a person released. `reach` None: there are no
    quiet hours and no caps.
    """

    person: Person
    invitations: tuple[Invitation, ...] = ()
    account_invitations: tuple[Invitation, ...] = ()
    open_items: int | None = None
    severe: tuple[tuple[str, datetime], ...] = ()
    cues: tuple[tuple[str, datetime], ...] = ()
    answers: tuple[datetime, ...] = ()
    messages: tuple[datetime, ...] = ()
    by_people: tuple[datetime, ...] = ()
    reach: Reach | None = None
    crisis_because: str | None = None
    crisis_ends: datetime | None = None
    sending_stopped: str | None = None
    skipped_because: str | None = None
    enough_because: str | None = None


ReasonCode = Literal[
    "rule",
    "survey_unknown",
    "survey_type_differs",
    "unknown_customer",
    "erased",
    "opted_out",
    "no_consent",
    "on_hold",
    "sending_stopped",
    "crisis",
    "open_complaint",
    "just_answered",
    "vulnerability_cue",
    "contacted_too_often",
    "quiet_hours",
    "daily_cap",
    "weekly_cap",
    "enough_asked",
    "agent_started",
    "spam_thread",
    "auto_resolved_long_ago",
    "cannot_reply",
    "conversation_skipped",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands against asking. It ends at `until`; without one, at an event or never, as `ends`
    says."""

    code: ReasonCode
    detail: str
    rule: str | None = None
    until: datetime | None = None
    ends: Literal["at", "event", "never"] = "event"


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed when there is no reason against it. `next_eligible_at`: the first moment at which nothing
    would stand against it if nothing else happens; None where time alone does not bring it."""

    reasons: tuple[Reason, ...]
    next_eligible_at: datetime | None

    @property
    def allowed(self) -> bool:
        return not self.reasons
