"""Root causes as the product gives them, against labels that a map beside the sets puts into our taxonomy."""

import numpy as np

from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.data import LabelledSet
from heardback_scoring.evaluation.measures import Measured
from heardback_scoring.evaluation.subject import Subject
from heardback_scoring.evaluation.tasks import causes_of


async def evaluate_root_causes(data: LabelledSet, subject: Subject) -> Measured:
    """Nothing is learnt: the packaged taxonomy alone.

    `cause_given`: share of rows with a true cause that get one. `cause_right`, `domain_right`: of these, the
    share whose first cause (its domain) is among the true ones. `unclear_right`: of rows whose labels are no
    cause, the share that get none.
    """
    measured = Measured(notes=["root causes: labels mapped by hand, not validated"])
    mapped = [(row, found) for row in data.judged.rows if (found := causes_of(row, data.maps)) is not None]
    scores = await subject.scores([row.data for row, _ in mapped])
    first = [score.root_causes[0].path if score.root_causes else None for score in scores]
    truths = [found for _, found in mapped]
    caused = np.array([bool(truth) for truth in truths], np.bool_)
    given = np.array([cause is not None for cause in first], np.bool_)
    right = np.array([cause in truth for cause, truth in zip(first, truths, strict=True)], np.bool_)
    domain = np.array(
        [
            _domain(cause) in {_domain(one) for one in truth}
            for cause, truth in zip(first, truths, strict=True)
        ],
        np.bool_,
    )
    rows = len(mapped)
    measured.add("cause_given", rows, stats.share(given, caused))
    measured.add("cause_right", rows, stats.share(right, caused & given))
    measured.add("domain_right", rows, stats.share(domain, caused & given))
    if not caused.all():
        measured.add("unclear_right", rows, stats.share(~given, ~caused))
    return measured


def _domain(cause: str | None) -> str | None:
    return cause.partition("/")[0] if cause else None
