"""`heardback score` and `heardback taxonomy`: files in, answers out. Need no server."""

from pathlib import Path
from typing import Annotated

import typer

taxonomy = typer.Typer(help="Taxonomies of root causes: check one before it is used.", no_args_is_help=True)

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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only errors.")] = False,
) -> None:
    """Scores feedback from a file. Each row is {"text"}, {"turns"}, or a whole survey or transcript.

    Other fields are kept. `customer` and `at` of a row are the snapshot and the time that severity uses.
    A row that cannot be read comes back with "error"; the exit status is 1 then.
    """
    # Imported here: every command of the console script loads this module.
    from heardback_scoring.score_files import FileJob, score_file  # noqa: PLC0415

    job = FileJob(source=file, target=out, model=model, batch=batch, policies=policies, quiet=quiet)
    raise typer.Exit(1 if score_file(job) else 0)


@taxonomy.command("check")
def check_taxonomy(
    file: Annotated[Path, typer.Argument(help="The taxonomy (YAML) to check.")],
    data: Annotated[
        Path | None,
        typer.Option(help='JSON lines with "text", also .gz: shows which rows would get other causes.'),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="The taxonomy in use; the packaged one if not given.")
    ] = None,
    model: Annotated[str, typer.Option(help=_HELP_MODEL, envvar="HEARDBACK_SCORING_MODEL")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Whether the examples tell the categories apart, which do not, and what a change would re-label.

    Each example is read by all the others. The exit status is 1 when the file is no taxonomy.
    """
    from heardback_scoring.taxonomy_files import CheckJob, check_file  # noqa: PLC0415

    raise typer.Exit(check_file(CheckJob(file, data, against, model, as_json)))
