"""The common configuration of wire models."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


class Wire(BaseModel):
    """A value that travels between services. Unknown fields are ignored, so that readers outlive writers."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


class Submission(BaseModel):
    """A value that comes from outside. Unknown fields are refused, so that a misspelt one is never lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
FIRST_YEAR, LAST_YEAR = 1900, 8_999


def _within_reach(at: datetime) -> datetime:
    # Nearer to the ends of the calendar, a zone or a length added falls off it.
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return at


Instant = Annotated[AwareDatetime, AfterValidator(_within_reach)]
"""A moment with its zone."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be an IANA time zone such as Europe/Berlin") from error
    return name


TimeZone = Annotated[Label, AfterValidator(_known_zone)]
