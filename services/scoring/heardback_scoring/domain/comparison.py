"""The record of a comparison of two models, as a promotion needs it. Pure."""

import hashlib
from typing import Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from heardback_shared.contracts.score import ModelRef


class ComparisonRefused(Exception):  # noqa: N818  (a verdict, told to people as it is)
    """The record may not be relied on. The message says why, and what to do."""


class Comparison(BaseModel):
    """What a decision rests on; the figures themselves are for people."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["heardback.comparison.v1"]
    baseline: ModelRef
    candidate: ModelRef
    verdict: Literal["pass", "fail"]
    at: AwareDatetime
    digest: str


def digest_of(record: dict[str, Any]) -> str:
    """SHA-256 of the record without its digest, as JSON with sorted keys and no spaces, in UTF-8."""
    rest = {name: value for name, value in record.items() if name != "digest"}
    return hashlib.sha256(orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)).hexdigest()


def read_comparison(content: bytes) -> Comparison:
    """Raises ComparisonRefused for what is no comparison record, or was changed since it was written."""
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ComparisonRefused(f"The comparison record is not JSON: {error}.") from error
    try:
        comparison = Comparison.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ComparisonRefused(f"The comparison record is wrong at '{where}': {first['msg']}.") from error
    if digest_of(record) != comparison.digest:
        raise ComparisonRefused(
            "The comparison record was changed after it was written: its digest does not fit. "
            "Make the comparison again."
        )
    return comparison
