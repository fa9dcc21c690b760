"""What a text promises, held against the promises that are on record. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from heardback_router.backlog.duties import Promise
from heardback_router.messages.lint import LintRules, promising_phrases
from heardback_router.promises.suggest import READERS, Suggestion, main_part, suggestions_in

COMMON = frozenset(
    re.findall(
        r"\w+",
        """about again also been before could from have into just more next once only other over shall should
        soon than that their them then there these they this until very what when where which while will with
        would your yours aber alle auch auf bald dann dass dein diese dies doch durch eine einem einen einer
        euch haben hier ihnen ihre ihrem ihren ihrer jetzt kann mehr nach nicht noch oder sehr sein sich sind
        sobald über unser unsere unserem unseren vielen wenn werde werden wieder wird wurde zwischen""",
    )
)
_WORD = re.compile(r"[^\W\d_]{4,}")
STEM = 5


@dataclass(frozen=True, slots=True)
class Unkept:
    """Something the text promises that nobody has promised. `what` is the text's own sentence."""

    what: str
    because: str


def unregistered(
    text: str,
    rules: LintRules,
    promises: Sequence[Promise],
    at: datetime,
    told: frozenset[str] = frozenset(),
    *,
    translated: bool = False,
) -> tuple[Unkept, ...]:
    """What the text promises beyond the open promises on record. One that was given to a single customer
    counts where that customer is all who is told.

    A promise on record must share the words of the sentence and be due no later than the text says. In a
    translation it is enough that the day is one on record, whose words are in another language. Where no
    promises are found by language, phrases of the messages policy give one away.
    """
    open_ones = [
        promise
        for promise in promises
        if promise.state == "open" and (promise.to is None or told == {promise.to})
    ]
    if main_part(rules.language) not in READERS:
        judged = [(said, _why_not_dated(said, None, open_ones)) for said in promising_phrases(text, rules)]
    else:
        found = list(suggestions_in(text, at, rules.language))
        judged = [(one.what, _why_not(one, open_ones, translated=translated)) for one in found]
    return tuple(Unkept(what, because) for what, because in judged if because is not None)


def _why_not(one: Suggestion, promises: Sequence[Promise], *, translated: bool) -> str | None:
    if translated and _why_not_dated(one.what, one.due_at, promises) is None:
        return None
    alike = [promise for promise in promises if _alike(one.what, promise.what)]
    if not alike:
        return "no open promise of the items says this"
    due_at = one.due_at
    if due_at is None or any(p.due_at is not None and p.due_at.date() <= due_at.date() for p in alike):
        return None
    return "it names an earlier day than the promise on record"


def _why_not_dated(sentence: str, due_at: datetime | None, promises: Iterable[Promise]) -> str | None:
    days = {promise.due_at.date() for promise in promises if promise.due_at is not None}
    if (due_at is not None and due_at.date() in days) or any(_names(sentence, day) for day in days):
        return None
    return "it does not name the day of any open promise of the items"


def _alike(one: str, other: str) -> bool:
    first, second = _stems(one), _stems(other)
    shared = first & second
    return bool(shared) and 2 * len(shared) >= min(len(first), len(second))


def _stems(text: str) -> frozenset[str]:
    words = (word.casefold() for word in _WORD.findall(text))
    return frozenset(word[:STEM] for word in words if word not in COMMON)


def _names(sentence: str, day: date) -> bool:
    spelt = rf"(?<!\d)(?:0?{day.day}[./]\s?0?{day.month}(?!\d)|{day.isoformat()})"
    return re.search(spelt, sentence) is not None
