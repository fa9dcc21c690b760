"""Learning categories from a few examples or thousands: kernel ridge regression on embeddings and words.

Closed form throughout, so it is deterministic, needs no passes over the examples, and knows what it would
have said of each example had it not been given it (leave one out); those answers calibrate it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.calibration import Calibration, best_share, calibrate
from heardback_scoring.domain.ngrams import ngram_vectors

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
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
    """Examples that others are compared with; up to as many the solution is exact. Above five times as many
    examples it is a fifth of them, never more than twice this."""

    def landmarks_for(self, examples: int) -> int:
        return min(max(self.landmarks, examples // 5), 2 * self.landmarks)


LEARNING = Learning()


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What is known, one row per example. Rows of one name are one example, right where either says so.

    `words` are n-gram vectors, zero where the text is not kept. A target (rows × classes) is 1 where the
    class is right, 0 where it is wrong and NaN where nobody said.
    """

    names: Sequence[str]
    vectors: Vectors
    words: Vectors
    targets: Floats
    weights: Floats

    def rows(self, chosen: NDArray[np.intp]) -> "Examples":
        return Examples(
            [self.names[i] for i in chosen],
            self.vectors[chosen],
            self.words[chosen],
            self.targets[chosen],
            self.weights[chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class FewShot:
    """`left_out` has, for each example in the order given, the probabilities that the others alone give it.

    `best_at` is the probability from which on a class counts, chosen by those for the best micro-F1.
    """

    classes: tuple[str, ...]
    left_out: Floats
    best_at: float
    _solution: "_Solution"
    _calibration: Calibration
    _words: float

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
            raise ValueError(
                f"{len(texts)} texts, {len(vectors)} vectors and {len(labels)} labels of "
                f"{len(classes)} classes: give one vector and one set of labels per text"
            )
        targets = np.array([[float(c in several) for c in classes] for several in labels])
        names = [same_text(text) for text in texts]
        given = Examples(names, vectors, ngram_vectors(texts), targets, np.ones(len(texts)))
        return cls.learn(classes, given, learning)

    @classmethod
    def learn(cls, classes: Sequence[str], given: Examples, learning: Learning = LEARNING) -> Self:
        """Learns from examples with weights. Their order makes no difference, not even in the last bit."""
        one, place = _united(given)
        known = _filled(one, learning)
        solution = _solve(known, learning)
        hard = ~np.isnan(one.targets).any(axis=1)
        calibration = calibrate(solution.left_out[hard], known.targets[hard])
        left_out = calibration.probabilities(solution.left_out)
        return cls(
            classes=tuple(classes),
            left_out=left_out[place],
            best_at=best_share(left_out[hard], known.targets[hard]),
            _solution=solution,
            _calibration=calibration,
            _words=learning.words,
        )

    def scores(self, vectors: Vectors, texts: Sequence[str]) -> Floats:
        """Texts × classes: about 1 where the class is right, 0 where not; not calibrated."""
        return self._solution.scores(vectors, ngram_vectors(texts), self._words)

    def probabilities(self, vectors: Vectors, texts: Sequence[str]) -> Floats:
        """Texts × classes, each 0…1 on its own: a text may belong to several classes, or to none."""
        return self._calibration.probabilities(self.scores(vectors, texts))

    def predict(
        self, vectors: Vectors, texts: Sequence[str], at: float | None = None
    ) -> list[tuple[str, ...]]:
        """The classes of each text with a probability of `at` (`best_at` if None) or more, the best first."""
        least = self.best_at if at is None else at
        return [
            tuple(self.classes[i] for i in np.argsort(-row, kind="stable") if row[i] >= least)
            for row in self.probabilities(vectors, texts)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class _Solution:
    landmarks: Vectors
    words: Vectors
    weights: Vectors
    base: Floats
    left_out: Floats

    def scores(self, vectors: Vectors, words: Vectors, share: float) -> Floats:
        near = _likeness(vectors, words, self.landmarks, self.words, share)
        return np.asarray((near @ self.weights).astype(np.float64) + self.base)


def same_text(text: str) -> str:
    """What two texts have in common that count as one example."""
    return " ".join(text.lower().split())


def _united(given: Examples) -> tuple[Examples, NDArray[np.intp]]:
    """The examples by name, sorted, and where each given one went."""
    vectors = np.asarray(given.vectors, dtype=np.float32)
    order = sorted(range(len(given.names)), key=lambda i: (given.names[i], vectors[i].tobytes()))
    firsts: list[int] = []
    place = np.empty(len(order), dtype=np.intp)
    for i in order:
        if not firsts or given.names[firsts[-1]] != given.names[i]:
            firsts.append(i)
        place[i] = len(firsts) - 1
    targets = np.full((len(firsts), given.targets.shape[1]), np.nan)
    np.fmax.at(targets, place, given.targets)
    weights = np.zeros(len(firsts))
    np.maximum.at(weights, place, given.weights)
    names = [given.names[i] for i in firsts]
    return Examples(names, vectors[firsts], given.words[firsts], targets, weights), place


def _filled(one: Examples, learning: Learning) -> Examples:
    """Where nobody said, the target is what all that is fully known predicts: it then pulls neither way."""
    unknown = np.isnan(one.targets)
    some = unknown.any(axis=1)
    if not some.any():
        return one
    solution = _solve(one.rows(np.flatnonzero(~some)), learning)
    expected = np.clip(solution.scores(one.vectors, one.words, learning.words), 0.0, 1.0)
    targets = np.where(unknown, expected, one.targets)
    return Examples(one.names, one.vectors, one.words, targets, one.weights)


def _likeness(
    vectors: Vectors, words: Vectors, others: Vectors, other_words: Vectors, share: float
) -> Vectors:
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
    chosen = _landmarks(one, learning.landmarks_for(len(one.names)))
    landmarks, words = one.vectors[chosen], one.words[chosen]
    near = _likeness(one.vectors, one.words, landmarks, words, learning.words)
    back = _inverse_root(near[chosen].astype(np.float64), _JITTER)
    roots = np.sqrt(one.weights).astype(np.float32)[:, None]
    features = (near @ back) * roots
    half = _inverse_root((features.T @ features).astype(np.float64), learning.ridge)
    spread = features @ half
    base = np.average(one.targets, axis=0, weights=one.weights)
    residuals = one.targets - base
    inner = spread.T @ (residuals * roots).astype(np.float32)
    fitted = spread @ inner / roots
    leverage = np.minimum((spread * spread).sum(axis=1, dtype=np.float64), _MOST_LEVERAGE)
    left_out = one.targets - (residuals - fitted) / (1.0 - leverage)[:, None]
    weights = np.asarray(back @ (half @ inner), dtype=np.float32)
    return _Solution(landmarks, words, weights, base, left_out)


def _inverse_root(matrix: Floats, more: float) -> Vectors:
    """R with R Rᵀ = (matrix + more × identity)⁻¹."""
    matrix[np.diag_indices_from(matrix)] += more
    return np.asarray(np.linalg.inv(np.linalg.cholesky(matrix)).T, dtype=np.float32)


def _landmarks(one: Examples, most: int) -> NDArray[np.intp]:
    """Rows to compare with: what weighs more than 1, then from each class in turn, in the order of a hash."""
    count = len(one.names)
    if count <= most:
        return np.arange(count)
    hashes = np.array([crc32(name.encode()) for name in one.names])
    order = np.argsort(hashes, kind="stable")
    turn = np.full(count, count)
    for column in one.targets.T:
        members = order[column[order] > 0.5]
        turn[members] = np.minimum(turn[members], np.arange(len(members)))
    turn[one.weights > 1.0] = -1
    return np.sort(np.lexsort((hashes, turn))[:most])
