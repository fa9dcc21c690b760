"""What was changed, and a campaign that tells it to everybody who raised it. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from heardback_router.messages.domain import ChangeFacts, Result
from heardback_router.wording import CustomerText, InternalText, Translations

CampaignState = Literal["draft", "submitted", "sending", "paused", "done", "cancelled"]


class CampaignError(ValueError):
    """The step is not open now; the text says why and what to do instead."""


class ForbiddenError(CampaignError):
    """Somebody else has to do this."""


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """What was done about items, by whom and when. `reviewed_by` is another person than `recorded_by`; None
    where nobody has looked at it yet. `translations` are `tell` in other languages, by their codes."""

    id: str
    result: Result
    what: InternalText
    tell: CustomerText
    on: date
    reference: str | None
    item_ids: tuple[str, ...]
    recorded_by: str
    recorded_at: datetime
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    translations: Translations = ()

    @property
    def facts(self) -> ChangeFacts:
        """What a message may claim from it."""
        return ChangeFacts(
            self.result,
            self.tell,
            self.on,
            self.id,
            self.reference,
            reviewed=self.reviewed_by is not None,
            translations=self.translations,
        )


def reviewed(change: ChangeRecord, by: str, at: datetime) -> ChangeRecord:
    """Raises ForbiddenError for the one who recorded it, CampaignError where it was reviewed before."""
    if by == change.recorded_by:
        raise ForbiddenError(f"{by} recorded this change; somebody else has to review it")
    if change.reviewed_by is not None:
        raise CampaignError(f"{change.reviewed_by} has reviewed it already")
    return replace(change, reviewed_by=by, reviewed_at=at)


@dataclass(frozen=True, slots=True)
class Picked:
    """Which items: by id, by case, or by what they are about and when they were opened (`since` is part of
    the range, `until` is not)."""

    items: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    domain: str | None = None
    category: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def filters(self) -> bool:
        return any(one is not None for one in (self.domain, self.category, self.key, self.since, self.until))

    @property
    def record(self) -> dict[str, Any]:
        """As it is kept with the campaign; what was not asked for is left out."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: _plain(value) for name, value in said.items()}


@dataclass(frozen=True, slots=True)
class Campaign:
    """One message to everybody with a stake in its items, resting on change records.

    `picked` is how the items were chosen; `item_ids` is what that came to when it was made, and stays.
    `recipients` are those to be told since it was approved, `fed` how many of them have been handed on.
    `paused` is the time it has stood still, without the pause it is in.
    """

    id: str
    name: str
    picked: Mapping[str, Any]
    item_ids: tuple[str, ...]
    change_ids: tuple[str, ...]
    made_by: str
    made_at: datetime
    state: CampaignState = "draft"
    version: int = 1
    submitted_by: str | None = None
    submitted_at: datetime | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    decision: Mapping[str, Any] | None = None
    recipients: int = 0
    fed: int = 0
    paused_at: datetime | None = None
    paused: timedelta = timedelta()
    ended_at: datetime | None = None

    def sending_time(self, at: datetime) -> timedelta:
        """For how long it has been sending, pauses left out."""
        if self.approved_at is None:
            return timedelta()
        until = min(moment for moment in (at, self.paused_at, self.ended_at) if moment is not None)
        return max(timedelta(), until - self.approved_at - self.paused)


def revised(
    campaign: Campaign,
    name: str,
    picked: Mapping[str, Any],
    item_ids: tuple[str, ...],
    changes: tuple[str, ...],
) -> Campaign:
    _only_when(campaign, "changed", "draft")
    return _next(campaign, name=name, picked=picked, item_ids=item_ids, change_ids=changes)


def submitted(campaign: Campaign, by: str, at: datetime) -> Campaign:
    _only_when(campaign, "submitted", "draft")
    return _next(campaign, state="submitted", submitted_by=by, submitted_at=at)


def returned(campaign: Campaign) -> Campaign:
    """Back to its makers, who may change it."""
    _only_when(campaign, "returned", "submitted")
    return _next(campaign, state="draft", submitted_by=None, submitted_at=None)


def approved(
    campaign: Campaign, by: str, at: datetime, decision: Mapping[str, Any], recipients: int
) -> Campaign:
    """Raises ForbiddenError where a second person is needed and `by` made or submitted it. With nobody to
    tell it is done at once."""
    _only_when(campaign, "approved", "submitted")
    if decision["second_person"] and by in {campaign.made_by, campaign.submitted_by}:
        why = "; ".join(decision["because"])
        raise ForbiddenError(f"{by} made or submitted it, and a second person has to approve it: {why}")
    return _next(
        campaign,
        state="sending" if recipients else "done",
        approved_by=by,
        approved_at=at,
        decision=decision,
        recipients=recipients,
        ended_at=None if recipients else at,
    )


def paused(campaign: Campaign, at: datetime) -> Campaign:
    _only_when(campaign, "paused", "sending")
    return _next(campaign, state="paused", paused_at=at)


def resumed(campaign: Campaign, at: datetime) -> Campaign:
    _only_when(campaign, "resumed", "paused")
    stood = at - campaign.paused_at if campaign.paused_at else timedelta()
    return _next(campaign, state="sending", paused_at=None, paused=campaign.paused + max(stood, timedelta()))


def cancelled(campaign: Campaign, at: datetime) -> Campaign:
    """What was sent stays sent; the others are not told by it."""
    _only_when(campaign, "cancelled", "draft", "submitted", "sending", "paused")
    return _next(campaign, state="cancelled", ended_at=at)


def fed(campaign: Campaign, more: int) -> Campaign:
    return replace(campaign, fed=campaign.fed + more)


def finished(campaign: Campaign, at: datetime) -> Campaign:
    """All its messages have ended."""
    _only_when(campaign, "finished", "sending")
    return _next(campaign, state="done", ended_at=at)


def _only_when(campaign: Campaign, deed: str, *states: CampaignState) -> None:
    if campaign.state not in states:
        raise CampaignError(
            f"it is {campaign.state}; it can be {deed} only while it is {' or '.join(states)}"
        )


def _next(campaign: Campaign, **values: Any) -> Campaign:
    return replace(campaign, version=campaign.version + 1, **values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
