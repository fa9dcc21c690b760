"""What scoring needs from around it."""

from collections.abc import Sequence
from typing import Literal, Protocol

from heardback_scoring.domain.language import Guess
from heardback_scoring.inference.ports import Scorer, TextReading

Explain = Literal["severe", "all", "off"]
"""Which feedback gets evidence: that of bands P1 and P2, all, or none."""


class LanguageGuesser(Protocol):
    def guess(self, text: str) -> Guess:
        """The likeliest language of a text; never raises."""
        ...


class Reader(Protocol):
    """A scorer that may be awaited, whatever thread it runs on."""

    @property
    def scorer(self) -> Scorer: ...

    async def read(self, texts: Sequence[str]) -> list[TextReading]:
        """One reading per text, in order. Raises TextsRefused, InferenceBusy or InferenceClosed."""
        ...
