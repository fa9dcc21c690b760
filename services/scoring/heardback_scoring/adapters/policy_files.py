"""The policies that ship with the package, read and checked once at start."""

from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel

from heardback_scoring.app.policies import Policies
from heardback_scoring.domain.cue_merge import CuePolicy
from heardback_scoring.domain.handover import HandoverPolicy
from heardback_scoring.domain.language import LanguagePolicy
from heardback_scoring.domain.mismatch import MismatchPolicy
from heardback_scoring.domain.plain_reading import ReadingPolicy
from heardback_scoring.domain.sentiment import SentimentPolicy
from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_scoring.domain.taxonomy import Taxonomy

_WORD_LISTS = ("capital_only", "members", "groups", "countries", "no_names")

M = TypeVar("M", bound=BaseModel)


def load_policies(folder: Path | None = None) -> Policies:
    """All policies. A file of the same name in `folder` takes the place of the packaged one.

    Raises FileNotFoundError for a folder that is not there, and pydantic's ValidationError for a policy that
    breaks a promise; both before anything is scored.
    """
    if folder is not None and not folder.is_dir():
        raise FileNotFoundError(f"the policy folder {folder} does not exist")
    language = _read("language", folder)
    language["words"] = str(language.get("words", "")).split()
    listed: dict[str, str] = language.get("foreign_words", {})
    language["foreign_words"] = {code: str(words).split() for code, words in listed.items()}
    reading = _read("reading", folder)
    for name in _WORD_LISTS:
        reading[name] = str(reading.get(name, "")).split()
    return Policies(
        sentiment=_checked(SentimentPolicy, _read("sentiment", folder)),
        language=_checked(LanguagePolicy, language),
        severity=_checked(SeverityPolicy, _read("severity", folder)),
        handover=_checked(HandoverPolicy, _read("handover", folder)),
        taxonomy=_checked(Taxonomy, _read("taxonomy", folder)),
        cues=_checked(CuePolicy, _read("cues", folder)),
        mismatch=_checked(MismatchPolicy, _read("mismatch", folder)),
        reading=_checked(ReadingPolicy, reading),
    )


def load_taxonomy(path: Path) -> Taxonomy:
    """The taxonomy in this file. Raises OSError, yaml.YAMLError, ValueError or pydantic's ValidationError."""
    return _checked(Taxonomy, _parsed("taxonomy", path.read_text("utf-8")))


def _read(name: str, folder: Path | None) -> dict[str, Any]:
    own = folder / f"{name}.yaml" if folder is not None else None
    if own is not None and own.is_file():
        return _parsed(name, own.read_text("utf-8"))
    return _parsed(name, (files("heardback_scoring.policies") / f"{name}.yaml").read_text("utf-8"))


def _parsed(name: str, text: str) -> dict[str, Any]:
    data = yaml.safe_load(text)
    if not isinstance(data, dict):
        raise ValueError(f"policy {name}: expected a mapping")
    return data


def _checked(kind: type[M], data: dict[str, Any]) -> M:
    return kind.model_validate(data)
