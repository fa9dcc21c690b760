"""Labelled sets on disk: `<folder>/<name>/{train,dev,test}.jsonl.gz`, one JSON object a line."""

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from heardback_scoring.evaluation.label_maps import LabelMaps, MapRefused, label_maps

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")


class DataRefused(Exception):  # noqa: N818  (a verdict, told to people as it is)
    """Nothing can be read from where the data should be. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one line of a file; line 0 is the file as a whole."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line: an object with a `text`, or with `turns` of role and text."""

    line: int
    data: dict[str, Any]

    @property
    def text(self) -> str:
        return str(self.data["text"])


@dataclass(frozen=True, slots=True)
class Part:
    """One split of one set as it was read. `sha256` is that of the file's bytes."""

    file: str
    rows: tuple[Row, ...]
    sha256: str
    problems: tuple[Problem, ...] = ()

    def problem(self, row: Row, what: str) -> Problem:
        return Problem(self.file, row.line, what)


@dataclass(frozen=True)
class LabelledSet:
    """One set, its splits read when they are asked for. `maps` are those of its own label fields."""

    name: str
    folder: Path
    split: Split
    maps: LabelMaps

    @cached_property
    def judged(self) -> Part:
        """The split that figures are made on."""
        return read_part(self.folder, self.split)

    @cached_property
    def train(self) -> Part | None:
        """What a probe may learn from; None where the set has no train split."""
        return read_part(self.folder, "train") if self.has("train") else None

    def has(self, split: Split) -> bool:
        return _file(self.folder, split).is_file()


def find_sets(folder: Path, split: Split, only: Sequence[str] = ()) -> tuple[list[LabelledSet], list[str]]:
    """(sets that have the split, by name; what is absent, in words). Raises DataRefused.

    A set named in `only` that does not exist is an error, one without the split is absent.
    """
    if not folder.is_dir():
        raise DataRefused(f"--data {folder}: there is no such folder. Name the one that holds the sets.")
    names = sorted(p.name for p in folder.iterdir() if any(_file(p, s).is_file() for s in SPLITS))
    if not names:
        raise DataRefused(f"--data {folder}: no folder in it holds a train, dev or test.jsonl.gz.")
    if unknown := sorted(set(only) - set(names)):
        raise DataRefused(f"--only {', '.join(unknown)}: not in {folder}. There are: {', '.join(names)}.")
    try:
        maps = label_maps(folder)
    except MapRefused as error:
        raise DataRefused(str(error)) from error
    found, absent = [], []
    for name in names:
        one = LabelledSet(name, folder / name, split, maps.get(name, {}))
        if only and name not in only:
            continue
        if one.has(split):
            found.append(one)
        else:
            absent.append(f"{name}: has no {split} split ({one.folder / f'{split}.jsonl.gz'})")
    return found, absent


def read_part(folder: Path, split: Split) -> Part:
    """Every row that can be used; the others are problems with file and line. Raises DataRefused."""
    path = _file(folder, split)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataRefused(f"{path} cannot be read: {error.strerror}.") from error
    rows: list[Row] = []
    problems: list[Problem] = []
    name = f"{folder.name}/{path.name}"
    try:
        for number, line in enumerate(_lines(raw), 1):
            if line.strip():
                data, wrong = _row(line)
                if wrong is None:
                    rows.append(Row(number, data))
                else:
                    problems.append(Problem(name, number, wrong))
    except (OSError, EOFError, zlib.error) as error:
        problems.append(Problem(name, 0, f"damaged after {len(rows)} rows: {error}"))
    return Part(name, tuple(rows), hashlib.sha256(raw).hexdigest(), tuple(problems))


def _file(folder: Path, split: Split) -> Path:
    return folder / f"{split}.jsonl.gz"


def _lines(raw: bytes) -> Iterator[bytes]:
    with gzip.open(io.BytesIO(raw), "rb") as lines:
        yield from lines


def _row(line: bytes) -> tuple[dict[str, Any], str | None]:
    """(the object, None), or ({}, what is wrong)."""
    try:
        data = json.loads(line)
    except (ValueError, UnicodeDecodeError) as error:
        return {}, f"not JSON: {error}"
    if not isinstance(data, dict):
        return {}, "expected an object"
    turns = data.get("turns")
    if turns is not None:
        good = isinstance(turns, list) and turns and all(_is_turn(turn) for turn in turns)
        return (data, None) if good else ({}, "turns: expected a list of objects with role and text")
    text = data.get("text")
    if not isinstance(text, str) or not text.strip():
        return {}, "text: expected words, and there are none" if isinstance(text, str) else "text: missing"
    return data, None


def _is_turn(turn: object) -> bool:
    return isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("text"), str)
