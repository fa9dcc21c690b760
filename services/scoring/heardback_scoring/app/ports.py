"""What scoring needs from around it."""

from collections.abc import Hashable, Sequence
from typing import Literal, Protocol

from heardback_scoring.domain.language import Guess
from heardback_scoring.domain.registry import RegistryState
from heardback_scoring.domain.satisfaction import SatisfactionModel
from heardback_scoring.inference.ports import Scorer, TextReading
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.score import ModelRef, Score


class CandidateFailed(Exception):  # noqa: N818  (told to people as it is)
    """The candidate cannot be opened, or ended. The message says why."""


Explain = Literal["severe", "all", "off"]
"""Which feedback gets evidence: that of bands P1 and P2, by clauses; all, by words too; or none."""


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

    @property
    def satisfaction(self) -> SatisfactionModel | None: ...


class Registry(Protocol):
    """What was decided about models."""

    def stamp(self) -> Hashable | None:
        """Another one after every decision; None while nothing was decided."""
        ...

    def state(self) -> RegistryState:
        """Raises RegistryUnreadable."""
        ...


class CandidateReader(Protocol):
    """A model that reads along where it can neither delay nor harm the one in force."""

    @property
    def model(self) -> ModelRef: ...

    async def score(
        self, feedbacks: Sequence[FeedbackAccepted], tenants: Sequence[str | None] | None = None
    ) -> list[Score]:
        """One score per feedback, in order, by the policies of its tenant.

        Raises CandidateFailed; it reads nothing more then.
        """
        ...

    async def close(self) -> None:
        """At once, whatever it is doing; a `score` under way raises CandidateFailed."""
        ...
