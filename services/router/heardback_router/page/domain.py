"""What the page shows and what one-time codes allow. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Literal

from heardback_router.messages.domain import Result
from heardback_shared.contact.domain import Recipient
from heardback_shared.contracts.events import LoopState

Deed = Literal["erase", "address"]
"""What a link alone does not allow: a code sent to the customer's own address is asked for besides."""

CODE_DIGITS = 8
CODE_LIVES = timedelta(minutes=15)
CODES_AN_HOUR = 3
KEEP_CODES = timedelta(days=1)
"""A used or expired code may be of a new address: it is not kept longer than it is of use."""
WRONG_AT_MOST = 5

HEARD: frozenset[LoopState] = frozenset({"told", "confirmed", "disputed"})
"""Only then the customer was told something; before, a text may still be under review."""


@dataclass(frozen=True, slots=True)
class Step:
    state: LoopState
    at: datetime


@dataclass(frozen=True, slots=True)
class Words:
    """What was written for customers, and the code of the language it is in."""

    text: str = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a message rested on, and in which words it said so: by language, None for everybody else."""

    result: Result
    on: date
    reference: str | None
    words: Mapping[str | None, str] = field(default_factory=dict, repr=False)

    def words_for(self, reader: str, otherwise: str) -> Words | None:
        """In the reader's language, or in `otherwise`, that of the words for everybody else."""
        for key, language in ((reader, reader), (None, otherwise)):
            if key in self.words:
                return Words(self.words[key], language)
        return None


@dataclass(frozen=True, slots=True)
class Said:
    """One feedback. `words` are the customer's as far as they are kept."""

    feedback_id: str
    kind: Literal["survey", "transcript"]
    source: str
    touchpoint: str | None
    at: datetime
    words: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Matter:
    """What became of feedback, newest of it first. `message` is what the customer was told, None where they
    were not; the loop is None where there is none yet."""

    said: tuple[Said, ...]
    item_id: str
    loop_id: str | None = None
    steps: tuple[Step, ...] = ()
    message: str | None = field(default=None, repr=False)
    changes: tuple[Change, ...] = ()
    can_answer: bool = False
    elsewhere: bool = False
    """It was raised under another id of the same person; what was written there is not shown here."""

    def told(self, reader: str, otherwise: str) -> list[Words]:
        """`message` in the reader's language as far as it was written in it; `otherwise` is its own. What
        a message said of other matters is left out."""
        if self.message is None:
            return []
        about = [one for one in self.changes if one.words.get(None, "") in self.message]
        said = [words for one in about if (words := one.words_for(reader, otherwise)) is not None]
        return said or [Words(self.message, otherwise)]


def gathered(matters: Iterable[Matter]) -> list[Matter]:
    """Feedback about the same thing shown together, at the place of its newest; so nothing is asked twice."""
    found: dict[str, Matter] = {}
    for matter in matters:
        key = matter.loop_id or matter.item_id
        first = found.get(key)
        found[key] = matter if first is None else replace(first, said=first.said + matter.said)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class PageView:
    matters: Sequence[Matter]
    more: bool
    who: Recipient
    own: Mapping[str, object]
    """What the customer stated themselves, by wish."""
    masked_email: str | None
    erasure_requested_at: datetime | None
    otherwise: str = "en"
    """The language of what we wrote for everybody."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code as kept. The code itself is not."""

    id: str
    customer_id: str
    deed: Deed
    digest: bytes = field(repr=False)
    wrong: int
    expires_at: datetime
    used_at: datetime | None
    sealed: bytes | None = field(default=None, repr=False)


CodeVerdict = Literal["right", "wrong", "used", "expired", "locked"]


def judge_code(kept: Code, fits: bool, now: datetime) -> CodeVerdict:
    """A code works once, for a quarter of an hour, and not at all after too many wrong ones."""
    if kept.used_at is not None:
        return "used"
    if now >= kept.expires_at:
        return "expired"
    if kept.wrong >= WRONG_AT_MOST:
        return "locked"
    return "right" if fits else "wrong"


def masked(address: str) -> str:
    """Enough to recognise one's own address by: `a…@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
