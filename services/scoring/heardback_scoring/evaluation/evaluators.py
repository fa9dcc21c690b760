"""Which evaluator answers for which task, and one set through all of its tasks."""

from collections.abc import Awaitable, Callable
from functools import partial

from heardback_scoring.evaluation.cues import evaluate_cues, evaluate_escalation, evaluate_flag
from heardback_scoring.evaluation.data import LabelledSet
from heardback_scoring.evaluation.learning import Learner, LearnerMissing
from heardback_scoring.evaluation.measures import Evaluator, Measured
from heardback_scoring.evaluation.probes import (
    evaluate_aspects,
    evaluate_emotion,
    evaluate_flag_probe,
    evaluate_intents,
    evaluate_topics,
)
from heardback_scoring.evaluation.root_causes import evaluate_root_causes
from heardback_scoring.evaluation.satisfaction import evaluate_satisfaction
from heardback_scoring.evaluation.sentiment import evaluate_intensity, evaluate_sentiment
from heardback_scoring.evaluation.subject import NoEmbeddings, Subject
from heardback_scoring.evaluation.tasks import Task, recognise
from heardback_scoring.inference.thread import TextsRefused

_Probe = Callable[[LabelledSet, Subject, Learner], Awaitable[Measured]]
_READ: dict[Task, Evaluator] = {
    Task.SENTIMENT: evaluate_sentiment,
    Task.INTENSITY: evaluate_intensity,
    Task.CUES: evaluate_cues,
    Task.FLAG: evaluate_flag,
    Task.ROOT_CAUSES: evaluate_root_causes,
    Task.SATISFACTION: evaluate_satisfaction,
    Task.ESCALATION: evaluate_escalation,
    Task.ASPECTS: evaluate_aspects,
    Task.TOPICS: evaluate_topics,
    Task.INTENTS: evaluate_intents,
}
_LEARNT: dict[Task, _Probe] = {
    Task.FLAG: evaluate_flag_probe,
    Task.EMOTION: evaluate_emotion,
}


async def measure_set(
    data: LabelledSet, subject: Subject, learner: Learner
) -> tuple[tuple[Task, ...], Measured]:
    """(the tasks told from the rows, what was found). What cannot be measured is said in the notes."""
    part = data.judged
    tasks = recognise(part.rows, data.maps)
    whole = Measured(problems=list(part.problems))
    if not tasks:
        fields = ", ".join(sorted({field for row in part.rows for field in row.data})) or "no rows"
        whole.notes.append(f"no task can be told from its rows ({fields}); not measured")
    for task in tasks:
        runs: list[Evaluator] = []
        if task in _READ:
            runs.append(_READ[task])
        if task in _LEARNT:
            runs.append(partial(_learnt, _LEARNT[task], learner))
        for run in runs:
            try:
                whole.merge(await run(data, subject))
            except (LearnerMissing, NoEmbeddings) as missing:
                whole.notes.append(f"{task} not measured: {missing}")
            except TextsRefused as refused:
                whole.notes.append(f"{task} not measured: {refused}")
    return tasks, whole


async def _learnt(probe: _Probe, learner: Learner, data: LabelledSet, subject: Subject) -> Measured:
    return await probe(data, subject, learner)
