"""Words of a text, as every rule of this package counts them."""

import re
from dataclasses import dataclass
from typing import Self

_APOSTROPHES = {ord(mark): "'" for mark in "’‘ʼ＇`´"}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def folded(text: str) -> str:
    """Lower case, every apostrophe as `'`, and exactly as long as the original, so that spans stay valid."""
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
    return lower if lower.isascii() else lower.translate(_APOSTROPHES)


def words_of(folded_text: str) -> list[str]:
    """Runs of letters, inner apostrophes kept. Digits and signs are no words."""
    return _WORD.findall(folded_text)


@dataclass(frozen=True, slots=True)
class Text:
    """One text with what every rule asks of it, worked out once."""

    original: str
    low: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, original: str) -> Self:
        low = folded(original)
        return cls(original, low, tuple(words_of(low)))
