"""A scorer that reads nothing and always says the same, to measure everything around the model."""

from collections.abc import Sequence

from heardback_scoring.inference.ports import TextReading
from heardback_shared.contracts.score import ModelRef

_READING = TextReading(negative=0.6, neutral=0.3, positive=0.1, embedding=None)
_MODEL = ModelRef(name="constant", revision="1", sha256="0" * 64)


class ConstantScorer:
    """Mildly negative, whatever the text. Never for production."""

    degraded = False
    model = _MODEL

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [1] * len(texts)

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        return [_READING] * len(texts)

    def warm_up(self) -> None:
        return None

    def close(self) -> None:
        return None
