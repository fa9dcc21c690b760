"""A reader without a thread, for scorers that answer in microseconds."""

from collections.abc import Sequence

from heardback_scoring.inference.ports import Scorer, TextReading


class InlineReader:
    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    @property
    def scorer(self) -> Scorer:
        return self._scorer

    async def read(self, texts: Sequence[str]) -> list[TextReading]:
        return self._scorer.read(texts)

    async def close(self) -> None:
        self._scorer.close()
