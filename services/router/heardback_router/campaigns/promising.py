"""What a text promises, held against the promises that are on record. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from heardback_router.backlog.duties import Promise
from heardback_router.messages.lint import MessageLint
from heardback_router.promises.suggest import suggestions_in

COMMON = frozenset(
    re.findall(
        r"\w+",
        """about again also been before could from have into just more next once only other over shall should
        soon than that their them then there these they this until very what when where which while will with
        would your yours""",
    )
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\w)[^.!?\n]*)*[.!?]*")
STEM = 5


@dataclass(frozen=True, slots=True)
class Unkept:
    """Something the text promises that nobody has promised. `what` is the text's own sentence."""

    what: str
    because: str


def unregistered(
    text: str,
    rules: MessageLint,
    promises: Sequence[Promise],
    at: datetime,
    told: frozenset[str] = frozenset(),
) -> tuple[Unkept, ...]:
    """What the text promises beyond the open promises on record. One that was given to a single customer
    counts where that customer is all who is told.

    English is read sentence by sentence, and a promise on record must share its words and be due no later
    than the text says. In other languages phrases of the messages policy give a promise away, and the
    sentence must name the day of one on record.
    """
    open_ones = [
        promise
        for promise in promises
        if promise.state == "open" and (promise.to is None or told == {promise.to})
    ]
    if rules.formula == "flesch_kincaid":
        found = suggestions_in(text, at)
        judged = ((one.what, _why_not(one.what, one.due_at, open_ones)) for one in found)
    else:
        said = (match[0].strip() for match in _SENTENCE.finditer(text))
        promising = (one for one in said if _has_any(one, rules.promises))
        judged = ((one, _why_not_dated(one, open_ones)) for one in promising)
    return tuple(Unkept(what, because) for what, because in judged if because is not None)


def _why_not(what: str, due_at: datetime | None, promises: Iterable[Promise]) -> str | None:
    alike = [promise for promise in promises if _alike(what, promise.what)]
    if not alike:
        return "no open promise of the items says this"
    if due_at is None or any(p.due_at is not None and p.due_at.date() <= due_at.date() for p in alike):
        return None
    return "it names an earlier day than the promise on record"


def _why_not_dated(sentence: str, promises: Iterable[Promise]) -> str | None:
    days = [promise.due_at.date() for promise in promises if promise.due_at is not None]
    if any(_names(sentence, day) for day in days):
        return None
    return "it does not name the day of any open promise of the items"


def _alike(one: str, other: str) -> bool:
    first, second = _stems(one), _stems(other)
    shared = first & second
    return bool(shared) and 2 * len(shared) >= min(len(first), len(second))


def _stems(text: str) -> frozenset[str]:
    words = (word.casefold() for word in _WORD.findall(text))
    return frozenset(word[:STEM] for word in words if word not in COMMON)


def _has_any(text: str, phrases: Iterable[str]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text, re.IGNORECASE) for one in phrases)


def _names(sentence: str, day: date) -> bool:
    spelt = rf"(?<!\d)(?:0?{day.day}[./]\s?0?{day.month}(?!\d)|{day.isoformat()})"
    return re.search(spelt, sentence) is not None
