"""Behind `heardback eval`, `models compare` and `taxonomy learn`: from options to output and exit status."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson
import typer
from rich.console import Console

from heardback_scoring.evaluation.cause_learning import LearningPlan
from heardback_scoring.evaluation.compare import compare_models
from heardback_scoring.evaluation.data import DataRefused, LabelledSet, Split, find_sets
from heardback_scoring.evaluation.figures import Scorecard
from heardback_scoring.evaluation.finished import Finished
from heardback_scoring.evaluation.gate_policy import PolicyRefused, load_release_policy
from heardback_scoring.evaluation.label_maps import LABEL_MAPS
from heardback_scoring.evaluation.learning import LearnerMissing, LogisticLearner, available
from heardback_scoring.evaluation.progress import steps
from heardback_scoring.evaluation.record import ComparisonRecord, record_bytes, write_record
from heardback_scoring.evaluation.report import (
    print_comparison,
    print_learning,
    print_problems,
    print_scorecard,
    print_warnings,
)
from heardback_scoring.evaluation.scorecard import make_learning_card, make_scorecard
from heardback_scoring.evaluation.subject import NoEmbeddings, SubjectRefused, open_subject

INTERRUPTED = 130
_WIDTH = 150


@dataclass(frozen=True, slots=True)
class EvalJob:
    data: Path
    model: str = "default"
    split: Split = "dev"
    only: tuple[str, ...] = ()
    as_json: bool = False
    resume: Path | None = None
    policies: Path | None = None


@dataclass(frozen=True, slots=True)
class CompareJob:
    baseline: str
    candidate: str
    data: Path
    split: Split = "dev"
    only: tuple[str, ...] = ()
    as_json: bool = False
    record: Path | None = None
    policy: Path | None = None


@dataclass(frozen=True, slots=True)
class LearnJob:
    """Figures are made on `split`, corrections come from the train split."""

    data: Path
    model: str = "default"
    split: Split = "dev"
    only: tuple[str, ...] = ()
    plan: LearningPlan = field(default_factory=LearningPlan)
    as_json: bool = False
    resume: Path | None = None
    policies: Path | None = None


def run_eval(job: EvalJob) -> int:
    """The exit status: 0, or 1 when rows could not be used. Raises typer.BadParameter."""
    err = Console(stderr=True)
    return _guarded(lambda: _evaluate(job, err), err, job.resume)


def run_learn(job: LearnJob) -> int:
    """The exit status: 0, or 1 when rows could not be used. Raises typer.BadParameter."""
    err = Console(stderr=True)
    return _guarded(lambda: _learn(job, err), err, job.resume)


def run_compare(job: CompareJob) -> int:
    """The exit status: 0 when the candidate passes, 1 when it is refused. Raises typer.BadParameter."""
    err = Console(stderr=True)
    return _guarded(lambda: _compare(job, err), err, None)


def _guarded(run: Callable[[], int], err: Console, resume: Path | None) -> int:
    try:
        return run()
    except (DataRefused, NoEmbeddings, PolicyRefused, SubjectRefused) as error:
        raise typer.BadParameter(str(error)) from error
    except KeyboardInterrupt:
        kept = f"; finished sets are kept in {resume}" if resume else ""
        err.print(f"interrupted{kept}", style="yellow", markup=False)
        return INTERRUPTED


def _evaluate(job: EvalJob, err: Console) -> int:
    _check_folder("--resume", job.resume)
    sets, absent = _sets(job.data, job.split, job.only)
    finished = Finished(job.resume)
    _warn_of_learner(err)
    card = asyncio.run(_scorecard(job, sets, absent, finished, err))
    print_warnings(card, err)
    if job.as_json:
        typer.echo(orjson.dumps(card.model_dump(mode="json")).decode())
    else:
        print_scorecard(card, _out())
    return 1 if any(report.problems for report in card.sets) else 0


async def _scorecard(
    job: EvalJob, sets: Sequence[LabelledSet], absent: Sequence[str], finished: Finished, err: Console
) -> Scorecard:
    with steps(err, len(sets) + 1) as told:
        async with open_subject(job.model, job.policies, told.read) as subject:
            return await make_scorecard(
                sets,
                absent,
                subject,
                LogisticLearner(),
                finished,
                told,
                split=job.split,
                at=datetime.now(UTC),
            )


def _learn(job: LearnJob, err: Console) -> int:
    _check_folder("--resume", job.resume)
    found, absent = find_sets(job.data, job.split, job.only)
    sets = [one for one in found if one.maps]
    # A set without a map has no causes to be right about; one that was asked for by name is told of.
    absent = [one for one in absent if job.only]
    absent += [f"{one.name}: no map of its labels to causes" for one in found if job.only and not one.maps]
    if not sets:
        raise DataRefused(
            f"--data {job.data}: no set there has a {job.split} split and a map of its labels to causes. Put "
            f"one into {LABEL_MAPS} beside the sets."
        )
    card = asyncio.run(_learning_card(job, sets, absent, Finished(job.resume), err))
    print_warnings(card, err)
    if job.as_json:
        typer.echo(orjson.dumps(card.model_dump(mode="json")).decode())
    else:
        print_learning(card, _out())
    return 1 if any(report.problems for report in card.sets) else 0


async def _learning_card(
    job: LearnJob, sets: Sequence[LabelledSet], absent: Sequence[str], finished: Finished, err: Console
) -> Scorecard:
    with steps(err, len(sets)) as told:
        async with open_subject(job.model, job.policies, told.read) as subject:
            return await make_learning_card(
                sets, absent, subject, job.plan, finished, told, split=job.split, at=datetime.now(UTC)
            )


def _compare(job: CompareJob, err: Console) -> int:
    _check_folder("--record", job.record)
    sets, absent = _sets(job.data, job.split, job.only)
    _warn_of_learner(err)
    record, told = asyncio.run(_comparison(job, sets, err))
    print_problems([*(f"ABSENT  {one}" for one in absent), *told], err)
    if job.record is not None:
        try:
            write_record(record, job.record)
        except OSError as error:
            raise typer.BadParameter(f"--record {job.record} cannot be written: {error.strerror}") from error
    if job.as_json:
        typer.echo(record_bytes(record).decode(), nl=False)
    else:
        print_comparison(record, _out())
    return 0 if record.verdict == "pass" else 1


async def _comparison(
    job: CompareJob, sets: Sequence[LabelledSet], err: Console
) -> tuple[ComparisonRecord, list[str]]:
    policy = load_release_policy(job.policy)
    with steps(err, len(sets) + 1) as told:
        async with AsyncExitStack() as models:
            baseline = await models.enter_async_context(open_subject(job.baseline, on_read=told.read))
            candidate = await models.enter_async_context(open_subject(job.candidate, on_read=told.read))
            return await compare_models(
                sets, baseline, candidate, LogisticLearner(), policy, told, at=datetime.now(UTC)
            )


def _check_folder(option: str, path: Path | None) -> None:
    """Before an hour of work, not after it."""
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"{option} {path}: the folder {path.absolute().parent} does not exist")


def _sets(folder: Path, split: Split, only: tuple[str, ...]) -> tuple[list[LabelledSet], list[str]]:
    """Also those that a whole scorecard has and this folder has not are absent."""
    sets, absent = find_sets(folder, split, only)
    if not only:
        named = {path.name for path in folder.iterdir()}
        expected = load_release_policy().expected
        absent += [f"{name}: not in {folder}" for name in expected if name not in named]
    return sets, absent


def _out() -> Console:
    """As wide as the terminal; where there is none, wide enough for a slice in one line."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def _warn_of_learner(err: Console) -> None:
    try:
        available()
    except LearnerMissing as missing:
        err.print(f"emotions, intents, topics, aspects: {missing}", style="bold yellow", markup=False)
