"""What was changed. Every claim towards a customer cites one of these. Pure."""

from dataclasses import dataclass
from datetime import date, datetime

from heardback_router.messages.domain import Result
from heardback_router.wording import CustomerText, InternalText


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """What was done about items, by whom and when. `reviewed_by` is another person than `recorded_by`; None
    where nobody has looked at it yet."""

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
