"""Reading the contact policy."""

import re
from datetime import time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from heardback_shared.contact.domain import ContactRules, QuietHours
from heardback_shared.policies.reading import Shape, Version, parsed

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WALL = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _wall(given: Any) -> time:
    # YAML reads an unquoted 21:00 as the number 1260.
    if not isinstance(given, str) or not _WALL.fullmatch(given):
        raise ValueError('must be a time of day in quotes such as "21:00"')
    return time.fromisoformat(given)


def known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be an IANA time zone such as Europe/Berlin") from error
    return name


Wall = Annotated[time, BeforeValidator(_wall)]
"""Hours and minutes of a day, as `"HH:MM"`."""

Zone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(known_zone)]


class QuietShape(Shape):
    start: Wall
    end: Wall

    @model_validator(mode="after")
    def _leave_time(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end are the same: nobody could ever be reached; use null for none")
        return self


class _Caps(Shape):
    day: Annotated[int, Field(ge=1, le=100)]
    week: Annotated[int, Field(ge=1, le=500)]


class _Digest(Shape):
    at: Wall
    weekday: Literal[WEEKDAYS]  # type: ignore[valid-type]


class _Contact(Shape):
    policy: Version
    time_zone: Zone
    quiet_hours: QuietShape | None
    caps: _Caps
    digest: _Digest
    refresh_days: Annotated[int, Field(ge=1, le=3_660)]


def read_contact(text: str) -> ContactRules:
    """Raises PolicyError."""
    shape = parsed(text, _Contact)
    quiet = shape.quiet_hours
    return ContactRules(
        shape.policy,
        shape.time_zone,
        QuietHours(quiet.start, quiet.end) if quiet else None,
        shape.caps.day,
        shape.caps.week,
        shape.digest.at,
        WEEKDAYS.index(shape.digest.weekday),
        shape.refresh_days,
    )
