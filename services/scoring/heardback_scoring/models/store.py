"""Finding a model, checking that it is the one the manifest names, and loading it.

Nothing is fetched: the shipped model lies in this package. Only a hub model that was asked for by name and
revision can reach the network.
"""

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from heardback_scoring.domain.satisfaction import SatisfactionModel
from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.inference.ports import Scorer
from heardback_scoring.models.satisfaction_file import NAME as SATISFACTION
from heardback_scoring.models.satisfaction_file import from_bytes
from heardback_shared.contracts.score import ModelRef

PACKAGED_MANIFEST = Path(__file__).parent / "manifest.toml"
GREEN_MANIFEST = Path(__file__).parent / "manifest-green.toml"
"""Of the model that was trained on nothing whose licence is unclear."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ModelRefused(Exception):  # noqa: N818  (a verdict, told to people as it is)
    """The model may not be used. The message says why, and what to do."""


class TrainingSet(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int
    licence: str
    flag: Literal["green", "amber"]
    """green: a model trained on it may be sold and passed on; amber: the licence of the text is unclear."""


class Manifest(BaseModel):
    """What a model is, where its files lie (relative to the manifest) and what they must hash to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    revision: Annotated[str, Field(min_length=1)]
    folder: str
    files: dict[str, Sha256]
    labels: tuple[str, str, str]
    emotions: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    """What the outputs `emotions` and `cues` of the model are, in order; none where it has no such output."""
    max_tokens: Annotated[int, Field(ge=8, le=512)]
    temperature: Annotated[float, Field(gt=0)]
    licence: str
    training: tuple[TrainingSet, ...] = ()

    @field_validator("labels")
    @classmethod
    def _in_order(cls, labels: tuple[str, str, str]) -> tuple[str, str, str]:
        if labels != ("negative", "neutral", "positive"):
            raise ValueError("must be negative, neutral, positive, in the order of the model's outputs")
        return labels

    @field_validator("files")
    @classmethod
    def _known_files(cls, files: dict[str, str]) -> dict[str, str]:
        if set(files) - {SATISFACTION} != {"model.onnx", "tokenizer.json"}:
            raise ValueError(f"must name model.onnx and tokenizer.json; {SATISFACTION} may be named as well")
        return files

    @field_validator("folder")
    @classmethod
    def _inside(cls, folder: str) -> str:
        path = PurePosixPath(folder)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("must lie beside the manifest")
        return folder


@dataclass(frozen=True, slots=True)
class HubChoice:
    """A transformers sequence-classification model. The revision must be a commit, not a branch."""

    name: str
    revision: str
    labels: dict[str, str] = field(default_factory=dict)
    """From the model's own label to negative, neutral or positive; empty: taken from the model's id2label."""
    max_tokens: int = 256


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model, and how much of the machine it may use."""

    manifest: Path | None = None
    """None: the model shipped in this package."""
    hub: HubChoice | None = None
    threads: int | None = None
    """None: every core this process may run on."""
    token_budget: int = 256
    """Tokens per run of the model, padding included; larger ones fall out of the processor's cache."""
    cache_texts: int = 0
    """Readings of identical texts kept; 0 keeps none."""


SHIPPED = ModelChoice()


@dataclass(frozen=True, slots=True)
class ScorerFound:
    scorer: Scorer
    reason: str | None
    """Why the fallback answers; None if the model chosen does."""


def read_manifest(path: Path) -> Manifest:
    """The manifest at `path`; ModelRefused if it is missing or says something else than it should."""
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf8")))
    except OSError as error:
        raise ModelRefused(
            f"The model manifest {path} cannot be read ({error.strerror}). "
            "Reinstall heardback, or point the setting at a manifest.toml."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelRefused(f"The model manifest {path} is not valid TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelRefused(f"The model manifest {path} is wrong at '{where}': {first['msg']}.") from error


def checked_files(path: Path, manifest: Manifest) -> dict[str, bytes]:
    """Every file's bytes, each hashed before it is handed out; ModelRefused at the first that differs."""
    found: dict[str, bytes] = {}
    for name, expected in manifest.files.items():
        file = path.parent / manifest.folder / name
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ModelRefused(
                f"Model {manifest.name}@{manifest.revision}: {file} cannot be read ({error.strerror}). "
                "Reinstall heardback, or put the file back where the manifest says."
            ) from error
        actual = hashlib.sha256(content).hexdigest()
        if actual != expected:
            raise ModelRefused(
                f"Model {manifest.name}@{manifest.revision}: {file} has sha256 {actual}, "
                f"the manifest {path} says {expected}. The file was changed or is damaged: reinstall "
                "heardback or, if the model was replaced on purpose, write its new hash and revision "
                "into the manifest."
            )
        found[name] = content
    return found


def load_satisfaction(choice: ModelChoice = SHIPPED) -> SatisfactionModel | None:
    """What predicts satisfaction from this model's readings; None where the manifest names nothing.

    Raises ModelRefused if it cannot be read, or was trained on the readings of another model.
    """
    if choice.hub is not None:
        return None
    path = choice.manifest or PACKAGED_MANIFEST
    manifest = read_manifest(path)
    if SATISFACTION not in manifest.files:
        return None
    content = checked_files(path, manifest)[SATISFACTION]
    try:
        model = from_bytes(content)
    except Exception as error:  # numpy and zipfile raise what they like about a damaged file
        raise ModelRefused(f"{SATISFACTION} of {path} cannot be read: {error}.") from error
    if model.encoder != manifest.files["model.onnx"]:
        raise ModelRefused(
            f"{SATISFACTION} was trained on the readings of another model.onnx than {path} names: run "
            "python -m heardback_scoring.training.satisfaction, or take it out of the manifest."
        )
    return model


def load_scorer(choice: ModelChoice = SHIPPED) -> Scorer:
    """The scorer chosen, checked, loaded and warm; ModelRefused if that is not possible."""
    if choice.hub is not None:
        from heardback_scoring.inference.hub import load_hub_scorer  # noqa: PLC0415  (extra: transformers)

        scorer: Scorer = load_hub_scorer(choice.hub, choice.threads)
    else:
        scorer = _onnx_scorer(choice)
    scorer.warm_up()
    return scorer


def scorer_or_fallback(choice: ModelChoice = SHIPPED) -> ScorerFound:
    """The scorer chosen or, if it is refused, the lexicon scorer and the reason to show to people."""
    try:
        return ScorerFound(load_scorer(choice), None)
    except ModelRefused as refusal:
        return ScorerFound(LexiconScorer(), str(refusal))


def _onnx_scorer(choice: ModelChoice) -> Scorer:
    path = choice.manifest or PACKAGED_MANIFEST
    manifest = read_manifest(path)
    content = checked_files(path, manifest)
    try:
        from heardback_scoring.inference.onnx import OnnxScorer  # noqa: PLC0415  (extra: scoring)
    except ImportError as error:
        raise ModelRefused(
            f"Model {manifest.name}@{manifest.revision} needs {error.name}: pip install 'heardback[scoring]'."
        ) from error
    try:
        return OnnxScorer(
            content["model.onnx"],
            content["tokenizer.json"],
            model=ModelRef(
                name=manifest.name, revision=manifest.revision, sha256=manifest.files["model.onnx"]
            ),
            max_tokens=manifest.max_tokens,
            temperature=manifest.temperature,
            emotions=manifest.emotions,
            cues=manifest.cues,
            threads=choice.threads,
            token_budget=choice.token_budget,
            cache_texts=choice.cache_texts,
        )
    except Exception as error:  # the runtime's own errors share no base class but Exception
        raise ModelRefused(
            f"Model {manifest.name}@{manifest.revision}: the files are the right ones, but the runtime "
            f"cannot load them: {error}. Check that onnxruntime and tokenizers are the versions "
            "heardback asks for."
        ) from error
