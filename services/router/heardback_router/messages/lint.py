"""A look at a text before a customer reads it, in the customer's language. Pure.

Reading level of German: the first Wiener Sachtextformel (Bamberger and Vanecek, 1984, "Lesen, Verstehen,
Lernen, Schreiben"): 0.1935·MS + 0.1672·SL + 0.1297·IW − 0.0327·ES − 0.875, where MS, IW and ES are the
percentages of words with three or more syllables, more than six letters, and one syllable, and SL is the mean
number of words in a sentence. It gives a school grade, as Flesch and Kincaid's does for English.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from heardback_router.forms.lint import GRADED_FROM, Finding, LintRules, grade_of, lint
from heardback_router.messages.domain import Result
from heardback_router.promises.suggest import suggestions_in

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_GROUPS = re.compile(r"[aeiouäöüy]+", re.IGNORECASE)
_DIGIT = re.compile(r"\d")

Formula = Literal["flesch_kincaid", "wiener", "none"]


@dataclass(frozen=True, slots=True)
class MessageLint:
    """`common` holds in any language; `solved` are words that claim it is solved; `promises`
    are phrases that promise something and then need a date in their sentence."""

    common: LintRules
    formula: Formula = "none"
    highest_grade: float = 10.0
    solved: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()


def look(
    text: str, rules: MessageLint, at: datetime, results: frozenset[Result] = frozenset()
) -> list[Finding]:
    """What is wrong with the text, each thing with how to mend it.

    `results` are what became of the matters it speaks of: where one of them is not solved, nothing may sound
    as if it were. `at` is when it is said, so that "by Friday" is a date.
    """
    found = [finding for finding in lint(text, rules.common) if finding.rule != "reading_level"]
    return [*found, *_further(text, rules, at, results)]


def grade_of_german(text: str) -> float:
    """The school grade that reads it with ease; 0.0 for a text without words."""
    words = _WORD.findall(text)
    if not words:
        return 0.0
    syllables = [max(1, len(_GROUPS.findall(word))) for word in words]
    sentences = max(1, sum(1 for part in _SENTENCE.findall(text) if _WORD.search(part)))
    per_cent = 100 / len(words)
    long_sounding = per_cent * sum(1 for count in syllables if count >= 3)
    long_written = per_cent * sum(1 for word in words if len(word) > 6)
    short = per_cent * sum(1 for count in syllables if count == 1)
    mean = len(words) / sentences
    return 0.1935 * long_sounding + 0.1672 * mean + 0.1297 * long_written - 0.0327 * short - 0.875


def _further(text: str, rules: MessageLint, at: datetime, results: frozenset[Result]) -> Iterator[Finding]:
    for what in _undated(text, rules, at):
        yield Finding("promise_without_date", f"“{what}” promises something without a date; say by when")
    if results & {"partial", "declined"}:
        for word in _standing(text, rules.solved):
            yield Finding("overclaim", f"“{word}” says it is solved, and not all of it is; say what is true")
    grade = _grade(text, rules)
    if grade > rules.highest_grade:
        yield Finding(
            "reading_level",
            f"it takes grade {grade:.1f} to read with ease, and {rules.highest_grade:g} is the limit; use "
            "shorter words and sentences",
        )


def _undated(text: str, rules: MessageLint, at: datetime) -> list[str]:
    if rules.formula == "flesch_kincaid":
        return [one.what for one in suggestions_in(text, at) if one.due_at is None]
    sentences = (said[0].strip() for said in _SENTENCE.finditer(text))
    return [said for said in sentences if _standing(said, rules.promises) and not _DIGIT.search(said)]


def _grade(text: str, rules: MessageLint) -> float:
    if len(_WORD.findall(text)) < GRADED_FROM or rules.formula == "none":
        return 0.0
    if rules.formula == "wiener":
        return grade_of_german(text)
    return grade_of(text)


def _standing(text: str, phrases: tuple[str, ...]) -> list[str]:
    return [p for p in phrases if re.search(rf"(?<!\w){re.escape(p)}(?!\w)", text, re.IGNORECASE)]
