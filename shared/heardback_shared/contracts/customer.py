"""The customer as known at one moment. Rides on events, so that every decision can be explained later."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from heardback_shared.contracts.base import Instant, Wire

Tier = Literal["strategic", "key", "standard"]


class CustomerHistory(Wire):
    contacts_30d: Annotated[int, Field(ge=0)] | None = None
    open_items: Annotated[int, Field(ge=0)] | None = None
    transfers: Annotated[int, Field(ge=0)] | None = None
    broken_promises: Annotated[int, Field(ge=0)] | None = None
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
