"""The whole scorecard of one model: every set, the counterfactuals, the behavioural tests."""

from collections.abc import Sequence
from datetime import datetime

from heardback_scoring.evaluation import behaviour, bias
from heardback_scoring.evaluation.cause_learning import LearningPlan, measure_learning
from heardback_scoring.evaluation.data import LabelledSet
from heardback_scoring.evaluation.evaluators import measure_set
from heardback_scoring.evaluation.figures import Bounded, Scorecard, SetReport, figure_of
from heardback_scoring.evaluation.finished import Finished, key_of
from heardback_scoring.evaluation.learning import Learner
from heardback_scoring.evaluation.measures import Measured
from heardback_scoring.evaluation.progress import Steps
from heardback_scoring.evaluation.subject import Subject
from heardback_scoring.evaluation.tasks import Task


async def make_scorecard(
    sets: Sequence[LabelledSet],
    absent: Sequence[str],
    subject: Subject,
    learner: Learner,
    finished: Finished,
    steps: Steps,
    *,
    split: str,
    at: datetime,
) -> Scorecard:
    """`steps` gets one more than there are sets: counterfactuals and behaviour are the last."""
    reports = []
    for data in sets:
        steps.begin(data.name)
        reports.append(await _report(data, subject, learner, finished))
        subject.forget()
        steps.done()
    steps.begin("counterfactuals and behaviour")
    shifts, failures = await measure_own(subject)
    steps.done()
    return Scorecard(
        model=subject.model,
        policies=subject.policies,
        split=split,
        sets=tuple(reports),
        bias=tuple(shifts),
        behaviour=tuple(failures),
        absent=tuple(absent),
        at=at.isoformat(timespec="seconds"),
    )


async def make_learning_card(
    sets: Sequence[LabelledSet],
    absent: Sequence[str],
    subject: Subject,
    plan: LearningPlan,
    finished: Finished,
    steps: Steps,
    *,
    split: str,
    at: datetime,
) -> Scorecard:
    """Only how root causes are learnt, of sets that have a map. `steps` gets as many as there are sets."""
    reports = []
    for data in sets:
        steps.begin(data.name)
        key = key_of(data, subject, str(plan))
        report = finished.report(key)
        if report is None:
            report = report_of(data, [Task.ROOT_CAUSES], await measure_learning(data, subject, plan))
            finished.add(key, report)
        reports.append(report)
        subject.forget()
        steps.done()
    return Scorecard(
        model=subject.model,
        policies=subject.policies,
        split=split,
        sets=tuple(reports),
        absent=tuple(absent),
        at=at.isoformat(timespec="seconds"),
    )


async def measure_own(subject: Subject) -> tuple[list[Bounded], list[Bounded]]:
    """(shifts of the counterfactuals, failure rates of the capabilities), each against its bound."""
    texts = bias.load_counterfactuals()
    shifts = bias.bounded(await bias.measure_bias(subject, texts), texts.bounds)
    outcomes = await behaviour.measure_behaviour(subject, behaviour.load_behaviours())
    return shifts, behaviour.bounded(outcomes)


async def _report(data: LabelledSet, subject: Subject, learner: Learner, finished: Finished) -> SetReport:
    key = key_of(data, subject)
    if (known := finished.report(key)) is not None:
        return known
    tasks, measured = await measure_set(data, subject, learner)
    report = report_of(data, [str(task) for task in tasks], measured)
    finished.add(key, report)
    return report


def report_of(data: LabelledSet, tasks: Sequence[str], measured: Measured) -> SetReport:
    return SetReport(
        name=data.name,
        split=data.split,
        rows=len(data.judged.rows),
        sha256=data.judged.sha256,
        tasks=tuple(tasks),
        figures=tuple(figure_of(measure) for measure in measured.measures),
        problems=tuple(str(problem) for problem in measured.problems),
        notes=tuple(measured.notes),
    )
