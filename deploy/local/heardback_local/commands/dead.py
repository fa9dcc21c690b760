"""`heardback dead`: records no service could handle, over ingest's admin API."""

import json
import os
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Column, Table

from heardback_local.cli_options import DataDir
from heardback_local.target import DEFAULT_FOLDER, NoTargetError, adopt, ingest_url

app = typer.Typer(help="Dead letters: list, show, replay.", no_args_is_help=True)
Key = Annotated[str, typer.Option("--key", envvar="HEARDBACK_API_KEY", help="A key with scope admin.")]
Id = Annotated[str, typer.Argument(help="The id, as `dead list` shows it.")]


@app.command("list")
def list_dead(
    key: Key,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """The newest dead letters with their reasons."""
    answer = _call("GET", f"/v1/dead-letters?limit={limit}", key, data_dir)
    if as_json:
        typer.echo(json.dumps(answer))
        return
    table = Table(Column("id", no_wrap=True), "service", "topic", "failed", "reason", "replayed")
    for row in answer.get("dead_letters", ()):
        table.add_row(*(str(row.get(name) or "") for name in _COLUMNS))
    Console().print(table)


@app.command()
def show(letter: Id, key: Key, data_dir: DataDir = DEFAULT_FOLDER) -> None:
    """One dead letter as JSON, its bytes in base64."""
    typer.echo(json.dumps(_call("GET", f"/v1/dead-letters/{letter}", key, data_dir), indent=2))


@app.command()
def replay(letter: Id, key: Key, data_dir: DataDir = DEFAULT_FOLDER) -> None:
    """Sends a dead letter to its topic again. Handling it twice has no second effect."""
    typer.echo(json.dumps(_call("POST", f"/v1/dead-letters/{letter}:replay", key, data_dir)))


_COLUMNS = ("id", "service", "topic", "failed_at", "reason", "replayed_at")


def _call(method: str, path: str, key: str, folder: Any) -> dict[str, Any]:
    if not (os.environ.get("HEARDBACK_INGEST_URL") or os.environ.get("HEARDBACK_INGEST_PORT")):
        adopt(folder)
    url = ingest_url()
    try:
        answer = httpx.request(method, url + path, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    except httpx.TransportError as error:
        raise NoTargetError(f"ingest does not answer at {url} ({error}); set HEARDBACK_INGEST_URL") from error
    body: dict[str, Any] = answer.json() if answer.content else {}
    if answer.is_error:
        problem = body.get("detail") or body.get("title") or answer.text
        typer.echo(f"{answer.status_code}: {problem}", err=True)
        raise typer.Exit(1)
    return body
