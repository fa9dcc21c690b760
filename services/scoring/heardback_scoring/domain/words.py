"""Words of a text, as every rule of this package counts them."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

STEM = 4
SHORT_STEM = 3
_APOSTROPHES = "’‘ʼ＇`´"
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_ASCII_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")  # finds the same in folded ASCII, in less time


def folded(text: str) -> str:
    """Lower case, every apostrophe as `'`, and exactly as long as the original, so that spans stay valid."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    if not lower.isascii():
        for mark in _APOSTROPHES:  # most are absent: six searches are quicker than one translation
            lower = lower.replace(mark, "'")
    return lower


def words_of(folded_text: str) -> list[str]:
    """Runs of letters, inner apostrophes kept. Digits and signs are no words."""
    return (_ASCII_WORD if folded_text.isascii() else _WORD).findall(folded_text)


@dataclass(frozen=True, slots=True)
class Text:
    """One text with what every rule asks of it, worked out once."""

    original: str
    low: str
    words: tuple[str, ...]
    stems: AbstractSet[str]
    """The first four letters of every word."""
    beginnings: AbstractSet[str]
    """The first four and the first three letters of every word, and of what follows an inner apostrophe."""

    @classmethod
    def of(cls, original: str) -> Self:
        low = folded(original)
        words = words_of(low)
        stems = {word[:STEM] for word in words}
        beginnings = stems.copy()
        if "'" in low:
            beginnings.update([part[:STEM] for word in words if "'" in word for part in word.split("'")])
        beginnings.update([beginning[:SHORT_STEM] for beginning in beginnings])
        return cls(original, low, tuple(words), stems, beginnings)
