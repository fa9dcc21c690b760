"""Ratings written as text: "5/5", "3 out of 10", "1 star", "★★☆☆☆", "80 %"."""

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

_AROUND = " \t\r\n.!,;:()\"'"
_NUMBER = r"(\d{1,3}(?:[.,]\d{1,2})?)"
_OF = re.compile(rf"{_NUMBER} ?(?:/|out of) ?(5|10|100)(?: stars?)?", re.IGNORECASE)
_STARS = re.compile(
    rf"(?:only |just )?(?:{_NUMBER}|(zero|one|two|three|four|five))[ -]?stars?", re.IGNORECASE
)
_PERCENT = re.compile(rf"{_NUMBER} ?%")
_DRAWN = re.compile("(?:[★⭐🌟]\ufe0f?)*(?:☆)*")
_WORDS = ("zero", "one", "two", "three", "four", "five")


class RatingWord(BaseModel):
    """The word for ratings from this share of the best on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_least: float = Field(ge=0, le=1)
    word: str


def rating_in(text: str) -> float | None:
    """The rating a text consists of, as a share of the best, 0…1; None when it says anything else.

    Stars count out of five, drawn ones out of all that are drawn, at least five. A bare number has no scale.
    """
    if len(text) > 40:
        return None
    stripped = text.strip(_AROUND)
    if not stripped:
        return None
    if _DRAWN.fullmatch(stripped):
        full = sum(stripped.count(star) for star in "★⭐🌟")
        return full / max(5, full + stripped.count("☆"))
    return _in_figures(stripped)


def _in_figures(stripped: str) -> float | None:
    if match := _OF.fullmatch(stripped):
        return _share(match[1], float(match[2]))
    if match := _STARS.fullmatch(stripped):
        return _share(match[1] or str(_WORDS.index(match[2].lower())), 5)
    if match := _PERCENT.fullmatch(stripped):
        return _share(match[1], 100)
    return None


def word_for(rating: float, words: Sequence[RatingWord]) -> str:
    """The word of the highest step at or below the rating. The steps begin at 0."""
    return max((w for w in words if rating >= w.at_least), key=lambda w: w.at_least).word


def _share(value: str, best: float) -> float | None:
    number = float(value.replace(",", "."))
    return number / best if number <= best else None
