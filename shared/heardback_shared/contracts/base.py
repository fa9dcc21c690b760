"""The common configuration of wire models."""

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
Instant = AwareDatetime


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be an IANA time zone such as Europe/Berlin") from error
    return name


TimeZone = Annotated[Label, AfterValidator(_known_zone)]
