"""Learning categories from a few examples or thousands: kernel ridge regression on embeddings and words.

Closed form throughout, so it is deterministic, needs no iteration over the examples, and knows what it would
have said of each example had it not been given it (leave one out); those answers calibrate it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.calibration import Calibration, calibrate
from heardback_scoring.domain.ngrams import ngram_vectors

Vectors = NDArray[np.float32]
_JITTER = 1e-4
_MOST_LEVERAGE = 0.99


@dataclass(frozen=True, slots=True)
class Learning:
    """How it learns; chosen on development data, the same for every taxonomy."""

    words: float = 0.2
    """Share of likeness in words beside likeness in meaning, 0…1."""
    ridge: float = 0.3
    """Noise that one example of weight 1 is taken to have."""
    landmarks: int = 1024
    """Examples that others are compared with at most; with fewer examples the solution is exact."""


LEARNING = Learning()


@dataclass(frozen=True, slots=True)
class Examples:
    """What is known: rows of unit vectors with their texts, targets (rows × classes) and weights.

    A target is 1 where the class is right, 0 where it is wrong and NaN where nobody said.
    """

    vectors: Vectors
    texts: Sequence[str]
    targets: NDArray[np.float64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FewShot:
    """`left_out` has, for each example in the order given, what the others alone would have said of it."""

    classes: tuple[str, ...]
    left_out: NDArray[np.float64]
    _landmarks: Vectors
    _landmark_words: Vectors
    _weights: Vectors
    _base: NDArray[np.float64]
    _calibration: Calibration
    _learning: Learning

    @classmethod
    def fit(
        cls,
        vectors: Vectors,
        texts: Sequence[str],
        labels: Sequence[Collection[str]],
        learning: Learning = LEARNING,
    ) -> Self:
        """Learns from texts, each with its unit vector and the classes that are right for it (none is legal).

        Raises ValueError when there is no class or the lengths differ.
        """
        classes = tuple(sorted({label for several in labels for label in several}))
        if not classes or not len(vectors) == len(texts) == len(labels):
            raise ValueError(f"{len(texts)} texts, {len(vectors)} vectors and {len(labels)} labels do not fit")
        targets = np.array([[float(c in several) for c in classes] for several in labels])
        return cls.learn(classes, Examples(vectors, texts, targets, np.ones(len(texts))), learning)

    @classmethod
    def learn(cls, classes: Sequence[str], given: Examples, learning: Learning = LEARNING) -> Self:
        """Learns from examples with weights. The same text twice is one example, right where either says so.

        Their order makes no difference, not even in the last bit.
        """
        one, place = _united(given)
        known = _filled(one, learning)
        solution = _solve(known, learning)
        hard = ~np.isnan(one.targets).any(axis=1)
        calibration = calibrate(solution.left_out[hard], known.targets[hard])
        return cls(
            classes=tuple(classes),
            left_out=calibration.probabilities(solution.left_out)[place],
            _landmarks=solution.landmarks,
            _landmark_words=solution.landmark_words,
            _weights=solution.weights,
            _base=solution.base,
            _calibration=calibration,
            _learning=learning,
        )

    def scores(self, vectors: Vectors, texts: Sequence[str]) -> NDArray[np.float64]:
        """Texts × classes: about 1 where the class is right, 0 where not; not calibrated."""
        near = _likeness(
            vectors, ngram_vectors(texts), self._landmarks, self._landmark_words, self._learning.words
        )
        return np.asarray((near @ self._weights).astype(np.float64) + self._base)

    def probabilities(self, vectors: Vectors, texts: Sequence[str]) -> NDArray[np.float64]:
        """Texts × classes, each 0…1 on its own: a text may belong to several classes, or to none."""
        return self._calibration.probabilities(self.scores(vectors, texts))

    def predict(self, vectors: Vectors, texts: Sequence[str], at: float = 0.4) -> list[tuple[str, ...]]:
        """The classes whose probability is at least `at`, the most probable first; empty is legal."""
        return [
            tuple(self.classes[i] for i in np.argsort(-row, kind="stable") if row[i] >= at)
            for row in self.probabilities(vectors, texts)
        ]


@dataclass(frozen=True, slots=True)
class _Solution:
    landmarks: Vectors
    landmark_words: Vectors
    weights: Vectors
    base: NDArray[np.float64]
    left_out: NDArray[np.float64]


def same_text(text: str) -> str:
    """What two texts have in common that count as one example."""
    return " ".join(text.lower().split())


def _united(given: Examples) -> tuple[Examples, NDArray[np.intp]]:
    """Examples of different texts, sorted by text, and where each given one went."""
    keys = [same_text(text) for text in given.texts]
    order = sorted(range(len(keys)), key=lambda i: (keys[i], given.texts[i], given.vectors[i].tobytes()))
    firsts: list[int] = []
    place = np.empty(len(keys), dtype=np.intp)
    for i in order:
        if not firsts or keys[firsts[-1]] != keys[i]:
            firsts.append(i)
        place[i] = len(firsts) - 1
    targets = np.full((len(firsts), given.targets.shape[1]), np.nan)
    np.fmax.at(targets, place, given.targets)
    weights = np.zeros(len(firsts))
    np.maximum.at(weights, place, given.weights)
    vectors = np.asarray(given.vectors, dtype=np.float32)[firsts]
    return Examples(vectors, [given.texts[i] for i in firsts], targets, weights), place


def _filled(one: Examples, learning: Learning) -> Examples:
    """Where nobody said, the target is what all that is fully known predicts: it then pulls neither way."""
    unknown = np.isnan(one.targets)
    rows = unknown.any(axis=1)
    if not rows.any():
        return one
    whole = Examples(
        one.vectors[~rows],
        [text for text, some in zip(one.texts, rows, strict=True) if not some],
        one.targets[~rows],
        one.weights[~rows],
    )
    solution = _solve(whole, learning)
    near = _likeness(
        one.vectors, ngram_vectors(one.texts), solution.landmarks, solution.landmark_words, learning.words
    )
    expected = np.clip(near @ solution.weights + solution.base, 0.0, 1.0)
    return Examples(one.vectors, one.texts, np.where(unknown, expected, one.targets), one.weights)


def _likeness(vectors: Vectors, words: Vectors, others: Vectors, other_words: Vectors, share: float) -> Vectors:
    """(1 − share) × exp(2 (cosine − 1)), the Gaussian kernel on unit vectors, + share × likeness in words."""
    meaning = np.asarray(vectors, dtype=np.float32) @ others.T
    meaning -= 1.0
    meaning *= 2.0
    np.exp(meaning, out=meaning)
    meaning *= 1.0 - share
    meaning += (words * np.float32(share)) @ other_words.T
    return meaning


def _solve(one: Examples, learning: Learning) -> _Solution:
    """Ridge regression of the targets on Nyström features (Williams and Seeger 2001) of the likeness.

    With F = K(examples, landmarks) L⁻ᵀ, L Lᵀ = K(landmarks, landmarks), and each row of weight w: the
    weights are (FᵀwF + ridge)⁻¹ Fᵀw(y − base), and leaving example i out changes its residual by the factor
    1 / (1 − hᵢ), hᵢ the i-th leverage (Hastie, Tibshirani, Friedman 2009, 7.10).
    """
    words = ngram_vectors(one.texts)
    chosen = _landmarks(one, learning.landmarks)
    landmarks, landmark_words = one.vectors[chosen], words[chosen]
    near = _likeness(one.vectors, words, landmarks, landmark_words, learning.words)
    among = near[chosen].astype(np.float64)
    among[np.diag_indices_from(among)] += _JITTER
    back = np.linalg.inv(np.linalg.cholesky(among)).T.astype(np.float32)
    roots = np.sqrt(one.weights).astype(np.float32)[:, None]
    features = (near @ back) * roots
    gram = (features.T @ features).astype(np.float64)
    gram[np.diag_indices_from(gram)] += learning.ridge
    half = np.linalg.inv(np.linalg.cholesky(gram)).T.astype(np.float32)
    spread = features @ half
    base = np.average(one.targets, axis=0, weights=one.weights)
    residuals = one.targets - base
    inner = spread.T @ (residuals * roots).astype(np.float32)
    fitted = spread @ inner / roots
    leverage = np.minimum((spread * spread).sum(axis=1, dtype=np.float64), _MOST_LEVERAGE)
    left_out = one.targets - (residuals - fitted) / (1.0 - leverage)[:, None]
    return _Solution(landmarks, landmark_words, back @ (half @ inner), base, left_out)


def _landmarks(one: Examples, most: int) -> NDArray[np.intp]:
    """Rows to compare with: what weighs more than 1, then from each class in turn, in the order of a hash."""
    count = len(one.texts)
    if count <= most:
        return np.arange(count)
    hashes = np.array([crc32(text.encode()) for text in one.texts])
    order = np.argsort(hashes, kind="stable")
    turn = np.full(count, count)
    for column in one.targets.T:
        members = order[column[order] > 0.5]
        turn[members] = np.minimum(turn[members], np.arange(len(members)))
    turn[one.weights > 1.0] = -1
    return np.sort(np.lexsort((hashes, turn))[:most])
