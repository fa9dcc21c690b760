"""`heardback models`: which model reads, which one watches, and the decisions behind it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from heardback_local.cli_options import DataDir
from heardback_local.failures import MendableError
from heardback_local.folder import MODELS
from heardback_local.target import DEFAULT_FOLDER
from heardback_scoring.adapters.registry_folder import RegistryFolder, RegistryUnreadable
from heardback_scoring.domain.registry import (
    Candidate,
    Comparison,
    Decision,
    DecisionRefused,
    Registered,
    RegistryState,
    promoted,
    rolled_back,
    shadowed,
)
from heardback_scoring.evaluation.record import RecordRefused, read_record

app = typer.Typer(help="Models: list, promote, roll back, let one watch.", no_args_is_help=True)
Registry = Annotated[
    Path | None,
    typer.Option(
        envvar="HEARDBACK_SCORING_REGISTRY", help="Folder of the registry; that of the data dir if not given."
    ),
]
FromSetting = Annotated[
    str,
    typer.Option(
        "--model-setting",
        envvar="HEARDBACK_SCORING_MODEL",
        help="What the service reads with while nothing was promoted.",
    ),
]
Model = Annotated[str, typer.Argument(help="default, green, lexicon, a manifest.toml, or NAME@COMMIT.")]
By = Annotated[str, typer.Option(help="Who decides.")]
Because = Annotated[str, typer.Option(help="Why; kept in the log.")]


@app.command("list")
def list_models(
    registry: Registry = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """What is in force, what watches, and every decision."""
    folder = _folder(registry, data_dir)
    try:
        state, decisions = folder.state(), folder.decisions()
    except RegistryUnreadable as error:
        raise MendableError(str(error)) from error
    if as_json:
        logged = [decision.model_dump(mode="json", by_alias=True) for decision in decisions]
        typer.echo(json.dumps({**state.model_dump(mode="json", by_alias=True), "decisions": logged}))
        return
    typer.echo(f"in force  {_told(state.active) if state.active else 'the model of the service settings'}")
    if state.candidate:
        typer.echo(f"watching  {_told(state.candidate.model)}, {state.candidate.share:.0%} of the feedback")
    for one in decisions:
        typer.echo(_line(one))


@app.command()
def promote(
    model: Model,
    by: By,
    because: Because,
    record: Annotated[Path | None, typer.Option(help="Its comparison with the model in force.")] = None,
    override: Annotated[bool, typer.Option(help="Against the comparison, or without; it is logged.")] = False,
    registry: Registry = None,
    setting: FromSetting = "default",
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Puts a model in force that passed its comparison. Running services take it within seconds."""
    folder = _folder(registry, data_dir)
    comparison = _comparison(record) if record is not None else None
    found = _registered(folder, model)

    def change(state: RegistryState) -> RegistryState:
        in_force = state.active or _registered(folder, setting)
        return promoted(
            state, found, in_force, comparison, by=by, because=because, at=_now(), override=override
        )

    state = _decide(folder, change)
    overridden = state.decision is not None and state.decision.overridden
    typer.echo(f"in force: {_told(found)}{' (against the record)' if overridden else ''}")


@app.command()
def rollback(
    by: By,
    because: Because,
    registry: Registry = None,
    setting: FromSetting = "default",
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Puts the model before in force again. Once more goes back one further."""
    folder = _folder(registry, data_dir)
    state = _decide(
        folder,
        lambda state: rolled_back(state, _registered(folder, setting), by=by, because=because, at=_now()),
    )
    target = _told(state.active) if state.active else f"{setting}, the model of the service settings"
    typer.echo(f"in force: {target}")


@app.command()
def shadow(
    model: Annotated[
        str | None, typer.Argument(help="default, green, lexicon, a manifest, NAME@COMMIT.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="End the shadow.")] = False,
    share: Annotated[float, typer.Option(help="Of the feedback, above 0 and up to 1.")] = 1.0,
    by: Annotated[str | None, typer.Option(help="Who decides.")] = None,
    because: Annotated[str | None, typer.Option(help="Why; kept in the log.")] = None,
    registry: Registry = None,
    setting: FromSetting = "default",
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Lets a model read along, after the one in force, without effect on anything."""
    if (model is None) == (not off):
        raise typer.BadParameter("give either a model or --off")
    if not 0 < share <= 1:
        raise typer.BadParameter("must be above 0 and at most 1", param_hint="--share")
    folder = _folder(registry, data_dir)
    candidate = Candidate(model=_registered(folder, model), share=share) if model is not None else None

    def change(state: RegistryState) -> RegistryState:
        in_force = state.active or _registered(folder, setting)
        return shadowed(state, candidate, in_force, by=by, because=because, at=_now())

    _decide(folder, change)
    typer.echo(f"watching: {_told(candidate.model)}, {share:.0%}" if candidate else "nothing watches")


def _folder(registry: Path | None, data_dir: Path) -> RegistryFolder:
    return RegistryFolder(registry or data_dir / MODELS)


def _registered(folder: RegistryFolder, model: str) -> Registered:
    """The model opened and tried, so that what is put in force is known to load."""
    from heardback_scoring.adapters.models import open_scorer
    from heardback_scoring.models.store import ModelRefused

    spelled = folder.spelled(model)
    try:
        scorer = open_scorer(folder.located(spelled), threads=1)
    except (ModelRefused, ValueError) as error:
        raise MendableError(str(error)) from error
    scorer.close()
    return Registered(model=spelled, ref=scorer.model)


def _comparison(path: Path) -> Comparison:
    try:
        return read_record(path)
    except RecordRefused as error:
        raise MendableError(str(error)) from error


def _decide(folder: RegistryFolder, change: Callable[[RegistryState], RegistryState]) -> RegistryState:
    try:
        return folder.decide(change)
    except (DecisionRefused, RegistryUnreadable) as error:
        raise MendableError(str(error)) from error
    except OSError as error:
        raise MendableError(f"{folder.root} cannot be written: {error.strerror}") from error


def _told(model: Registered) -> str:
    return f"{model.ref.name}@{model.ref.revision} ({model.model}, {model.ref.sha256[:12]})"


def _line(one: Decision) -> str:
    """One decision: number, when, what became what, who and why."""
    models = " → ".join(f"{m.ref.name}@{m.ref.revision}" if m else "none" for m in (one.came_from, one.to))
    told = [f"{one.number:>4}  {one.at.isoformat(timespec='seconds')}  {one.action:<8}  {models}"]
    if one.action == "promote":
        told.append(f"comparison: {one.verdict or 'none'}{', overridden' if one.overridden else ''}")
    if one.by or one.because:
        told.append(": ".join(part for part in (one.by, one.because) if part))
    return "  ".join(told)


def _now() -> datetime:
    return datetime.now(UTC)
