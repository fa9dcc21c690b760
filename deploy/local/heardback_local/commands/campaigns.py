"""`heardback campaigns`: look at one, send it and watch it go out, stop it and let it go on."""

import json
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Column, Table

from heardback_local.cli_options import DataDir
from heardback_local.router_client import RefusedError, RouterClient
from heardback_local.target import DEFAULT_FOLDER

app = typer.Typer(
    help="You said, we did: one message to everybody who raised something.", no_args_is_help=True
)
Key = Annotated[str, typer.Option("--key", envvar="HEARDBACK_API_KEY", help="A key with the scopes items:….")]
Id = Annotated[str, typer.Argument(help="A campaign, such as ca_….")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
POLL_SECONDS = 0.5
ENDED = ("sent", "failed", "refused", "cancelled")


@app.command("list")
def list_campaigns(key: Key, as_json: AsJson = False, data_dir: DataDir = DEFAULT_FOLDER) -> None:
    """The newest campaigns and where they stand."""
    found = RouterClient(key, data_dir).get("/v1/campaigns")["campaigns"]
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table(Column("id", no_wrap=True), "name", "state", "made by", "approved by")
    for one in found:
        table.add_row(one["id"], escape(one["name"]), one["state"], one["made_by"], one["approved_by"] or "")
    Console().print(table)


@app.command()
def show(campaign: Id, key: Key, as_json: AsJson = False, data_dir: DataDir = DEFAULT_FOLDER) -> None:
    """What would come of it, or how far it is."""
    _print(RouterClient(key, data_dir).get(f"/v1/campaigns/{campaign}"), as_json=as_json)


@app.command()
def send(
    campaign: Id,
    key: Key,
    follow: Annotated[bool, typer.Option("--follow", help="Stay and watch until it has ended.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Approves one that was submitted, or lets a paused one go on. Ctrl-C while following stops watching,
    not sending."""
    router, path = RouterClient(key, data_dir), f"/v1/campaigns/{campaign}"
    seen = router.get(path)
    if seen["state"] == "submitted":
        router.post(f"{path}:approve", {}, version=seen["version"])
    elif seen["state"] == "paused":
        router.post(f"{path}:resume", {})
    elif seen["state"] != "sending":
        raise RefusedError(f"it is {seen['state']}; submit it first, and only what is submitted is sent")
    try:
        shown = _followed(router, path) if follow else router.get(path)
    except KeyboardInterrupt:
        typer.echo(f"it goes on; stop it with `heardback campaigns pause {campaign}`", err=True)
        raise typer.Exit(130) from None
    _print(shown, as_json=as_json)


@app.command()
def pause(campaign: Id, key: Key, data_dir: DataDir = DEFAULT_FOLDER) -> None:
    """Nothing more goes out until `resume`. What a channel has already cannot be called back."""
    _deed(campaign, "pause", {}, key, data_dir)


@app.command()
def resume(campaign: Id, key: Key, data_dir: DataDir = DEFAULT_FOLDER) -> None:
    """Goes on exactly where it was paused."""
    _deed(campaign, "resume", {}, key, data_dir)


@app.command()
def cancel(
    campaign: Id,
    reason: Annotated[str, typer.Option(help="Why; kept with it.")],
    key: Key,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Nobody else is told by it."""
    _deed(campaign, "cancel", {"reason": reason}, key, data_dir)


def _deed(campaign: str, deed: str, body: Any, key: str, data_dir: Any) -> None:
    after = RouterClient(key, data_dir).post(f"/v1/campaigns/{campaign}:{deed}", body)
    typer.echo(f"{campaign}: {after['state']}")


def _followed(router: RouterClient, path: str) -> dict[str, Any]:
    """The campaign once it has ended or was paused, or while all that is left waits for a later time."""
    bar = Progress(
        TextColumn("{task.fields[name]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}"),
        console=Console(stderr=True),
    )
    with bar:
        shown = router.get(path)
        task = bar.add_task("", name=escape(shown["name"]), said="", total=None)
        while True:
            progress = shown["progress"]
            ended = sum(progress[state] for state in ENDED)
            bar.update(task, completed=ended, total=progress["recipients"], said=_said(progress))
            if shown["state"] != "sending" or not (progress["waiting"] or progress["handed"]):
                return shown
            time.sleep(POLL_SECONDS)
            shown = router.get(path)


def _said(progress: dict[str, Any]) -> str:
    parts = [f"{progress[name]} {name}" for name in ("deferred", "refused", "failed") if progress[name]]
    if progress["per_minute"]:
        parts.append(f"{progress['per_minute']:g} a minute")
    return ", ".join(parts)


def _print(shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(shown))
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(escape(f"{shown['id']} {shown['name']}: {shown['state']}"))
    for refusal in shown.get("refusals") or ():
        console.print(escape(f"  not to be sent: {refusal['pointer']} {refusal['detail']}"))
    told = shown.get("would_be") or shown.get("progress") or {}
    for name, value in told.items():
        if (said := _plain(value)) is not None:
            console.print(escape(f"  {name.replace('_', ' ')}: {said}"))


def _plain(value: Any) -> str | None:
    """None where there is nothing to say."""
    if isinstance(value, dict):
        return ", ".join(f"{code} {count}" for code, count in value.items()) or None
    if isinstance(value, list):
        return "; ".join(value) or None
    return None if value is None else str(value)
