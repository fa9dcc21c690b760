"""A look at a text before a customer reads it, in the language it is in; the only one there is. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from heardback_router.messages.domain import Result
from heardback_router.messages.grades import GRADES, Formula, words_in
from heardback_router.promises.suggest import READERS, main_part, suggestions_in

Rule = Literal[
    "unfilled_field",
    "blame",
    "reading_level",
    "shouting",
    "internal_word",
    "promise_without_date",
    "overclaim",
    "other_language",
    "unread_language",
]
REFUSED: frozenset[Rule] = frozenset({"unfilled_field", "overclaim"})
GRADED_FROM = 15
"""A text of fewer words has no reading level worth the name."""

_UNFILLED = re.compile(
    r"\{\{?[^{}\n]{0,60}\}\}?|<[A-Za-z][A-Za-z_ ]{0,40}>|\[[A-Z][A-Z_ ]{2,40}\]|_{3,}"
    r"|\b(?:XX+|TODO|TBD|FIXME)\b"
)
_LOUD = re.compile(r"\b[A-ZÄÖÜ]{4,}\b")
_BANGS = re.compile(r"!{2,}|\?{2,}|!\?|\?!")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_DIGIT = re.compile(r"\d")
_SMALL_WORDS = {
    "en": frozenset(
        re.findall(r"\w+", "the and you your we our is are was it this that with for not have of")
    ),
    "de": frozenset(re.findall(r"\w+", "der die das und sie ihr ihre wir unser ist war nicht mit für ein")),
}
_FEWEST_SMALL_WORDS = 3


@dataclass(frozen=True, slots=True)
class LintRules:
    """What is looked for in one language. Phrases count wherever they stand as whole words, in any case.

    `acronyms` may be in capitals; `solved` are words that claim it is solved. `promises` are phrases that
    promise something, for languages in which promises are not found otherwise.
    """

    language: str
    formula: Formula = "none"
    highest_grade: float = 10.0
    blame: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    acronyms: tuple[str, ...] = ()
    solved: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """`refuses`: with it the text must not be sent; otherwise it is a warning."""

    rule: Rule
    detail: str

    @property
    def refuses(self) -> bool:
        return self.rule in REFUSED


def lint(
    text: str, rules: LintRules, at: datetime, results: frozenset[Result] = frozenset()
) -> tuple[Finding, ...]:
    """What is wrong with the text, each thing with how to mend it.

    `results` are what became of the matters it speaks of: where one of them is not solved, nothing may sound
    as if it were. `at` is when it is said, so that "by Friday" is a date.
    """
    return (*_wording(text, rules), *_claims(text, rules, at, results), *_reading(text, rules))


def undated_promises(text: str, rules: LintRules, at: datetime) -> list[str]:
    """Sentences that promise something and do not say by when."""
    if main_part(rules.language) in READERS:
        return [one.what for one in suggestions_in(text, at, rules.language) if one.due_at is None]
    return [said for said in promising_phrases(text, rules) if not _DIGIT.search(said)]


def promising_phrases(text: str, rules: LintRules) -> list[str]:
    """Sentences with a phrase of `rules.promises`."""
    sentences = (said[0].strip() for said in _SENTENCE.finditer(text))
    return [said for said in sentences if _standing(said, rules.promises)]


def _wording(text: str, rules: LintRules) -> Iterator[Finding]:
    for place in dict.fromkeys(_UNFILLED.findall(text)):
        yield Finding("unfilled_field", f"“{place}” was not filled in; replace it or leave it out")
    for phrase in _standing(text, rules.blame):
        yield Finding("blame", f"“{phrase}” blames the customer; say what we do instead")
    for phrase in _standing(text, rules.internal):
        yield Finding("internal_word", f"“{phrase}” is our word, not the customer's; say what it means")
    said = _UNFILLED.sub(" ", text)
    loud = [word for word in dict.fromkeys(_LOUD.findall(said)) if word not in rules.acronyms]
    if loud or _BANGS.search(said):
        what = f"“{', '.join(loud)}” in capitals" if loud else "more than one mark at the end of a sentence"
        yield Finding("shouting", f"{what} reads as shouting; write it as usual")


def _claims(text: str, rules: LintRules, at: datetime, results: frozenset[Result]) -> Iterator[Finding]:
    for what in undated_promises(text, rules, at):
        yield Finding("promise_without_date", f"“{what}” promises something without a date; say by when")
    if results & {"partial", "declined"}:
        for word in _standing(text, rules.solved):
            yield Finding("overclaim", f"“{word}” says it is solved, and not all of it is; say what is true")


def _reading(text: str, rules: LintRules) -> Iterator[Finding]:
    words = words_in(text)
    if (other := _other_language([word.casefold() for word in words], rules.language)) is not None:
        yield Finding(
            "other_language",
            f"this reads as {other}, and readers of {rules.language} get it; say it in {rules.language} "
            f"here, and in {other} under translations",
        )
    elif len(words) >= GRADED_FROM and (grade := GRADES[rules.formula](text)) > rules.highest_grade:
        yield Finding(
            "reading_level",
            f"it takes grade {grade:.1f} to read with ease, and {rules.highest_grade:g} is the limit; use "
            "shorter words and sentences",
        )


def _other_language(words: list[str], language: str) -> str | None:
    """Another language in which the text must be; None where its small words do not tell."""
    own = _SMALL_WORDS.get(main_part(language))
    if own is None or any(word in own for word in words):
        return None
    counted = {code: sum(word in small for word in words) for code, small in _SMALL_WORDS.items()}
    best = max(counted, key=lambda code: counted[code])
    return best if counted[best] >= _FEWEST_SMALL_WORDS else None


def _standing(text: str, phrases: Iterable[str]) -> list[str]:
    plain = text.replace("’", "'")
    return [p for p in phrases if re.search(rf"(?<!\w){re.escape(p)}(?!\w)", plain, re.IGNORECASE)]
