"""Two models on the same rows, figure by figure, held against the release policy."""

import math
from collections.abc import Sequence
from datetime import datetime

from heardback_scoring.evaluation import behaviour, bias
from heardback_scoring.evaluation.data import LabelledSet
from heardback_scoring.evaluation.evaluators import measure_set
from heardback_scoring.evaluation.gate_policy import ReleasePolicy
from heardback_scoring.evaluation.learning import Learner
from heardback_scoring.evaluation.measures import Measure, Measured
from heardback_scoring.evaluation.progress import Steps
from heardback_scoring.evaluation.record import (
    ComparedData,
    ComparedFigure,
    ComparisonRecord,
    make_record,
)
from heardback_scoring.evaluation.statistics import paired
from heardback_scoring.evaluation.subject import Subject


async def compare_models(
    sets: Sequence[LabelledSet],
    baseline: Subject,
    candidate: Subject,
    learner: Learner,
    policy: ReleasePolicy,
    steps: Steps,
    *,
    at: datetime,
) -> tuple[ComparisonRecord, list[str]]:
    """(the record; in words, what could not be compared). `steps` gets one more than there are sets."""
    figures: list[ComparedFigure] = []
    data: list[ComparedData] = []
    told: list[str] = []
    for one in sets:
        steps.begin(one.name)
        _, before = await measure_set(one, baseline, learner)
        _, after = await measure_set(one, candidate, learner)
        figures += _compared(one.name, before.measures, after.measures, policy, told)
        told += _told(one.name, before, after)
        data.append(
            ComparedData(name=one.name, split=one.split, rows=len(one.judged.rows), sha256=one.judged.sha256)
        )
        baseline.forget()
        candidate.forget()
        steps.done()
    steps.begin("counterfactuals and behaviour")
    texts = bias.load_counterfactuals()
    shifts = [
        bias.bias_measures(await bias.measure_bias(subject, texts)) for subject in (baseline, candidate)
    ]
    figures += _compared(bias.SET, shifts[0], shifts[1], policy, told)
    tests = behaviour.load_behaviours()
    rates = [
        behaviour.behaviour_measures(await behaviour.measure_behaviour(subject, tests))
        for subject in (baseline, candidate)
    ]
    figures += _compared(behaviour.SET, rates[0], rates[1], policy, told)
    steps.done()
    record = make_record(
        baseline=baseline.model,
        candidate=candidate.model,
        policy=policy.policy,
        data=data,
        figures=figures,
        at=at,
    )
    return record, told


def _compared(
    name: str, before: Sequence[Measure], after: Sequence[Measure], policy: ReleasePolicy, told: list[str]
) -> list[ComparedFigure]:
    """Figures that both models have on the same rows; the others are told of."""
    found = []
    others = {(measure.figure, measure.slice): measure for measure in after}
    for measure in before:
        other = others.pop((measure.figure, measure.slice), None)
        if other is None or other.rows != measure.rows:
            told.append(f"{name}: {measure.figure} of {measure.slice} is not comparable: other rows")
        elif (figure := _figure(name, measure, other, policy)) is not None:
            found.append(figure)
    told += [f"{name}: {figure} of {slice_name} is only the candidate's" for figure, slice_name in others]
    return found


def _figure(name: str, before: Measure, after: Measure, policy: ReleasePolicy) -> ComparedFigure | None:
    """None where the rows cannot tell for one of the two."""
    pair = paired(before.statistic, after.statistic, before.rows)
    values = (pair.baseline, pair.candidate, pair.low, pair.high)
    if not all(math.isfinite(value) for value in values):
        return None
    bound = policy.bound_of(name, before.slice, before.figure)
    return ComparedFigure(
        set=name,
        slice=before.slice,
        figure=before.figure,
        baseline=round(pair.baseline, 5),
        candidate=round(pair.candidate, 5),
        difference=round(pair.difference, 5),
        low=round(pair.low, 5),
        high=round(pair.high, 5),
        bound=bound.bound if bound is not None else None,
        verdict=policy.verdict(bound, before.figure, before.rows, pair),
    )


def _told(name: str, before: Measured, after: Measured) -> list[str]:
    notes = dict.fromkeys(f"{name}: {note}" for note in [*before.notes, *after.notes])
    return [*notes, *(str(problem) for problem in before.problems)]
