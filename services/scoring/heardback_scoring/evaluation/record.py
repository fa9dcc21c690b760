"""The record of a comparison of two models, which a promotion has to show. It cannot be changed unseen.

`digest` is the sha256 (hex) of the record without that key as canonical JSON: as orjson writes it with sorted
keys, without spaces, in UTF-8.
"""

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from heardback_shared.contracts.score import ModelRef

FORMAT: Literal["heardback.comparison.v1"] = "heardback.comparison.v1"
Verdict = Literal["pass", "fail"]
FigureVerdict = Literal["holds", "unsure", "worse", "too_small", "unbound"]
"""holds: not worse by more than the bound. worse: it is, and the interval of the difference leaves out zero.
unsure: it is, but may be chance. too_small: too few rows to judge. unbound: shown only."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class RecordRefused(Exception):  # noqa: N818  (a verdict, told to people as it is)
    """The file is no comparison record that may be relied on. The message says why, and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ComparedData(_Part):
    """One split of one set as it was read; `sha256` is that of the file's bytes."""

    name: str
    split: str
    rows: Annotated[int, Field(ge=0)]
    sha256: Sha256


class ComparedFigure(_Part):
    """One figure of one slice. `difference` = candidate − baseline; `low`…`high` is its 95 % interval.

    Whether more is better depends on the figure (`gate_policy.LOWER_IS_BETTER`); `bound` is how much worse
    it may get, None where the policy has none.
    """

    set: str
    slice: str
    figure: str
    baseline: Finite
    candidate: Finite
    difference: Finite
    low: Finite
    high: Finite
    bound: Finite | None
    verdict: FigureVerdict


class ComparisonRecord(_Part):
    format: Literal["heardback.comparison.v1"] = FORMAT
    baseline: ModelRef
    candidate: ModelRef
    policy: str
    """name@version of the release policy that set the bounds."""
    data: tuple[ComparedData, ...]
    figures: tuple[ComparedFigure, ...]
    verdict: Verdict
    at: AwareDatetime

    @model_validator(mode="after")
    def _verdict_follows(self) -> Self:
        if self.verdict != verdict_of(self.figures):
            raise ValueError(f"verdict is {self.verdict!r}, but its figures say {verdict_of(self.figures)!r}")
        return self

    @property
    def digest(self) -> str:
        return _digest(self.model_dump(mode="json"))


def verdict_of(figures: Sequence[ComparedFigure]) -> Verdict:
    """Fails when a figure is worse, and when no figure was held against a bound at all."""
    judged = [f for f in figures if f.verdict in ("holds", "unsure", "worse")]
    return "pass" if judged and all(f.verdict != "worse" for f in judged) else "fail"


def make_record(
    *,
    baseline: ModelRef,
    candidate: ModelRef,
    policy: str,
    data: Sequence[ComparedData],
    figures: Sequence[ComparedFigure],
    at: datetime,
) -> ComparisonRecord:
    return ComparisonRecord(
        baseline=baseline,
        candidate=candidate,
        policy=policy,
        data=tuple(data),
        figures=tuple(figures),
        verdict=verdict_of(figures),
        at=at,
    )


def record_bytes(record: ComparisonRecord) -> bytes:
    """The record as it is written to a file, with its digest."""
    content = record.model_dump(mode="json")
    written = {**content, "digest": _digest(content)}
    return orjson.dumps(written, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write_record(record: ComparisonRecord, path: Path) -> None:
    """Written whole or not at all: an older file stays until the new one is complete. Raises OSError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(record_bytes(record))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_record(path: Path) -> ComparisonRecord:
    """The record in a file; RecordRefused when its digest, its shape or its verdict is wrong."""
    try:
        return parse_record(path.read_bytes())
    except OSError as error:
        raise RecordRefused(f"{path} cannot be read: {error.strerror}. {_MEND}") from error
    except RecordRefused as refused:
        raise RecordRefused(f"{path}: {refused}") from refused.__cause__


def parse_record(raw: bytes) -> ComparisonRecord:
    """As `read_record`, from the content of the file."""
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RecordRefused(f"not JSON ({error}). {_MEND}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise RecordRefused(f'"format" is not {FORMAT!r}. {_MEND}')
    told = content.pop("digest", None)
    if told != _digest(content):
        raise RecordRefused(f"the content does not match its digest; it was changed or is damaged. {_MEND}")
    try:
        return ComparisonRecord.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"]) or "the record"
        raise RecordRefused(f"{where}: {first['msg']}. {_MEND}") from error


_MEND = "Make the comparison again: heardback models compare BASELINE CANDIDATE --data DIR --record FILE."


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
