"""Learning labels from examples of unit vectors: how much a model's embedding knows.

The learner is a port, so that figures of a set can be made with any way of learning from few examples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.evaluation.statistics import Values

Labels = frozenset[str]
Chosen = NDArray[np.bool_]
Features = NDArray[np.floating]
_FOLDS = 4
_THRESHOLDS = np.linspace(0.05, 0.95, 91)


class LearnerMissing(Exception):  # noqa: N818  (told to people as it is)
    """What learns is not installed. The message says how to install it."""


@dataclass(frozen=True, slots=True)
class Learned:
    """`scores` gives every row a value 0…1 for each of `names`; the values of a row need not sum to 1."""

    names: tuple[str, ...]
    scores: Callable[[Features], Values]


class Learner(Protocol):
    def fit(self, vectors: Features, labels: Sequence[Labels], *, one_each: bool) -> Learned:
        """`one_each`: every row has exactly one label, and so will every row that is judged."""
        ...


class LogisticLearner:
    """Logistic regression with little regularisation, multinomial or one against the rest."""

    def __init__(self, strength: float = 30.0) -> None:
        self._strength = strength

    def fit(self, vectors: Features, labels: Sequence[Labels], *, one_each: bool) -> Learned:
        names = names_of(labels)
        truth = table_of(labels, names)
        if one_each:
            return Learned(names, self._one(vectors, truth.argmax(axis=1)))
        parts = [self._one(vectors, truth[:, c].astype(np.int64)) for c in range(len(names))]
        # Where every row has the label, or none has, there is nothing to tell apart.
        always = [bool(column.all()) for column in truth.T]

        def scores(rows: Features) -> Values:
            columns = [part(rows) for part in parts]
            known = [
                c[:, -1] if c.shape[1] == 2 else np.full(len(rows), float(a))
                for c, a in zip(columns, always, strict=True)
            ]
            return np.stack(known, axis=1)

        return Learned(names, scores)

    def _one(self, vectors: Features, classes: NDArray[np.int64]) -> Callable[[Features], Values]:
        if len(np.unique(classes)) == 1:
            return lambda rows: np.ones((len(rows), 1))
        model = _logistic_regression()(C=self._strength, max_iter=3000)
        model.fit(vectors, classes)
        return lambda rows: np.asarray(model.predict_proba(rows), dtype=np.float64)


def available() -> None:
    """Raises LearnerMissing."""
    _logistic_regression()


def _logistic_regression() -> Any:
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (extra: evaluation)
    except ImportError as error:
        raise LearnerMissing("needs scikit-learn: pip install 'heardback[scoring,evaluation]'") from error
    return LogisticRegression


def names_of(labels: Sequence[Labels]) -> tuple[str, ...]:
    return tuple(sorted(set().union(*labels)))


def table_of(labels: Sequence[Labels], names: Sequence[str]) -> Chosen:
    """Rows × names. Labels that are not among the names are nobody's."""
    return np.array([[name in one for name in names] for one in labels], np.bool_).reshape(-1, len(names))


def few_of_each(labels: Sequence[Labels], count: int, seed: int) -> list[int]:
    """Positions of the first `count` rows of each label after a seeded shuffle, each position once."""
    order = np.random.default_rng(seed).permutation(len(labels))
    chosen: dict[int, None] = {}
    for name in names_of(labels):
        having = [int(place) for place in order if name in labels[place]]
        chosen.update(dict.fromkeys(having[:count]))
    return list(chosen)


def threshold_for(
    learner: Learner,
    vectors: Features,
    labels: Sequence[Labels],
    figure: Callable[[Chosen, Chosen], float],
) -> float:
    """The threshold with the best figure on scores that each of four folds got from the other three."""
    names = names_of(labels)
    truth = table_of(labels, names)
    fold = np.random.default_rng(0).permutation(len(labels)) % _FOLDS
    scores = np.zeros(truth.shape)
    for number in range(_FOLDS):
        rest = np.flatnonzero(fold != number)
        learned = learner.fit(vectors[rest], [labels[i] for i in rest.tolist()], one_each=False)
        places = [names.index(name) for name in learned.names]
        scores[np.ix_(fold == number, places)] = learned.scores(vectors[fold == number])
    figures = [figure(scores >= threshold, truth) for threshold in _THRESHOLDS]
    return float(_THRESHOLDS[int(np.nanargmax(figures))])
