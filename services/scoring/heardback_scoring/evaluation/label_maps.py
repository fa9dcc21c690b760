"""What the labels of a set mean in the taxonomy: the packaged maps, and a file beside the sets."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

LABEL_MAPS = "label_maps.json"
NO_CAUSE = "none"
_PATH = r"^(none|[a-z][a-z0-9_]*/[a-z][a-z0-9_]*)$"


class MapRefused(Exception):  # noqa: N818  (a verdict, told to people as it is)
    """A map that cannot be used. The message names the file and the mend."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """`cause` is the path that the label means, None for no root cause; one of `also` is right too."""

    cause: str | None
    also: tuple[str, ...] = ()


LabelMaps = Mapping[str, Mapping[str, Meaning]]
"""field of a row → its label → meaning. Rows of labels that are not in it are not judged."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Group(_Data):
    """Labels of one meaning. `why` says what was read where a label is doubtful."""

    labels: tuple[str, ...] = Field(min_length=1)
    cause: str | None = Field(default=None, pattern=_PATH)
    also: tuple[str, ...] = ()
    undecided: bool = False
    why: str = ""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.undecided is (self.cause is not None):
            raise ValueError(f"{self.labels[0]}: give a cause (none is legal), or undecided, not both")
        if self.also and self.cause in (None, NO_CAUSE):
            raise ValueError(f"{self.labels[0]}: also needs a cause to stand beside")
        if (self.also or self.undecided) and not self.why:
            raise ValueError(f"{self.labels[0]}: say why, in a line")
        return self


class _Packaged(_Data):
    policy: str
    sets: dict[str, tuple[_Group, ...]]


def label_maps(folder: Path) -> dict[str, LabelMaps]:
    """Set → its maps. The packaged ones go before those in a file beside the sets. Raises MapRefused."""
    return {**_beside(folder / LABEL_MAPS), **packaged_maps()}


@cache
def packaged_maps() -> dict[str, LabelMaps]:
    text = (files(__package__) / "label_maps.yaml").read_text("utf-8")
    maps: dict[str, dict[str, dict[str, Meaning]]] = {}
    for key, groups in _Packaged.model_validate(yaml.safe_load(text)).sets.items():
        name, _, field = key.rpartition(".")
        maps.setdefault(name, {})[field] = dict(_meanings(key, groups))
    return dict(maps)


def _meanings(key: str, groups: tuple[_Group, ...]) -> Iterator[tuple[str, Meaning]]:
    """Those of undecided labels are left out."""
    seen: set[str] = set()
    for group in groups:
        for label in group.labels:
            if label in seen:
                raise ValueError(f"{key}: {label} stands in two groups")
            seen.add(label)
            if not group.undecided:
                yield label, _meaning(str(group.cause), group.also)


def _beside(path: Path) -> dict[str, LabelMaps]:
    """From `{"set.field": {"label": "domain/category" or "none"}}`; empty without the file."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MapRefused(f"{path} is not JSON: {error}. Mend it or move it away.") from error
    if not isinstance(content, dict):
        raise MapRefused(f"{path} holds no object. Mend it or move it away.")
    maps: dict[str, dict[str, dict[str, Meaning]]] = {}
    for key, value in content.items():
        name, _, field = str(key).rpartition(".")
        # A map with a warning was made from something else than what the text says.
        if name and isinstance(value, dict) and "_warning" not in value:
            maps.setdefault(name, {})[field] = {str(a): _meaning(str(b)) for a, b in value.items()}
    return dict(maps)


def _meaning(cause: str, also: tuple[str, ...] = ()) -> Meaning:
    return Meaning(None if cause == NO_CAUSE else cause, also)
