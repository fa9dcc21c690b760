"""The customer as known at one moment, which rides on events so that every decision can be explained later;
and facts about a customer as sources tell them."""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from heardback_shared.contact.domain import Provenance
from heardback_shared.contracts.base import Instant, Label, ShortText, Submission, TimeZone, Wire
from heardback_shared.contracts.feedback import ContextValue

Tier = Literal["strategic", "key", "standard"]
MAX_ENTRIES = 50

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
    contract: str | None = None
    """number@version of the contract in force."""
    person_id: str | None = None
    """The same for all customer ids that are known to be one person; None: the id stands for itself."""
    inferred: tuple[str, ...] = ()
    """Fields above that are only guessed, by rules or models; nobody said or saw them."""
    stale: tuple[str, ...] = ()
    """Fields that are known, but were told too long ago to be used; they are left out above."""


class CustomerIn(Submission):
    """Facts told by one source. A field left out stays as it is; null says that it is known to be empty."""

    source: Label
    at: Instant | None = None
    """As of when; now, if left out."""
    provenance: Provenance = "stated"
    """How the source knows: it was said (stated), seen in what the customer did, or guessed from either."""
    tier: Tier | None = None
    segment: Label | None = None
    lifetime_value: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    renewal_date: date | None = None
    since: date | None = None
    region: Label | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    time_zone: TimeZone | None = None
    owner: ShortText | None = None
    preferences: Annotated[dict[Label, ContextValue], Field(max_length=MAX_ENTRIES)] | None = None
    external_ids: Annotated[dict[Label, ShortText], Field(max_length=MAX_ENTRIES)] | None = None
    """The customer's ids in other systems, by system. Each belongs to one customer only."""
    name: ShortText | None = None
    email: ShortText | None = None
    phone: ShortText | None = None

    def facts(self) -> dict[str, Any]:
        """What was told, as JSON values."""
        return self.model_dump(
            mode="json", exclude={"source", "at", "provenance", "customer_id"}, exclude_unset=True
        )


class CustomerUpdated(CustomerIn):
    """The same as an event: which customer, and what a source tells of them."""

    customer_id: Annotated[str, Field(min_length=1, max_length=200)]
