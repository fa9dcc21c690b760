"""The scorecard and the comparison as people read them."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypedDict

from rich.console import Console
from rich.table import Column, Table

from heardback_scoring.evaluation.figures import Bounded, Figure, Scorecard, SetReport
from heardback_scoring.evaluation.record import ComparedFigure, ComparisonRecord
from heardback_scoring.evaluation.slices import ALL


class _Title(TypedDict):
    title_justify: Literal["left"]
    title_style: str


FEWEST_SHOWN = 20
"""Slices with fewer rows are in the JSON only; their intervals say nothing."""
_MOST_PROBLEMS = 20
_TITLE: _Title = {"title_justify": "left", "title_style": "bold"}


def print_scorecard(card: Scorecard, out: Console) -> None:
    _print_model(card, out)
    for report in card.sets:
        _print_set(report, out)
    if card.bias:
        _print_bounds("counterfactuals: largest shift between groups", card.bias, out)
    if card.behaviour:
        _print_bounds("behaviour: share of cases that fail", card.behaviour, out)


def print_learning(card: Scorecard, out: Console) -> None:
    """A set after the other, one line for no corrections and one for each number of them."""
    _print_model(card, out)
    for report in card.sets:
        out.print()
        out.print(f"{report.name} {report.split}, {report.rows} rows", style="bold", markup=False)
        out.print(_slices_table(report.figures))
        for note in report.notes:
            out.print(f"{report.name}: {note}", markup=False, highlight=False, soft_wrap=True)


def print_warnings(card: Scorecard, err: Console) -> None:
    """What was not measured, and rows that could not be used, by name and line."""
    for absent in card.absent:
        err.print(f"ABSENT  {absent}", style="bold yellow", markup=False, highlight=False)
    for report in card.sets:
        print_problems(report.problems, err)


def print_problems(problems: Sequence[str], err: Console) -> None:
    for problem in problems[:_MOST_PROBLEMS]:
        err.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)
    if (more := len(problems) - _MOST_PROBLEMS) > 0:
        err.print(f"… and {more} more like these", style="red")


def print_comparison(record: ComparisonRecord, out: Console) -> None:
    """What is worse, unsure or better first; figures that hold without a change beyond chance are counted."""
    shown = [figure for figure in record.figures if figure.verdict in ("worse", "unsure") or _better(figure)]
    table = Table("set", "slice", "figure", *_right("A", "B", "difference", "95 %", "bound"), "verdict")
    for figure in shown:
        table.add_row(
            figure.set,
            figure.slice,
            figure.figure,
            f"{figure.baseline:.3f}",
            f"{figure.candidate:.3f}",
            f"{figure.difference:+.3f}",
            f"{figure.low:+.3f} … {figure.high:+.3f}",
            "" if figure.bound is None else f"{figure.bound:g}",
            figure.verdict,
            style={"worse": "bold red", "unsure": "yellow"}.get(figure.verdict),
        )
    for letter, model in (("A", record.baseline), ("B", record.candidate)):
        out.print(f"{letter}  {model.name}@{model.revision}  sha256 {model.sha256[:16]}", markup=False)
    out.print(table)
    counts = Counter(figure.verdict for figure in record.figures)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    out.print(f"{record.verdict.upper()} by {record.policy}: {told}", style="bold", markup=False)


def _print_model(card: Scorecard, out: Console) -> None:
    model = card.model
    out.print(f"{model.name}@{model.revision}  sha256 {model.sha256[:16]}  split {card.split}", markup=False)


def _print_set(report: SetReport, out: Console) -> None:
    tasks = ", ".join(report.tasks) or "no task"
    table = Table(
        "figure",
        *_right("value", "95 %", "rows"),
        title=f"{report.name} {report.split}, {report.rows} rows: {tasks}",
        **_TITLE,
    )
    slices = [f for f in report.figures if f.slice != ALL and f.rows >= FEWEST_SHOWN]
    for figure in report.figures:
        if figure.slice == ALL:
            table.add_row(figure.figure, *_cells(figure))
    out.print()
    if table.row_count:
        out.print(table)
    for note in report.notes:
        out.print(f"{report.name}: {note}", markup=False, highlight=False, soft_wrap=True)
    if slices:
        out.print(_slices_table(slices))


def _slices_table(figures: Sequence[Figure]) -> Table:
    """One line per slice, one column per figure."""
    names = list(dict.fromkeys(figure.figure for figure in figures))
    table = Table(Column("slice", no_wrap=True), *_right("rows", *names))
    by_slice: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        by_slice.setdefault(figure.slice, {})[figure.figure] = figure
    for name, found in by_slice.items():
        rows = max(figure.rows for figure in found.values())
        table.add_row(name, str(rows), *(_short(found.get(one)) for one in names))
    return table


def _print_bounds(title: str, found: Sequence[Bounded], out: Console) -> None:
    """Every bound, then examples for those that do not hold."""
    table = Table("what", "figure", *_right("value", "bound", "failed", "of"), title=title, **_TITLE)
    for one in found:
        table.add_row(
            one.name,
            one.figure,
            f"{one.value:.3f}",
            f"{one.bound:g}",
            "" if one.failed is None else str(one.failed),
            str(one.of),
            style=None if one.holds else "red",
        )
    out.print()
    out.print(table)
    for one in found:
        for example in () if one.holds else one.worst:
            told = example.replace("\n", " / ")
            out.print(f"{one.name}, {one.figure}: {told}", markup=False, highlight=False, soft_wrap=True)


def _right(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, justify="right") for name in names)


def _cells(figure: Figure) -> tuple[str, str, str]:
    if figure.value is None or figure.low is None or figure.high is None:
        return "-", "", str(figure.rows)
    return f"{figure.value:.3f}", f"{figure.low:.3f} … {figure.high:.3f}", str(figure.rows)


def _short(figure: Figure | None) -> str:
    if figure is None or figure.value is None or figure.low is None or figure.high is None:
        return "-"
    return f"{figure.value:.3f} ±{(figure.high - figure.low) / 2:.3f}"


def _better(figure: ComparedFigure) -> bool:
    """Surely different from before, which for one that holds means better or hardly worse."""
    return figure.verdict == "holds" and (figure.low > 0 or figure.high < 0)
