"""Commands that need no server: `heardback score`, `eval`, `models compare`, `taxonomy check` and `learn`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

taxonomy = typer.Typer(help="Taxonomies of root causes: check one before it is used.", no_args_is_help=True)

_HELP_MODEL = "default, green, lexicon, constant, a manifest.toml, or NAME@COMMIT of a transformers model."
_Data = Annotated[Path, typer.Option(help="Folder of labelled sets: NAME/{train,dev,test}.jsonl.gz.")]
_Split = Annotated[Literal["dev", "test"], typer.Option(help="test is for the very end: never tune on it.")]
_Only = Annotated[list[str] | None, typer.Option(help="Only this set; may be given several times.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


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


def evaluate(
    data: _Data,
    model: Annotated[str, typer.Option(help=_HELP_MODEL, envvar="HEARDBACK_SCORING_MODEL")] = "default",
    split: _Split = "dev",
    only: _Only = None,
    as_json: _Json = False,
    resume: Annotated[
        Path | None, typer.Option(help="Keeps finished sets here, and takes them from here.")
    ] = None,
    policies: Annotated[
        Path | None, typer.Option(help="Folder of policies to use instead of the packaged ones.")
    ] = None,
) -> None:
    """The scorecard of a model on labelled text: figures with 95 % intervals, slices, bias, behaviour.

    What a set is good for is told from its rows. Emotions, intents, topics and aspects need scikit-learn
    (extra `evaluation`). A row that cannot be used is named with its line; the exit status is 1 then.
    """
    from heardback_scoring.evaluation.command import EvalJob, run_eval  # noqa: PLC0415

    job = EvalJob(data, model, split, tuple(only or ()), as_json, resume, policies)
    raise typer.Exit(run_eval(job))


def compare(
    baseline: Annotated[str, typer.Argument(help=f"The model in use: {_HELP_MODEL}")],
    candidate: Annotated[str, typer.Argument(help="The model that may take its place.")],
    data: _Data,
    split: _Split = "dev",
    only: _Only = None,
    as_json: _Json = False,
    record: Annotated[
        Path | None, typer.Option(help="Writes the record that a promotion has to show.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Release policy to use instead of the packaged one.")
    ] = None,
) -> None:
    """The release gate: exit status 1 when the candidate is worse than its bounds allow, in any slice."""
    from heardback_scoring.evaluation.command import CompareJob, run_compare  # noqa: PLC0415

    job = CompareJob(baseline, candidate, data, split, tuple(only or ()), as_json, record, policy)
    raise typer.Exit(run_compare(job))


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


@taxonomy.command("learn")
def learn(
    *,
    data: _Data,
    model: Annotated[str, typer.Option(help=_HELP_MODEL, envvar="HEARDBACK_SCORING_MODEL")] = "default",
    split: _Split = "dev",
    only: _Only = None,
    corrections: Annotated[
        list[int] | None,
        typer.Option(help="Corrections per class, several times; 5, 20 and 50 if not given.", min=1),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Draws of corrections for each number.", min=1, max=100)] = 5,
    as_json: _Json = False,
    resume: Annotated[
        Path | None, typer.Option(help="Keeps finished sets here, and takes them from here.")
    ] = None,
    policies: Annotated[
        Path | None, typer.Option(help="Folder of policies to use instead of the packaged ones.")
    ] = None,
) -> None:
    """How right root causes are as shipped, and after people have corrected some: drawn from the train split.

    Sets need a map of their labels to causes: packaged, or in label_maps.json beside the sets. A row that
    cannot be used is named with its line; the exit status is 1 then.
    """
    from heardback_scoring.evaluation.cause_learning import LearningPlan  # noqa: PLC0415
    from heardback_scoring.evaluation.command import LearnJob, run_learn  # noqa: PLC0415

    plan = LearningPlan(tuple(sorted(set(corrections))) if corrections else (5, 20, 50), seeds)
    job = LearnJob(data, model, split, tuple(only or ()), plan, as_json, resume, policies)
    raise typer.Exit(run_learn(job))
