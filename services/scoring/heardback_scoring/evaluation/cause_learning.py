"""How root causes get better as people correct them: the product's own learning on labelled sets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heardback_scoring.domain.corrections import MOST, Correction, Corrections
from heardback_scoring.domain.few_shot import same_text
from heardback_scoring.domain.root_cause import EmbeddedTaxonomy, nearest_causes
from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.data import LabelledSet, Part, Row
from heardback_scoring.evaluation.label_maps import NO_CAUSE
from heardback_scoring.evaluation.learning import few_of_each
from heardback_scoring.evaluation.measures import Measured
from heardback_scoring.evaluation.root_causes import MAPPED, cause_figures
from heardback_scoring.evaluation.statistics import Statistic
from heardback_scoring.evaluation.subject import Heard, Subject
from heardback_scoring.evaluation.tasks import TrueCauses, causes_of

BARE = "as shipped"


@dataclass(frozen=True, slots=True)
class LearningPlan:
    """Corrections per class (a path of the taxonomy, or no cause) and draws of them, seeds 0, 1, …"""

    per_class: tuple[int, ...] = (5, 20, 50)
    seeds: int = 5

    def __post_init__(self) -> None:
        if not self.per_class or min(self.per_class) < 1:
            raise ValueError("corrections: give numbers of at least 1")
        if self.seeds < 1:
            raise ValueError("seeds: give at least 1")


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A row that is mapped; `heard` is None where the product reads nothing in it."""

    row: Row
    truth: TrueCauses
    heard: Heard | None


async def measure_learning(data: LabelledSet, subject: Subject, plan: LearningPlan) -> Measured:
    """The figures of `cause_figures`, a slice for no corrections and one for each number of them.

    Corrections come from the train split, none with the words of a judged row, and teach what the labels
    mean. Figures are means over the seeds; a note says how far seeds lie apart. Raises NoEmbeddings.
    """
    measured = Measured(problems=list(data.judged.problems), notes=[MAPPED])
    embedded = subject.taxonomy()
    judged = await _labelled(data.judged, data, subject)
    if not judged:
        measured.notes.append("no label of its rows is mapped to a cause; not measured")
        return measured
    _add(measured, BARE, [_figures(embedded, judged)], len(judged))
    if data.train is None:
        measured.notes.append("has no train split to draw corrections from")
        return measured
    measured.problems += data.train.problems
    taught = _apart(await _labelled(data.train, data, subject), judged)
    for count in plan.per_class:
        sets = [_drawn(taught, count, seed) for seed in range(plan.seeds)]
        figures = [_figures(embedded.corrected(one), judged) for one in sets]
        _add(measured, f"{count} per class", figures, len(judged))
        measured.notes.append(f"{count} per class: {_spread(sets, figures, len(judged))}")
    return measured


def _spread(sets: Sequence[Corrections], figures: Sequence[dict[str, Statistic]], rows: int) -> str:
    sizes = [len(one) for one in sets]
    values = [stats.point(one["cause_right"], rows) for one in figures]
    full = f" (a taxonomy keeps the last {MOST})" if max(sizes) == MOST else ""
    return (
        f"{min(sizes)} to {max(sizes)} corrections in all{full}, {len(sets)} seeds, cause_right of a seed "
        f"{min(values):.3f} to {max(values):.3f}, standard deviation {np.std(values):.3f}"
    )


async def _labelled(part: Part, data: LabelledSet, subject: Subject) -> list[_Labelled]:
    mapped = [(row, truth) for row in part.rows if (truth := causes_of(row, data.maps)) is not None]
    heard = await subject.heard([row.text for row, _ in mapped])
    return [_Labelled(row, truth, one) for (row, truth), one in zip(mapped, heard, strict=True)]


def _apart(taught: Sequence[_Labelled], judged: Sequence[_Labelled]) -> list[_Labelled]:
    known = {same_text(one.row.text) for one in judged}
    return [one for one in taught if one.heard is not None and same_text(one.row.text) not in known]


def _drawn(taught: Sequence[_Labelled], count: int, seed: int) -> Corrections:
    """The first `count` of each class after a seeded shuffle; a row of several classes counts for each."""
    classes = [one.truth.meant or frozenset({NO_CAUSE}) for one in taught]
    chosen = [taught[i] for i in few_of_each(classes, count, seed)]
    return Corrections.of(
        Correction(f"line {one.row.line}", one.heard.vector, one.truth.meant)
        for one in chosen
        if one.heard is not None
    )


def _figures(embedded: EmbeddedTaxonomy, judged: Sequence[_Labelled]) -> dict[str, Statistic]:
    heard = [one.heard for one in judged if one.heard is not None]
    answers = iter(
        nearest_causes(np.stack([h.vector for h in heard]), [h.text for h in heard], embedded)
        if heard
        else ()
    )
    first: list[str | None] = []
    for one in judged:
        found = next(answers).found if one.heard is not None else ()
        first.append(found[0].path if found else None)
    return cause_figures(first, [one.truth for one in judged])


def _add(measured: Measured, slice_name: str, seeds: Sequence[dict[str, Statistic]], rows: int) -> None:
    for name in seeds[0]:
        measured.add(name, rows, stats.mean_of([one[name] for one in seeds]), slice_name)
