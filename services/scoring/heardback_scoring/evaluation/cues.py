"""Cues as the product gives them, merged from model and patterns; and of dialogues, whether to hand over."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.data import LabelledSet, Row
from heardback_scoring.evaluation.measures import Measured
from heardback_scoring.evaluation.statistics import Values
from heardback_scoring.evaluation.subject import Subject, texts_of
from heardback_scoring.evaluation.tasks import cues_of, escalated, flag_of

PRECISE = 0.9
GRAVE = ("wants_to_leave", "loss_or_fraud_urgent")
"""Missed, these cost the most: recall at a precision of 0.9 is given for them."""
Found = NDArray[np.bool_]


async def evaluate_cues(data: LabelledSet, subject: Subject) -> Measured:
    measured = Measured()
    rows, truths = [], []
    for row in data.judged.rows:
        cues = cues_of(row)
        if cues is None:
            measured.problems.append(data.judged.problem(row, "cues: expected a list of names"))
        else:
            rows.append(row)
            truths.append(cues)
    names = sorted(set().union(*truths))
    judged = [name for name in names if name in subject.cues]
    if unknown := [name for name in names if name not in subject.cues]:
        measured.notes.append(f"cues that are not ours, left out: {', '.join(unknown)}")
    found = await _found(rows, judged, subject)
    sources = _sources(rows)
    f1s = []
    for name in judged:
        truth = np.array([name in cues for cues in truths], np.bool_)
        chosen, chances = found[name]
        _add(measured, name, chosen, truth)
        f1s.append(stats.f1(chosen, truth))
        if name in GRAVE:
            figure = f"{name} recall_at_precision_{PRECISE:g}"
            measured.add(figure, len(rows), stats.recall_at_precision(chances, truth, PRECISE))
        for source, mask in sources.items():
            if (truth & mask).any():
                recall = stats.recall(chosen[mask], truth[mask])
                measured.add(f"{name} recall", int(mask.sum()), recall, f"source {source}")
    if f1s:
        measured.add("cue_macro_f1", len(rows), stats.mean_of(f1s))
    return measured


async def evaluate_flag(data: LabelledSet, subject: Subject) -> Measured:
    """A set of two labels, X and not X, by the cue for X where there is one."""
    measured = Measured()
    flagged = [(row, flag) for row in data.judged.rows if (flag := flag_of(row)) is not None]
    name = flagged[0][1][0]
    if name not in subject.cues:
        measured.notes.append(f"no cue is called {name}; judged by a probe only")
        return measured
    truth = np.array([flag for _, (_, flag) in flagged], np.bool_)
    chosen, chances = (await _found([row for row, _ in flagged], [name], subject))[name]
    _add(measured, name, chosen, truth)
    figure = f"{name} recall_at_precision_{PRECISE:g}"
    measured.add(figure, len(truth), stats.recall_at_precision(chances, truth, PRECISE))
    return measured


async def evaluate_escalation(data: LabelledSet, subject: Subject) -> Measured:
    """Dialogues that ended with a person against the product's advice to hand over."""
    measured = Measured()
    known = [(row, value) for row in data.judged.rows if (value := escalated(row)) is not None]
    scores = await subject.scores([row.data for row, _ in known])
    _add(
        measured,
        "handover",
        np.array([score.handover.now for score in scores], np.bool_),
        np.array([value for _, value in known], np.bool_),
    )
    return measured


def _add(measured: Measured, name: str, chosen: Found, truth: Found) -> None:
    measured.add(f"{name} precision", len(truth), stats.precision(chosen, truth))
    measured.add(f"{name} recall", len(truth), stats.recall(chosen, truth))
    measured.add(f"{name} f1", len(truth), stats.f1(chosen, truth))


async def _found(
    rows: Sequence[Row], names: Sequence[str], subject: Subject
) -> dict[str, tuple[Found, Values]]:
    """Per cue: whether the product says it, and the larger of its probability and the model's own."""
    scores = await subject.scores([row.data for row in rows])
    readings = await subject.readings(texts_of(rows))
    told = [{cue.name: cue.probability for cue in score.cues} for score in scores]
    found = {}
    for name in names:
        chosen = np.array([name in cues for cues in told], np.bool_)
        chances = [
            max(cues.get(name, 0.0), r.cues.get(name, 0.0)) for cues, r in zip(told, readings, strict=True)
        ]
        found[name] = (chosen, np.array(chances, np.float64))
    return found


def _sources(rows: Sequence[Row]) -> dict[str, Found]:
    values = np.array([str(row.data.get("source", "")) for row in rows])
    return {str(v): values == v for v in np.unique(values) if v} if len(np.unique(values)) > 1 else {}
