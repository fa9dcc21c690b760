"""The teacher's probabilities by text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SoftLabels:
    rows: dict[str, int]
    sentiment: NDArray[np.float32]
    emotion: NDArray[np.float32]

    @classmethod
    def load(cls, folder: Path) -> "SoftLabels":
        """Every chunk under `folder`, in the order of their names; none is no labels."""
        rows: dict[str, int] = {}
        nothing = cls.none()
        sentiment, emotion = [nothing.sentiment], [nothing.emotion]
        for path in sorted(folder.glob("*[0-9a-f].npz")):
            with np.load(path) as stored:
                for text in stored["texts"]:
                    rows[str(text)] = len(rows)
                sentiment.append(stored["sentiment"])
                emotion.append(stored["emotion"])
        return cls(rows, np.concatenate(sentiment), np.concatenate(emotion))

    @classmethod
    def none(cls) -> "SoftLabels":
        return cls({}, np.zeros((0, 3), np.float32), np.zeros((0, 4), np.float32))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def texts(self) -> Sequence[str]:
        return list(self.rows)

    def of(self, texts: Sequence[str]) -> tuple[list[int], NDArray[np.float32], NDArray[np.float32]]:
        """(places in `texts` that are known, their sentiment, their emotion)."""
        known = [place for place, text in enumerate(texts) if text in self.rows]
        rows = [self.rows[texts[place]] for place in known]
        return known, self.sentiment[rows], self.emotion[rows]
