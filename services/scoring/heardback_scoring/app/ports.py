"""What scoring needs from around it."""

from collections.abc import Hashable, Sequence
from typing import Protocol

from heardback_scoring.domain.language import Guess
from heardback_scoring.domain.registry import RegistryState
from heardback_scoring.inference.ports import Scorer, TextReading


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

    async def close(self) -> None: ...


class Opened(Protocol):
    """A model that is loaded and warm. `why_degraded` says why it is only a fallback."""

    @property
    def reader(self) -> Reader: ...

    @property
    def fallback(self) -> Scorer: ...

    @property
    def why_degraded(self) -> str | None: ...


class Registry(Protocol):
    """What was decided about models."""

    def stamp(self) -> Hashable | None:
        """Another one after every decision; None while nothing was decided."""
        ...

    def state(self) -> RegistryState:
        """Raises RegistryUnreadable."""
        ...
