"""`heardback webhooks`: what receivers of webhooks need: checking a message, vectors to test with."""

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Webhooks: verify a message, write test vectors.", no_args_is_help=True)


@app.command()
def verify(
    key: Annotated[list[str], typer.Option(help="whsec_… or whpk_…; may be given several times.")],
    header: Annotated[list[str], typer.Option(help="As it came: 'webhook-id: msg_…'. Give all three.")],
    body: Annotated[Path, typer.Option(help="File with the raw body; - reads standard input.")],
    at: Annotated[
        int | None, typer.Option(help="The time of arrival in Unix seconds, instead of now.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Seconds the message may be old or early.", min=0)] = 300,
) -> None:
    """Says whether the message is genuine, and if it is not, why. Exit status 0 or 1."""
    from heardback_router.deliveries.verifying import UnverifiedError
    from heardback_router.deliveries.verifying import verify as check

    headers = {}
    for line in header:
        name, colon, value = line.partition(":")
        if not colon:
            raise typer.BadParameter(f"{line!r} is not 'name: value'", param_hint="--header")
        headers[name.strip()] = value.strip()
    raw = sys.stdin.buffer.read() if str(body) == "-" else body.read_bytes()
    now = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    try:
        check(headers, raw, key, now, timedelta(seconds=tolerance))
    except UnverifiedError as error:
        typer.echo(f"not verified ({error.fault}): {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo("verified")


@app.command()
def vectors() -> None:
    """Writes test vectors for receivers to standard output, as JSON. The keys in them are public."""
    from heardback_router.deliveries.vectors import vectors as make

    typer.echo(json.dumps(make(), indent=1, ensure_ascii=False))
