"""`heardback policies`: what is in force, a folder of it for Git, and what a change would change."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from heardback_local.cli_options import DataDir
from heardback_local.router_client import RefusedError, RouterClient
from heardback_local.target import DEFAULT_FOLDER

app = typer.Typer(
    help="Policies of a tenant: list, export, import, try what a change would change.", no_args_is_help=True
)
Key = Annotated[
    str, typer.Option("--key", envvar="HEARDBACK_API_KEY", help="A key with the scopes policies:….")
]
Folder = Annotated[Path, typer.Argument(help="A folder of files <kind>.yaml, such as routing.yaml.")]
POLL_SECONDS = 0.3
SHOWN_CHANGES = 20


@app.command("list")
def list_policies(
    key: Key,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Which policies decide now, where they come from and since when."""
    lines = RouterClient(key, data_dir).get("/v1/policies")["policies"]
    if as_json:
        typer.echo(json.dumps(lines))
        return
    table = Table(Column("kind", no_wrap=True), "policy", "from", "version", "since", "digest", "problem")
    for line in lines:
        table.add_row(
            line["kind"],
            line["policy"] or "",
            line["from"],
            str(line["number"] or ""),
            line["since"] or "",
            (line["digest"] or "")[:12],
            line["problem"] or "",
        )
    Console().print(table)


@app.command()
def export(folder: Folder, key: Key, data_dir: DataDir = DEFAULT_FOLDER) -> None:
    """Writes what is in force as files, byte for byte, so that Git can keep them."""
    router = RouterClient(key, data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for line in router.get("/v1/policies")["policies"]:
        kind = line["kind"]
        text = router.get(f"/v1/policies/{kind}")["text"]
        if text is None:
            typer.echo(f"{kind}: {line['from']}'s own, which router does not know; not written")
            continue
        path = folder / f"{kind}.yaml"
        same = path.exists() and path.read_bytes() == text.encode()
        if not same:
            path.write_bytes(text.encode())
        typer.echo(f"{kind}: {line['policy']} {'is there already' if same else f'written to {path}'}")


@app.command("import")
def import_policies(
    folder: Folder,
    reason: Annotated[str, typer.Option(help="Why; kept with every draft.")],
    key: Key,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Makes a draft of every file that differs from what is in force. Nothing comes into force by it."""
    router = RouterClient(key, data_dir)
    kinds = [line["kind"] for line in router.get("/v1/policies")["policies"]]
    found = [(kind, folder / f"{kind}.yaml") for kind in kinds if (folder / f"{kind}.yaml").is_file()]
    if not found:
        raise RefusedError(f"{folder} has none of {', '.join(f'{kind}.yaml' for kind in kinds)}")
    refused = 0
    for kind, path in found:
        text = _text_of(path)
        if text == router.get(f"/v1/policies/{kind}")["text"]:
            typer.echo(f"{kind}: as it is in force")
            continue
        try:
            draft = router.post(f"/v1/policies/{kind}/versions", {"text": text, "reason": reason})
        except RefusedError as error:
            refused += 1
            typer.echo(f"{path}: {error}", err=True)
            continue
        typer.echo(f"{kind}: draft {draft['number']} ({draft['policy']}), waits to be reviewed")
        for warning in draft["warnings"]:
            typer.echo(f"  look at: {warning}")
    if refused:
        raise RefusedError(f"{refused} of {len(found)} files cannot be used; nothing of those was kept")


@app.command("what-if")
def what_if(
    file: Annotated[Path, typer.Argument(help="The changed policy.", exists=True, dir_okay=False)],
    key: Key,
    kind: Annotated[
        str | None, typer.Option(help="Kind of the policy; the file's name without .yaml if not given.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Run over so many days of feedback.")] = 30,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many of the newest feedbacks.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The run as one JSON object.")] = False,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """What this policy would have changed. Nothing takes effect; Ctrl-C cancels the run."""
    router = RouterClient(key, data_dir)
    asked: dict[str, Any] = {"kind": kind or file.stem, "text": _text_of(file), "days": days}
    run = router.post("/v1/what-if", asked | ({"limit": limit} if limit else {}))
    path = f"/v1/what-if/{run['id']}"
    try:
        run = _followed(router, path, run)
    except KeyboardInterrupt:
        router.post(f"{path}:cancel", {})
        typer.echo("cancelled", err=True)
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(run))
    if run["state"] != "done":
        raise RefusedError(f"the run is {run['state']}: {run['problem'] or ''}")
    if not as_json:
        _print(run, router.get(f"{path}/changes?limit={SHOWN_CHANGES}")["changes"])


def _followed(router: RouterClient, path: str, run: dict[str, Any]) -> dict[str, Any]:
    """The run when it has ended."""
    bar = Progress(
        TextColumn("what if"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("", total=run["progress"]["total"])
        while run["state"] in {"waiting", "running"}:
            time.sleep(POLL_SECONDS)
            run = router.get(path)
            bar.update(task, completed=run["progress"]["done"], total=run["progress"]["total"])
    return run


def _print(run: dict[str, Any], changes: list[dict[str, Any]]) -> None:
    console, report = Console(soft_wrap=True, highlight=False), run["report"]
    console.print(escape(report["says"]))
    for name in ("relabels", "moves"):
        for one in report[name][:SHOWN_CHANGES]:
            console.print(f"  {one['count']:>6}  {escape(one['before'])} → {escape(one['after'])}")
    table = Table("team", "arrivals before", "after", "open before", "after")
    for team in report["teams"]:
        before, after = team["before"], team["after"]
        figures = (before["arrivals"], after["arrivals"], before["open"], after["open"])
        table.add_row(team["team"], *map(str, figures))
    console.print(table)
    for change in changes:
        what = ", ".join(f"{c['what']} {c['before']} → {c['after']}" for c in change["changes"])
        console.print(escape(f"  {change['feedback_id'] or change['item_id']}  {what}"))
    if run["changed"] > len(changes):
        console.print(f"  … {run['changed'] - len(changes)} more: GET /v1/what-if/{run['id']}/changes")


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"{path} cannot be read: {error}") from error
