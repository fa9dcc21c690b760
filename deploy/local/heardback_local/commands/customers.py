"""`heardback customers import`: customers from a CSV or NDJSON file, tried first, then taken in parts."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from heardback_local.cli_options import DataDir
from heardback_local.failures import MendableError
from heardback_local.target import DEFAULT_FOLDER, NoTargetError, adopt, ingest_url

app = typer.Typer(help="Customers: import them from a file.", no_args_is_help=True)
Key = Annotated[
    str, typer.Option("--key", envvar="HEARDBACK_API_KEY", help="A key with the scope customers:write.")
]
PART_BYTES = 1_000_000
"""About so much of the file is sent at once."""
PART_ROWS = 5_000
SHOWN = 20
OUTCOMES = ("new", "changed", "unchanged", "refused")


class ImportRefusedError(MendableError):
    """The file cannot be imported. The message says what to mend."""


@dataclass(frozen=True)
class Part:
    """Whole rows of the file, with the header where there is one. `first_line` is that of the first row."""

    first_line: int
    content: bytes
    size: int
    """Bytes of the file that it stands for."""


@app.callback()
def _group() -> None:
    """Keeps `import` a command of its own."""


@app.command("import")
def import_customers(
    file: Annotated[Path, typer.Argument(help="CSV (.csv) or NDJSON.", exists=True, dir_okay=False)],
    source: Annotated[str, typer.Option(help="Who says it, such as crm.")],
    key: Key,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would change; nothing is kept.")
    ] = False,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="A column and its field, such as Kundennummer:id.")
    ] = None,
    import_id: Annotated[
        str | None, typer.Option("--resume", help="The import to go on with, as the run before named it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Tells, or makes, what the file changes: new, changed field by field, unchanged, refused with its line.

    Sent twice it counts once. Exit status 1 where rows were refused.
    """
    ingest = _Ingest(key, data_dir)
    console = Console(stderr=True)
    is_csv = file.suffix.lower() == ".csv"
    done_until = ingest.last_line(import_id) if import_id and not dry_run else 0
    counts = dict.fromkeys(OUTCOMES, 0)
    rows: list[dict[str, Any]] = []
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=as_json,
    ) as progress:
        task = progress.add_task("trying" if dry_run else "importing", total=file.stat().st_size)
        for part, following in _with_next(parts(file, is_csv)):
            if following is None or following.first_line - 1 > done_until:
                answer = ingest.send(part, is_csv, source, columns or [], dry_run, import_id)
                if import_id is None and not dry_run:
                    import_id = answer["import_id"]
                    console.print(f"import {import_id}; if it breaks off, go on with --resume {import_id}")
                for name in OUTCOMES:
                    counts[name] += answer["counts"][name]
                rows += answer["results"]
            progress.advance(task, part.size)
    _tell(counts, rows, dry_run, import_id, as_json)
    raise typer.Exit(1 if counts["refused"] else 0)


def parts(file: Path, is_csv: bool) -> Iterator[Part]:
    """Cut between rows, never within a quoted cell; the file is read once, part by part."""
    with file.open("rb") as lines:
        header = lines.readline() if is_csv else b""
        line, first = (1 if is_csv else 0), (2 if is_csv else 1)
        held: list[bytes] = []
        size, quotes, rows, taken = 0, 0, 0, len(header)
        for raw in lines:
            line += 1
            held.append(raw)
            size += len(raw)
            quotes += raw.count(b'"')
            rows += 1
            whole = not is_csv or quotes % 2 == 0
            if whole and (size >= PART_BYTES or rows >= PART_ROWS):
                yield Part(first, header + b"".join(held), size + taken)
                held, size, quotes, rows, taken, first = [], 0, 0, 0, 0, line + 1
        if held or taken:
            yield Part(first, header + b"".join(held), size + taken)


def _with_next(every: Iterator[Part]) -> Iterator[tuple[Part, Part | None]]:
    before: Part | None = None
    for part in every:
        if before is not None:
            yield before, part
        before = part
    if before is not None:
        yield before, None


def _tell(
    counts: dict[str, int], rows: list[dict[str, Any]], dry_run: bool, import_id: str | None, as_json: bool
) -> None:
    if as_json:
        said = {"import_id": import_id, "dry_run": dry_run, "counts": counts, "rows": rows}
        typer.echo(json.dumps(said))
        return
    console = Console(soft_wrap=True, highlight=False)
    for row in rows[:SHOWN]:
        what = "; ".join(
            [_change(c) for c in row.get("changes", ())]
            + [f"{e['pointer']} {e['detail']}" for e in row.get("errors", ())]
        )
        console.print(f"line {row['line']} {row['outcome']} {escape(str(row['id'] or ''))} {escape(what)}")
    if len(rows) > SHOWN:
        console.print(f"… and {len(rows) - SHOWN} more; --json lists them")
    verb = "would be " if dry_run else ""
    console.print(", ".join(f"{counts[name]} {verb}{name}" for name in OUTCOMES))


def _change(change: dict[str, Any]) -> str:
    """Of a personal field ingest tells only that it changes."""
    if change["before"] is None and change["after"] is None:
        return f"{change['field']} changes"
    return f"{change['field']}: {change['before']} → {change['after']}"


class _Ingest:
    def __init__(self, key: str, folder: Path) -> None:
        if not (os.environ.get("HEARDBACK_INGEST_URL") or os.environ.get("HEARDBACK_INGEST_PORT")):
            adopt(folder)
        self._url = ingest_url()
        self._key = {"Authorization": f"Bearer {key}"}

    def last_line(self, import_id: str) -> int:
        return int(self._call("GET", f"/v1/customer-imports/{import_id}")["last_line"])

    def send(
        self,
        part: Part,
        is_csv: bool,
        source: str,
        columns: list[str],
        dry_run: bool,
        import_id: str | None,
    ) -> dict[str, Any]:
        params: dict[str, Any] = {"source": source, "map": columns, "first_line": part.first_line}
        params |= {"dry_run": "true"} if dry_run else {}
        params |= {"import_id": import_id} if import_id else {}
        media = "text/csv" if is_csv else "application/x-ndjson"
        return self._call(
            "POST", "/v1/customers:import", params=params, content=part.content, content_type=media
        )

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        content: bytes | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        headers = self._key | {"Content-Type": content_type}
        try:
            answer = httpx.request(
                method, self._url + path, params=params, content=content, headers=headers, timeout=300
            )
        except httpx.TransportError as error:
            raise NoTargetError(f"ingest does not answer at {self._url}; set HEARDBACK_INGEST_URL") from error
        body: dict[str, Any] = answer.json() if answer.content else {}
        if answer.is_error:
            found = "; ".join(f"{e['pointer']} {e['detail']}".strip() for e in body.get("errors", ()))
            raise ImportRefusedError(f"{answer.status_code}: {found or body.get('detail') or answer.text}")
        return body
