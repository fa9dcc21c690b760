"""Root causes as the product gives them, against labels that a map puts into our taxonomy."""

from collections.abc import Sequence

import numpy as np

from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.data import LabelledSet
from heardback_scoring.evaluation.measures import Measured
from heardback_scoring.evaluation.statistics import Statistic
from heardback_scoring.evaluation.subject import Subject
from heardback_scoring.evaluation.tasks import TrueCauses, causes_of

MAPPED = "root causes: the labels' meaning in the taxonomy is a map made by hand (evaluation/label_maps.yaml)"


async def evaluate_root_causes(data: LabelledSet, subject: Subject) -> Measured:
    """Nothing is learnt: the packaged taxonomy alone. The figures are those of `cause_figures`."""
    measured = Measured(notes=[MAPPED])
    mapped = [(row, found) for row in data.judged.rows if (found := causes_of(row, data.maps)) is not None]
    scores = await subject.scores([row.data for row, _ in mapped])
    first = [score.root_causes[0].path if score.root_causes else None for score in scores]
    for name, figure in cause_figures(first, [found for _, found in mapped]).items():
        measured.add(name, len(mapped), figure)
    return measured


def cause_figures(first: Sequence[str | None], truths: Sequence[TrueCauses]) -> dict[str, Statistic]:
    """Of the first cause given to each row; None is an unclear one.

    Over rows whose labels mean a cause: `cause_given`, the share that gets an answer (coverage), and of these
    `cause_right`, answers among the right paths of any of the row's labels, `cause_meant`, answers that are
    the very path a label means, and `domain_right`, answers of a right domain.
    Over all rows: `answer_given`, and `answer_right` of these, where an answer to a row without a cause is
    wrong. `unclear_right`: of the rows without a cause, the share left unclear.
    """
    caused = np.array([bool(truth.meant) for truth in truths], np.bool_)
    given = np.array([path is not None for path in first], np.bool_)
    pairs = list(zip(first, truths, strict=True))
    # Nothing but "unclear" is right for a row without a cause.
    right = caused & np.array([path in truth.right for path, truth in pairs], np.bool_)
    meant = np.array([path in truth.meant for path, truth in pairs], np.bool_)
    domain = np.array([_domain(path) in {_domain(p) for p in truth.right} for path, truth in pairs], np.bool_)
    figures = {
        "cause_given": stats.share(given, caused),
        "cause_right": stats.share(right, caused & given),
        "cause_meant": stats.share(meant, caused & given),
        "domain_right": stats.share(domain, caused & given),
        "answer_given": stats.share(given),
        "answer_right": stats.share(right, given),
    }
    return figures if caused.all() else {**figures, "unclear_right": stats.share(~given, ~caused)}


def _domain(path: str | None) -> str | None:
    return path.partition("/")[0] if path else None
