"""Scoring without a model: scripted readings, a scripted language guesser, and feedback made in one line."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.adapters.inline_reader import InlineReader
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.app.understanding import Understanding, understanding_of
from heardback_scoring.domain.language import Guess
from heardback_scoring.inference.ports import TextReading
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.feedback import FeedbackContent, Metric, Turn
from heardback_shared.contracts.score import ModelRef
from tests.support.clock import NOON

GERMAN = "Die Lieferung war schon wieder zu spät und niemand antwortet mir."
POLICIES = load_policies()


class ScriptedScorer:
    """Reads each known text as scripted (negative, neutral, positive), every other as neutral.

    With `words` given, the embedding of a text counts which of them it holds, so that texts about the same
    word are near each other.
    """

    degraded = False

    def __init__(
        self,
        script: Mapping[str, tuple[float, float, float]] | None = None,
        words: Sequence[str] = (),
        failing: Exception | None = None,
        name: str = "scripted",
    ) -> None:
        self.script = dict(script or {})
        self.words = words
        self.failing = failing
        self.calls: list[list[str]] = []
        self.model = ModelRef(name=name, revision="1", sha256="0" * 64)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [max(1, len(t.split())) for t in texts]

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        self.calls.append(list(texts))
        if self.failing is not None and len(self.calls) > 1:
            raise self.failing
        return [TextReading(*self.script.get(t, (0.1, 0.8, 0.1)), self._embedding(t)) for t in texts]

    def _embedding(self, text: str) -> NDArray[np.float32] | None:
        if not self.words:
            return None
        vector = np.array([0.1, *(float(word in text.lower()) for word in self.words)], dtype=np.float32)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)

    def warm_up(self) -> None:
        return None

    def close(self) -> None:
        return None


class ScriptedGuesser:
    """German for texts with "ä", "ö", "ü" or the word "die"; otherwise English."""

    def guess(self, text: str) -> Guess:
        german = any(sign in text.lower() for sign in ("ä", "ö", "ü", "die "))
        return Guess("de", 0.99) if german else Guess("en", 0.9)


def understanding(scorer: ScriptedScorer, fallback: ScriptedScorer | None = None) -> Understanding:
    spare = fallback or ScriptedScorer(name="spare")
    return understanding_of(POLICIES, ScriptedGuesser(), InlineReader(scorer), spare)


def survey(
    comment: str | None = None,
    *,
    metric: Metric | None = None,
    customer: CustomerSnapshot | None = None,
    at: datetime = NOON,
    **fields: Any,
) -> FeedbackAccepted:
    content = FeedbackContent(
        kind="survey", source="test", external_id="1", revision=1, comment=comment, metric=metric, **fields
    )
    return FeedbackAccepted(
        feedback_id="fb_1", revision=1, accepted_at=at, content=content, customer=customer
    )


def transcript(*turns: tuple[str, str], at: datetime = NOON, **fields: Any) -> FeedbackAccepted:
    """Turns as (role, text)."""
    content = FeedbackContent(
        kind="transcript",
        source="test",
        external_id="1",
        revision=1,
        turns=tuple(Turn.model_validate({"role": role, "text": text}) for role, text in turns),
        **fields,
    )
    return FeedbackAccepted(feedback_id="fb_1", revision=1, accepted_at=at, content=content)


def nps(value: float) -> Metric:
    return Metric(kind="nps", value=value, min=0, max=10, direction="higher_is_better")
