"""What was changed. Every claim towards a customer cites one of these. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from heardback_router.messages.domain import ChangeFacts, Result
from heardback_router.wording import CustomerText, InternalText


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
    translations: Mapping[str, CustomerText] = field(default_factory=dict)

    def told_in(self, language: str | None) -> CustomerText:
        """In the language, or in one it is a variant of (`de-AT` reads `de`); else as it was written."""
        wanted = (language or "").lower()
        return self.translations.get(wanted) or self.translations.get(wanted.split("-")[0]) or self.tell

    def facts(self, language: str | None) -> ChangeFacts:
        return ChangeFacts(
            self.result,
            self.told_in(language),
            self.on,
            self.id,
            self.reference,
            reviewed=self.reviewed_by is not None,
        )


def reviewed(change: ChangeRecord, by: str, at: datetime) -> ChangeRecord:
    """Raises ForbiddenError for the one who recorded it, CampaignError where it was reviewed before."""
    if by == change.recorded_by:
        raise ForbiddenError(f"{by} recorded this change; somebody else has to review it")
    if change.reviewed_by is not None:
        raise CampaignError(f"{change.reviewed_by} has reviewed it already")
    return replace(change, reviewed_by=by, reviewed_at=at)
