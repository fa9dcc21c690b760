"""Sentiment of two or three classes, and its intensity."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.data import LabelledSet, Row
from heardback_scoring.evaluation.measures import Measured, array
from heardback_scoring.evaluation.slices import ALL, Mask, text_slices
from heardback_scoring.evaluation.statistics import Statistic, Values
from heardback_scoring.evaluation.subject import Subject, texts_of
from heardback_scoring.evaluation.tasks import SENTIMENTS, intensity_of, sentiment_of
from heardback_shared.contracts.score import Score

_NEUTRAL = SENTIMENTS.index("neutral")


async def evaluate_sentiment(data: LabelledSet, subject: Subject) -> Measured:
    """Every labelled row, read or not: where the product gives no sentiment, the model's own reading counts,
    and the row counts as abstained. Sets without neutral are judged between negative and positive.
    """
    measured, rows, labels = _labelled(data)
    truth = np.array([SENTIMENTS.index(label) for label in labels], np.int64)
    chances, answered = await _chances(rows, subject)
    if _NEUTRAL not in truth:
        chances[:, _NEUTRAL] = 0.0
        chances /= np.maximum(chances.sum(axis=1, keepdims=True), 1e-12)
        measured.notes.append("no neutral labels: judged between negative and positive")
    chosen, top = chances.argmax(axis=1).astype(np.int64), chances.max(axis=1)
    hit = chosen == truth
    masks = text_slices(rows)
    measured.add_slices("macro_recall", masks, lambda mask: stats.macro_recall(chosen[mask], truth[mask]))
    measured.add_slices("accuracy", masks, lambda mask: stats.share(hit[mask]))
    measured.add("macro_f1", len(rows), stats.macro_f1(chosen, truth))
    measured.add_slices("ece", masks, lambda mask: stats.calibration_error(top[mask], hit[mask]))
    measured.add_slices("abstained", masks, lambda mask: stats.share(~answered[mask]))
    measured.add_slices("answered_accuracy", masks, lambda mask: stats.share(hit[mask], answered[mask]))
    return measured


async def evaluate_intensity(data: LabelledSet, subject: Subject) -> Measured:
    """The sentiment score against what raters said, on whatever scale they said it."""
    measured = Measured()
    rated = [(row, value) for row in data.judged.rows if (value := intensity_of(row)) is not None]
    rows = [row for row, _ in rated]
    truth = array([value for _, value in rated])
    chances, _ = await _chances(rows, subject)
    score = chances[:, 2] - chances[:, 0]

    def of(mask: Mask) -> Statistic:
        return stats.pearson(score[mask], truth[mask])

    measured.add_slices("intensity_pearson", text_slices(rows), of)
    measured.add("intensity_spearman", len(rows), stats.spearman(score, truth), ALL)
    return measured


def _labelled(data: LabelledSet) -> tuple[Measured, list[Row], list[str]]:
    measured = Measured()
    rows, labels = [], []
    for row in data.judged.rows:
        if (label := sentiment_of(row)) is not None:
            rows.append(row)
            labels.append(label)
        elif isinstance(row.data.get("label"), str) or "labels" not in row.data:
            what = f"label {row.data.get('label')!r}: expected one of {', '.join(SENTIMENTS)}"
            measured.problems.append(data.judged.problem(row, what))
    if left := len(data.judged.rows) - len(rows) - len(measured.problems):
        measured.notes.append(f"{left} rows of mixed or ambiguous sentiment left out")
    return measured, rows, labels


async def _chances(rows: Sequence[Row], subject: Subject) -> tuple[Values, NDArray[np.bool_]]:
    """(probabilities, rows × 3; whether the product answered), by the product's score where it has one."""
    scores = await subject.scores([row.data for row in rows])
    readings = await subject.readings(texts_of(rows))
    chances = np.array([(r.negative, r.neutral, r.positive) for r in readings], np.float64).reshape(-1, 3)
    for place, score in enumerate(scores):
        if score.sentiment is not None:
            told = score.sentiment.probabilities
            chances[place] = (told.negative, told.neutral, told.positive)
    return chances, np.array([_answered(score) for score in scores], np.bool_)


def _answered(score: Score) -> bool:
    return score.sentiment is not None and not score.sentiment.abstained
