"""A look at a text before a customer reads it. Pure.

Reading level: the Flesch-Kincaid grade (Kincaid, Fishburne, Rogers and Chissom, 1975, "Derivation of New
Readability Formulas for Navy Enlisted Personnel"): 0.39 · words/sentences + 11.8 · syllables/words − 15.59.
Syllables are counted by groups of vowels, which is right for most English words and not for all.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Rule = Literal[
    "unfilled_field",
    "blame",
    "reading_level",
    "shouting",
    "internal_word",
    "promise_without_date",
    "overclaim",
]
REFUSED: frozenset[Rule] = frozenset({"unfilled_field", "overclaim"})
GRADED_FROM = 15
"""A text of fewer words has no reading level worth the name."""

_UNFILLED = re.compile(
    r"\{\{?[^{}\n]{0,60}\}\}?|<[A-Za-z][A-Za-z_ ]{0,40}>|\[[A-Z][A-Z_ ]{2,40}\]|_{3,}"
    r"|\b(?:XX+|TODO|TBD|FIXME)\b"
)
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?:\s|$)|\n+")
_VOWELS = re.compile(r"[aeiouy]+")
_LOUD = re.compile(r"\b[A-Z]{4,}\b")
_BANGS = re.compile(r"!{2,}|\?{2,}|!\?|\?!")


@dataclass(frozen=True, slots=True)
class LintRules:
    """Phrases count wherever they stand as whole words, in any case; `acronyms` may be in capitals."""

    blame: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    acronyms: tuple[str, ...] = ()
    highest_grade: float = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`refuses`: with it the text must not be sent; otherwise it is a warning."""

    rule: Rule
    detail: str

    @property
    def refuses(self) -> bool:
        return self.rule in REFUSED


def lint(text: str, rules: LintRules) -> tuple[Finding, ...]:
    """What is wrong with the text, each thing with how to mend it."""
    return tuple(_findings(text, rules))


def grade_of(text: str) -> float:
    """The school grade that reads it with ease; 0.0 for a text without words."""
    words = _WORD.findall(text)
    if not words:
        return 0.0
    sentences = max(1, sum(1 for part in _SENTENCE_END.split(text) if _WORD.search(part)))
    syllables = sum(syllables_in(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def syllables_in(word: str) -> int:
    """At least 1. A final silent e counts for none."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    groups = len(_VOWELS.findall(plain))
    silent = plain.endswith("e") and not plain.endswith(("le", "ee", "ye")) and groups > 1
    ended = plain.endswith("ed") and len(plain) > 3 and plain[-3] not in "td" and groups > 1
    return max(1, groups - silent - ended)


def _findings(text: str, rules: LintRules) -> Iterator[Finding]:
    for place in dict.fromkeys(_UNFILLED.findall(text)):
        yield Finding("unfilled_field", f"“{place}” was not filled in; replace it or leave it out")
    for phrase in _phrases(text, rules.blame):
        yield Finding("blame", f"“{phrase}” blames the customer; say what we do instead")
    for phrase in _phrases(text, rules.internal):
        yield Finding("internal_word", f"“{phrase}” is our word, not the customer's; say what it means")
    said = _UNFILLED.sub(" ", text)
    loud = [word for word in dict.fromkeys(_LOUD.findall(said)) if word not in rules.acronyms]
    if loud or _BANGS.search(said):
        what = f"“{', '.join(loud)}” in capitals" if loud else "more than one mark at the end of a sentence"
        yield Finding("shouting", f"{what} reads as shouting; write it as usual")
    if len(_WORD.findall(text)) >= GRADED_FROM and (grade := grade_of(text)) > rules.highest_grade:
        yield Finding(
            "reading_level",
            f"it takes grade {grade:.1f} to read with ease, and {rules.highest_grade:g} is the limit; use "
            "shorter words and sentences",
        )


def _phrases(text: str, phrases: Iterable[str]) -> list[str]:
    plain = text.replace("’", "'")
    return [p for p in phrases if re.search(rf"(?<!\w){re.escape(p)}(?!\w)", plain, re.IGNORECASE)]
