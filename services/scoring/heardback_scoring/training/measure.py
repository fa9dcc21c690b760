"""Figures that training steers by, on dev splits. What is published is measured by `heardback eval`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.inference.onnx import probabilities

Logits = NDArray[np.float32]
Labels = NDArray[np.int64]


def macro_recall(values: NDArray[np.floating], labels: Labels) -> float:
    """Mean over the classes present of the share found. Sets without neutral are judged without it."""
    chosen = values.argmax(axis=1)
    if len(np.unique(labels)) < 3:
        chosen = np.where(values[:, 2] >= values[:, 0], 2, 0)
    return float(np.mean([(chosen[labels == label] == label).mean() for label in np.unique(labels)]))


def fit_temperature(pairs: Sequence[tuple[Logits, Labels]]) -> float:
    """The temperature with the least mean loss, every set counting alike (Guo et al. 2017).

    Where some sets have every class, the others are left out: their labels are not the model's.
    """
    full = [(logits, labels) for logits, labels in pairs if len(np.unique(labels)) == logits.shape[1]]

    def loss(temperature: float) -> float:
        losses = [
            -np.log(probabilities(logits, temperature)[np.arange(len(labels)), labels] + 1e-12).mean()
            for logits, labels in full or pairs
        ]
        return float(np.mean(losses))

    return float(min(np.arange(0.4, 3.0, 0.01), key=loss))


def average_precision(scores: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Mean precision over the places of the right ones, best score first; 0 when none is right."""
    ranked = truth[np.argsort(-scores, kind="stable")]
    if not ranked.any():
        return 0.0
    return float((np.cumsum(ranked) / np.arange(1, len(ranked) + 1))[ranked > 0].mean())


def abstain_below(pairs: Sequence[tuple[NDArray[np.float64], Labels]], right: float = 0.9) -> float:
    """The least confidence from which on readings are right at least this often, every set counting alike.

    Pairs are probabilities and labels; a set without neutral is judged between its two classes. 1.0 when no
    confidence is enough.
    """
    for least in np.arange(0.34, 1.0, 0.005):
        shares = []
        for chances, labels in pairs:
            answered = chances.max(axis=1) >= least
            chosen = chances.argmax(axis=1)
            if len(np.unique(labels)) < chances.shape[1]:
                chosen = np.where(chances[:, 2] >= chances[:, 0], 2, 0)
            if answered.any():
                shares.append((chosen == labels)[answered].mean())
        if shares and np.mean(shares) >= right:
            return float(round(least, 3))
    return 1.0
