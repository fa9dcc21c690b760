"""Checks a taxonomy file and shows what a change re-labels: behind `heardback taxonomy check`."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import typer
import yaml
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from heardback_scoring.adapters.models import OpenedModel, open_model
from heardback_scoring.adapters.policy_files import load_policies, load_taxonomy
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.score_rows import ScoreRow, feedback_of
from heardback_scoring.app.understanding import Understanding, understanding_of
from heardback_scoring.domain.taxonomy import Taxonomy
from heardback_scoring.domain.taxonomy_check import Relabelled, TaxonomyCheck, check, moves, relabelled
from heardback_scoring.score_files import batches, open_source

_BATCH = 256
_CACHED_TEXTS = 100_000  # every row is read under two taxonomies
_SHOWN_EXAMPLES = 3
_SHOWN_ROWS = 20
_SHOWN_MOVES = 10
_SHOWN_LETTERS = 100


@dataclass(frozen=True, slots=True)
class CheckJob:
    """`against` is the taxonomy in use, None the packaged one; it is compared only where there are `data`."""

    file: Path
    data: Path | None = None
    against: Path | None = None
    model: str = "default"
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change from `before` does to `rows` rows; `unread` more could not be read.

    `texts` are those of the changed rows, in their order.
    """

    before: str
    rows: int
    unread: int
    changed: tuple[Relabelled, ...]
    texts: tuple[str, ...]


def check_file(job: CheckJob) -> int:
    """Prints the answer; 1 when the file is no taxonomy, else 0. Raises BadParameter for other mistakes."""
    try:
        taxonomy = load_taxonomy(job.file)
    except (OSError, ValueError, yaml.YAMLError) as error:
        for line in _wrong(error):
            Console(stderr=True).print(
                f"[bold red]{escape(str(job.file))}:[/] {escape(line)}", soft_wrap=True, highlight=False
            )
        return 1
    opened = _opened(job.model)
    found, preview = asyncio.run(_look_and_close(taxonomy, job, opened))
    if job.as_json:
        typer.echo(json.dumps({**asdict(found), "right": found.right, "preview": _as_dict(preview)}))
    else:
        _show(found, preview, Console())
    return 0


def _opened(model: str) -> OpenedModel:
    try:
        opened = open_model(model, cache_texts=_CACHED_TEXTS)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if opened.why_degraded is not None:
        raise typer.BadParameter(f"examples cannot be compared without a model: {opened.why_degraded}")
    return opened


def _wrong(error: Exception) -> list[str]:
    """One line per mistake, the field first."""
    if not isinstance(error, ValidationError):
        return [str(error)]
    return [
        f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}"
        for one in error.errors()
    ]


async def _look_and_close(
    taxonomy: Taxonomy, job: CheckJob, opened: OpenedModel
) -> tuple[TaxonomyCheck, Preview | None]:
    try:
        return await _look(taxonomy, job, opened)
    finally:
        await opened.reader.close()


async def _look(
    taxonomy: Taxonomy, job: CheckJob, opened: OpenedModel
) -> tuple[TaxonomyCheck, Preview | None]:
    policies = load_policies()
    guesser = Py3langidGuesser()
    after = understanding_of(
        replace(policies, taxonomy=taxonomy), guesser, opened.reader, opened.fallback, opened.why_degraded
    )
    if after.embedded is None:
        raise typer.BadParameter(
            f"model {job.model} has no embeddings; choose one that has", param_hint="model"
        )
    found = check(after.embedded)
    if job.data is None:
        return found, None
    try:
        used = policies.taxonomy if job.against is None else load_taxonomy(job.against)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise typer.BadParameter(
            f"{job.against}: {'; '.join(_wrong(error))}", param_hint="against"
        ) from error
    before = understanding_of(replace(policies, taxonomy=used), guesser, opened.reader, opened.fallback)
    return found, await _preview(job.data, before, after)


async def _preview(data: Path, before: Understanding, after: Understanding) -> Preview:
    rows: list[int] = []
    texts: list[str] = []
    unread = seen = 0
    old: list[tuple[str, ...]] = []
    new: list[tuple[str, ...]] = []
    with open_source(data) as lines:
        for batch in batches(lines, _BATCH):
            readable = [(seen + i, line.row) for i, line in enumerate(batch) if line.row is not None]
            rows += [place for place, _ in readable]
            texts += [_text(row) for _, row in readable]
            old += await _paths([row for _, row in readable], before)
            new += await _paths([row for _, row in readable], after)
            unread += len(batch) - len(readable)
            seen += len(batch)
    found = relabelled(old, new)
    changed = tuple(replace(one, row=rows[one.row]) for one in found)
    told = tuple(texts[one.row] for one in found)
    return Preview(before.taxonomy_version, len(rows), unread, changed, told)


def _text(row: ScoreRow) -> str:
    """What the customer said, in one line."""
    said = [turn.text for turn in row.turns or () if turn.role == "customer"]
    return " ".join((row.text or " / ".join(said)).split())


async def _paths(rows: Sequence[ScoreRow], by: Understanding) -> list[tuple[str, ...]]:
    scores = await score_batch([feedback_of(row, datetime.now(UTC)) for row in rows], by)
    return [tuple(cause.path for cause in score.root_causes) for score in scores]


def _as_dict(preview: Preview | None) -> dict[str, object] | None:
    """As it is, with each changed row's text in its place, and how many rows went which way."""
    if preview is None:
        return None
    told = [{**asdict(one), "text": text} for one, text in zip(preview.changed, preview.texts, strict=True)]
    went = [{"before": old, "after": new, "rows": rows} for old, new, rows in moves(preview.changed)]
    return {
        "before": preview.before,
        "rows": preview.rows,
        "unread": preview.unread,
        "changed": told,
        "moves": went,
    }


def _show(found: TaxonomyCheck, preview: Preview | None, console: Console) -> None:
    table = Table(Column("category", no_wrap=True), Column("examples", justify="right"), "told by the others")
    for category in found.categories:
        share = category.right / category.examples
        table.add_row(category.path, str(category.examples), f"{category.right} ({share:.0%})")
    console.print(f"{found.version}: {found.right:.0%} of the examples are told by the others")
    console.print(table)
    for pair in found.confusions:
        console.print(f"{pair.path} taken for {pair.taken_for}: {len(pair.examples)}", highlight=False)
        for text in pair.examples[:_SHOWN_EXAMPLES]:
            console.print(f"  {escape(text)}", highlight=False, soft_wrap=True)
    for twin in found.near_duplicates:
        console.print(
            f"{twin.similarity:.2f} alike: {twin.path} {escape(repr(twin.text))} and "
            f"{twin.other_path} {escape(repr(twin.other_text))}",
            highlight=False,
            soft_wrap=True,
        )
    if preview is not None:
        _show_preview(preview, console)


def _show_preview(preview: Preview, console: Console) -> None:
    console.print(f"{len(preview.changed)} of {preview.rows} rows would change against {preview.before}")
    if preview.unread:
        console.print(f"{preview.unread} rows could not be read")
    for before, after, rows in moves(preview.changed)[:_SHOWN_MOVES]:
        console.print(f"  {rows:>5}  {_told(before)} → {_told(after)}", highlight=False)
    for one, text in list(zip(preview.changed, preview.texts, strict=True))[:_SHOWN_ROWS]:
        console.print(f"  row {one.row + 1}: {_told(one.before)} → {_told(one.after)}", highlight=False)
        shown = text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}…"
        console.print(f"    {escape(shown)}", highlight=False, soft_wrap=True)
    if len(preview.changed) > _SHOWN_ROWS:
        console.print(f"  and {len(preview.changed) - _SHOWN_ROWS} more; --json names them all")


def _told(paths: Sequence[str]) -> str:
    return ", ".join(paths) or "unclear"
