"""What scoring asks of a model. Every implementation passes one suite: tests/contract/scoring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from heardback_shared.contracts.score import ModelRef


@dataclass(frozen=True, slots=True, eq=False)
class TextReading:
    """What a model says about one text. The three probabilities are calibrated and sum to 1."""

    negative: float
    neutral: float
    positive: float
    embedding: NDArray[np.float32] | None
    """Unit length; cosine similarity is the dot product. None where the scorer has none."""
    cues: Mapping[str, float] = field(default_factory=dict)
    """Calibrated probability of each cue the model knows, by name; empty where it knows none."""
    emotions: Mapping[str, float] = field(default_factory=dict)
    """Which of the emotions the model knows prevails, if any does: probabilities that sum to 1, or empty."""


class Scorer(Protocol):
    @property
    def model(self) -> ModelRef: ...

    @property
    def degraded(self) -> bool:
        """True for the fallback: what it read is to be scored again later."""
        ...

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as the model will see it, after truncation; at least 1."""
        ...

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        """One reading per text, in order. Blocking; called on the one inference thread."""
        ...

    def warm_up(self) -> None: ...

    def close(self) -> None:
        """Free what the model holds. Closing twice is allowed; reading after it is an error."""
        ...
