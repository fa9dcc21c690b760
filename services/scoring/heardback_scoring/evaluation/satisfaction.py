"""Satisfaction of whole dialogues against what raters said."""

import numpy as np

from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.data import LabelledSet
from heardback_scoring.evaluation.measures import Measured, array
from heardback_scoring.evaluation.subject import Subject
from heardback_scoring.evaluation.tasks import satisfaction_of

LOWEST_SHARE = 0.2


async def evaluate_satisfaction(data: LabelledSet, subject: Subject) -> Measured:
    """`low_recall`: of the dialogues rated lowest (a fifth, more with ties), the share among as many that we
    put lowest.
    """
    measured = Measured()
    rated = [(row, value) for row in data.judged.rows if (value := satisfaction_of(row)) is not None]
    scores = await subject.scores([row.data for row, _ in rated])
    known = [place for place, score in enumerate(scores) if score.satisfaction is not None]
    if left := len(rated) - len(known):
        measured.notes.append(f"{left} dialogues got no satisfaction and are left out")
    ours = array([float(scores[place].satisfaction or 0.0) for place in known])
    truth = array([rated[place][1] for place in known])
    measured.add("satisfaction_pearson", len(known), stats.pearson(ours, truth))
    measured.add("satisfaction_spearman", len(known), stats.spearman(ours, truth))
    if known:
        low = truth <= np.quantile(truth, LOWEST_SHARE)
        measured.add("low_recall", len(known), stats.recall(ours <= np.quantile(ours, low.mean()), low))
    return measured
