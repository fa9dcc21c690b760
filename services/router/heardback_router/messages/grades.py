"""How hard a text is to read, as a school grade, by published formulas. Pure.

English: the Flesch-Kincaid grade (Kincaid, Fishburne, Rogers and Chissom, 1975, "Derivation of New
Readability Formulas for Navy Enlisted Personnel"): 0.39 · words/sentences + 11.8 · syllables/words − 15.59.
Syllables are counted by groups of vowels, which is right for most English words and not for all.

German: the first Wiener Sachtextformel (Bamberger and Vanecek, 1984, "Lesen, Verstehen, Lernen, Schreiben"):
0.1935·MS + 0.1672·SL + 0.1297·IW − 0.0327·ES − 0.875, where MS, IW and ES are the percentages of words with
three or more syllables, more than six letters, and one syllable, and SL is the mean number of words in a
sentence.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

Formula = Literal["flesch_kincaid", "wiener", "none"]

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?]+(?:\s|$)|\n+")
_VOWELS = re.compile(r"[aeiouy]+")
_GERMAN_VOWELS = re.compile(r"[aeiouäöüy]+", re.IGNORECASE)


def words_in(text: str) -> list[str]:
    return _WORD.findall(text)


def grade_of(text: str) -> float:
    """The grade that reads English with ease; 0.0 for a text without words."""
    words = words_in(text)
    if not words:
        return 0.0
    syllables = sum(syllables_in(word) for word in words)
    return 0.39 * len(words) / _sentences(text) + 11.8 * syllables / len(words) - 15.59


def syllables_in(word: str) -> int:
    """Of an English word, at least 1. A final silent e counts for none."""
    plain = re.sub(r"[^a-z]", "", word.lower())
    groups = len(_VOWELS.findall(plain))
    silent = plain.endswith("e") and not plain.endswith(("le", "ee", "ye")) and groups > 1
    ended = plain.endswith("ed") and len(plain) > 3 and plain[-3] not in "td" and groups > 1
    return max(1, groups - silent - ended)


def grade_of_german(text: str) -> float:
    """The grade that reads German with ease; 0.0 for a text without words."""
    words = words_in(text)
    if not words:
        return 0.0
    syllables = [max(1, len(_GERMAN_VOWELS.findall(word))) for word in words]
    per_cent = 100 / len(words)
    long_sounding = per_cent * sum(1 for count in syllables if count >= 3)
    long_written = per_cent * sum(1 for word in words if len(word) > 6)
    short = per_cent * sum(1 for count in syllables if count == 1)
    mean = len(words) / _sentences(text)
    return 0.1935 * long_sounding + 0.1672 * mean + 0.1297 * long_written - 0.0327 * short - 0.875


def _sentences(text: str) -> int:
    return max(1, sum(1 for part in _SENTENCE_END.split(text) if _WORD.search(part)))


def _ungraded(_: str) -> float:
    return 0.0


GRADES: Mapping[Formula, Callable[[str], float]] = {
    "flesch_kincaid": grade_of,
    "wiener": grade_of_german,
    "none": _ungraded,
}
