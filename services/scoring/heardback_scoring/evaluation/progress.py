"""Progress of an evaluation, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Steps:
    """What is being measured now, out of how much, and how many texts the model has read for it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=total, texts=0)
        self._texts = 0

    def begin(self, title: str) -> None:
        self._progress.update(self._task, description=title)

    def read(self, texts: int) -> None:
        self._texts += texts
        self._progress.update(self._task, texts=self._texts)

    def done(self) -> None:
        self._progress.advance(self._task)


@contextmanager
def steps(console: Console, total: int) -> Iterator[Steps]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[texts]:,} texts read"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield Steps(progress, total)
