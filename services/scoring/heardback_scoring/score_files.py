"""Scores a file of rows: reading, batching, progress and writing behind `heardback score`."""

import asyncio
import gzip
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from heardback_scoring.adapters.models import OpenedModel, open_model
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.ports import Explain
from heardback_scoring.app.score_rows import ScoreRow, score_rows
from heardback_scoring.app.understanding import Understanding, understanding_of

STANDARD = Path("-")
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class FileJob:
    """`batch` rows are scored together. `-` is standard input or output."""

    source: Path
    target: Path
    model: str = "default"
    batch: int = 256
    policies: Path | None = None
    quiet: bool = False
    explain: Explain = "severe"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the input: a row to score, or what is wrong with it."""

    own: dict[str, Any]
    row: ScoreRow | None
    error: str | None = None


def score_file(job: FileJob) -> int:
    """Writes one line per non-empty line read, in order, and returns how many could not be scored."""
    stderr = Console(stderr=True, quiet=job.quiet)
    try:
        opened = open_model(job.model)
        policies = load_policies(job.policies)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    if opened.why_degraded:
        stderr.print(f"degraded: {opened.why_degraded}", style="yellow", highlight=False, soft_wrap=True)
    by = understanding_of(
        policies,
        Py3langidGuesser(),
        opened.reader,
        opened.fallback,
        opened.why_degraded,
        opened.satisfaction,
        job.explain,
    )
    with ExitStack() as files:
        lines = files.enter_context(open_source(job.source))
        target = files.enter_context(_open_target(job.target))
        done, failed = asyncio.run(_score_lines(lines, target, by, opened, job, stderr))
    if failed:
        Console(stderr=True).print(
            f'{failed} of {done} rows could not be scored; see their "error".', style="red"
        )
    return failed


async def _score_lines(
    lines: IO[bytes], target: IO[bytes], by: Understanding, opened: OpenedModel, job: FileJob, stderr: Console
) -> tuple[int, int]:
    done = failed = 0
    columns = (
        SpinnerColumn(),
        TextColumn("scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=stderr, transient=False, disable=job.quiet) as progress:
            task = progress.add_task("scoring", total=None, rate="")
            for batch in batches(lines, job.batch):
                answers = await _answers(batch, by)
                target.write(
                    b"".join(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE) for answer in answers)
                )
                done += len(batch)
                failed += sum(1 for line in batch if line.row is None)
                progress.update(task, completed=done, rate=_rate(progress, done))
            progress.update(task, total=done)
        target.flush()
    finally:
        await opened.reader.close()
    return done, failed


def _rate(progress: Progress, done: int) -> str:
    seconds = progress.tasks[0].elapsed or 0
    return f"{done / seconds:,.0f}/s" if seconds else ""


async def _answers(batch: Sequence[Line], by: Understanding) -> list[dict[str, Any]]:
    rows = [(line.own, line.row) for line in batch if line.row is not None]
    scored = iter(await score_rows(rows, by, datetime.now(UTC)))
    return [{**line.own, "error": line.error} if line.row is None else next(scored) for line in batch]


def batches(lines: IO[bytes], size: int) -> Iterator[list[Line]]:
    """The lines that are not empty, `size` at a time."""
    batch: list[Line] = []
    for number, raw in enumerate(lines, 1):
        if raw.strip():
            batch.append(read_line(raw, number))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def read_line(raw: bytes, number: int) -> Line:
    """What is wrong names the line and the field; a line that is no JSON object is kept as "line"."""
    try:
        own = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return Line(
            {"line": raw.decode("utf-8", "replace").rstrip("\r\n")}, None, f"line {number}: not JSON: {error}"
        )
    if not isinstance(own, dict):
        return Line({"line": own}, None, f"line {number}: expected an object")
    try:
        return Line(own, ScoreRow.model_validate(own))
    except ValidationError as error:
        return Line(own, None, f"line {number}: {_first(error)}")


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    where = "/".join(str(part) for part in found["loc"])
    said = found["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" if where else said


@contextmanager
def open_source(path: Path) -> Iterator[IO[bytes]]:
    """Gzip is recognised by its first bytes, so that it may come through a pipe as well."""
    with ExitStack() as opened:
        if path == STANDARD:
            raw: Any = sys.stdin.buffer
        else:
            try:
                raw = opened.enter_context(path.open("rb"))
            except OSError as error:
                raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from error
        if raw.peek(2)[:2] == _GZIP_MAGIC:
            raw = opened.enter_context(gzip.open(raw, "rb"))
        yield raw


def _open_target(path: Path) -> IO[bytes]:
    if path == STANDARD:
        return open(sys.stdout.fileno(), "wb", closefd=False)
    try:
        return cast("IO[bytes]", gzip.open(path, "wb")) if path.suffix == ".gz" else path.open("wb")
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}") from error
