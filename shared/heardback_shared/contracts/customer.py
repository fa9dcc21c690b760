"""The customer as known at one moment. Rides on events, so that every decision can be explained later."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from heardback_shared.contracts.base import Instant, Wire

Tier = Literal["strategic", "key", "standard"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _start_of_day(given: object) -> object:
    if isinstance(given, str) and _DATE.fullmatch(given):
        return f"{given}T00:00:00Z"
    return given


class CustomerHistory(Wire):
    contacts_30d: Annotated[int, Field(ge=0)] | None = None
    open_items: Annotated[int, Field(ge=0)] | None = None
    transfers: Annotated[int, Field(ge=0)] | None = None
    broken_promises: Annotated[int, Field(ge=0)] | None = None
    open_promises: Annotated[int, Field(ge=0)] | None = None
    """Promises made to the customer and not yet kept."""
    breaches: Annotated[int, Field(ge=0)] | None = None
    """Agreed answer or solution times that were missed for this customer."""
    last_scores: tuple[float, ...] = ()
    """Earlier answers, newest first, each as posted (raw value)."""


class CustomerSnapshot(Wire):
    """Every field is optional: a missing one contributes nothing, and decisions say so."""

    id: str | None = None
    tier: Tier | None = None
    segment: str | None = None
    lifetime_value: Annotated[float, Field(ge=0)] | None = None
    currency: str | None = None
    renewal_date: date | None = None
    since: date | None = None
    region: str | None = None
    language: str | None = None
    time_zone: str | None = None
    owner: str | None = None
    history: CustomerHistory = CustomerHistory()
    taken_at: Instant | None = None
    profile_at: Annotated[Instant | None, BeforeValidator(_start_of_day)] = None
    """When tier, value and renewal date were last confirmed; a date alone is its midnight in UTC."""
