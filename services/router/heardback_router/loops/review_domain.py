"""A message that a second person reads before customers do, or that its owner may still stop. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from heardback_router.loops.drafting import reworded
from heardback_router.messages.domain import Step
from heardback_router.outreach.domain import Draft
from heardback_router.wording import CustomerText, InternalText, Translations

ReviewState = Literal["waiting", "sending", "approved", "rejected", "withdrawn"]
"""`waiting` for a second person; `sending` by itself at `sends_at` unless it is stopped before; `withdrawn`:
the matter was taken up again, so that there is nothing to say any more."""


class ReviewError(Exception):
    """The review does not allow it now; the message says why and what would."""


class FourEyesError(ReviewError):
    """Somebody else has to release it."""


@dataclass(frozen=True, slots=True)
class Review:
    """`text` is what may be edited, in its `version`, which `author` wrote; None where a template
    alone speaks. `drafts` are the messages, one per person."""

    id: str
    item_id: str
    step: Step
    occasion: str
    state: ReviewState
    because: str
    version: int
    author: str
    text: CustomerText | None
    drafts: tuple[Draft, ...]
    opened_at: datetime
    sends_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: InternalText | None = None

    @property
    def translations(self) -> Translations:
        """Of `text`, as the messages have them."""
        changes = self.drafts[0].facts.changes if self.drafts else ()
        return changes[0].translations if changes else ()

    @property
    def loop_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for draft in self.drafts for one in draft.loop_ids))


def approved(review: Review, by: str, version: int, at: datetime) -> Review:
    """Raises FourEyesError for whoever wrote the words, ReviewError where they changed or it is over."""
    _refuse_over(review, "waiting")
    _refuse_stale(review, version)
    if by == review.author:
        raise FourEyesError(f"{by} wrote these words; somebody else has to release them")
    return replace(review, state="approved", decided_by=by, decided_at=at)


def rejected(review: Review, by: str, reason: InternalText, at: datetime) -> Review:
    """Nobody is told. Also stops what would have gone out by itself. Raises ReviewError where it is over."""
    _refuse_over(review, "waiting", "sending")
    return replace(review, state="rejected", decided_by=by, decided_at=at, reason=reason)


def edited(review: Review, by: str, text: CustomerText, translations: Translations, version: int) -> Review:
    """Other words, to be read anew; those in other languages are replaced as well. Raises ReviewError where
    they changed since, or it is over, or where nothing is translated in this step."""
    _refuse_over(review, "waiting", "sending")
    _refuse_stale(review, version)
    if translations and review.step != "told":
        raise ReviewError(f"what is said in the step {review.step} is said in one language")
    drafts = tuple(reworded(draft, text, translations) for draft in review.drafts)
    return replace(review, version=review.version + 1, author=by, text=text, drafts=drafts)


def withdrawn(review: Review, at: datetime) -> Review:
    return replace(review, state="withdrawn", decided_at=at)


def sent_by(review: Review, at: datetime) -> bool:
    """True once what goes out by itself cannot be held any more."""
    return review.state == "sending" and review.sends_at is not None and at >= review.sends_at


def people_of(drafts: Sequence[Draft]) -> int:
    return len({draft.customer_id for draft in drafts})


def _refuse_over(review: Review, *states: ReviewState) -> None:
    if review.state not in states:
        by = f" by {review.decided_by}" if review.decided_by else ""
        raise ReviewError(f"it is {review.state}{by} already; that stays")


def _refuse_stale(review: Review, version: int) -> None:
    if version != review.version:
        raise ReviewError(
            f"you read version {version}, and {review.author} has made it version {review.version}: read that"
        )
