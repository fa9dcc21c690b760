"""`heardback score`: JSON lines in, the same lines with "score" out. Needs no server."""

from pathlib import Path
from typing import Annotated, Literal

import typer

_HELP_MODEL = "default, lexicon, constant, a manifest.toml, or NAME@COMMIT of a transformers model."


def score(
    file: Annotated[
        Path, typer.Argument(help="JSON lines, also .gz; - is standard input.", allow_dash=True)
    ] = Path("-"),
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="Where to write, also .gz; - is standard output.", allow_dash=True),
    ] = Path("-"),
    model: Annotated[str, typer.Option(help=_HELP_MODEL, envvar="HEARDBACK_SCORING_MODEL")] = "default",
    batch: Annotated[int, typer.Option(help="Rows scored together.", min=1, max=10_000)] = 256,
    policies: Annotated[
        Path | None, typer.Option(help="Folder of policies to use instead of the packaged ones.")
    ] = None,
    explain: Annotated[
        Literal["severe", "all", "off"],
        typer.Option(
            help="Rows that get evidence: severe (P1 and P2), all, off.", envvar="HEARDBACK_SCORING_EXPLAIN"
        ),
    ] = "severe",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only errors.")] = False,
) -> None:
    """Scores feedback from a file. Each row is {"text"}, {"turns"}, or a whole survey or transcript.

    Other fields are kept. `customer` and `at` of a row are the snapshot and the time that severity uses.
    A row that cannot be read comes back with "error"; the exit status is 1 then.
    """
    # Imported here: every command of the console script loads this module.
    from heardback_scoring.score_files import FileJob, score_file  # noqa: PLC0415

    job = FileJob(
        source=file, target=out, model=model, batch=batch, policies=policies, quiet=quiet, explain=explain
    )
    raise typer.Exit(1 if score_file(job) else 0)
