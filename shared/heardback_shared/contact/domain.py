"""Whether one customer may be told something now, later or not at all. Pure: time is an argument."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal

Channel = Literal["webhook", "email", "sms", "in_app"]
"""`sms` and `in_app` go out through the tenant's webhook, which is told the channel to use."""

Purpose = Literal["case_updates", "surveys", "profiling"]
Provenance = Literal["stated", "observed", "inferred"]
"""Said by the customer or on their behalf, seen in what they did, or guessed from either."""

Digest = Literal["none", "daily", "weekly"]

ReasonCode = Literal[
    "opted_out",
    "opted_out_of_item",
    "no_consent",
    "no_channel",
    "inferred_only",
    "on_hold",
    "sending_stopped",
    "quiet_hours",
    "digest",
    "daily_cap",
    "weekly_cap",
    "unknown_customer",
]
"""Why somebody is not told, or not yet."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local wall-clock times of the recipient's zone; `start` after `end` goes over midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Recipient:
    """One customer as those need it who want to reach them: what is known, at one moment.

    `person_id` is the same for all customer ids that are one person. `channels` are in order of preference,
    only those that can be used. `agreed`: what they provably said yes to, where not refusing may be enough.
    `held_because` is set while no machine may write to the customer by itself.
    """

    customer_id: str
    person_id: str
    channels: tuple[Channel, ...]
    account_id: str | None = None
    language: str | None = None
    time_zone: str | None = None
    quiet: QuietHours | None = None
    digest: Digest = "none"
    refused: frozenset[Purpose] = frozenset()
    agreed: frozenset[Purpose] = frozenset()
    refused_items: frozenset[str] = frozenset()
    held_because: str | None = None
    tier: str | None = None
    segment: str | None = None
    region: str | None = None
    inferred: frozenset[str] = field(default_factory=frozenset)
    """Fields above that are only guessed; none of them is a reason to write to somebody."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a customer's profile says that decides how they are reached. `provenance` is by field; one that is
    missing there counts as inferred. `at`: as of when."""

    customer_id: str
    person_id: str
    at: datetime
    account_id: str | None = None
    language: str | None = None
    time_zone: str | None = None
    tier: str | None = None
    segment: str | None = None
    region: str | None = None
    provenance: Mapping[str, Provenance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is reached on a channel that needs an address, in the clear."""

    value: str = field(repr=False)
    provenance: Provenance
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactRules:
    """What holds for who has no wish of their own, and how often a machine may write by itself.

    `daily_cap` counts what went out automatically within one local day of the recipient, `weekly_cap`
    everything within seven times 24 hours, over all purposes and channels. Both are at least 1 and hold up
    automatic messages only. A weekly digest goes out on `digest_weekday` (0 is Monday).
    """

    name: str
    time_zone: str
    quiet: QuietHours | None
    daily_cap: int
    weekly_cap: int
    digest_at: time
    digest_weekday: int
    refresh_days: int
    """After how many days without confirmation a preference is due to be asked again."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants to send. `critical`: the law or safety requires it, so only a missing channel stops
    it. `automatic`: no person released this very message."""

    purpose: Purpose
    item_id: str | None = None
    critical: bool = False
    automatic: bool = True


@dataclass(frozen=True, slots=True)
class Touch:
    """The customer was reached, or a place was kept for it. `id` is that of the message or reservation.
    `until`: where the place is kept no longer than that, and the customer was not reached yet."""

    id: str
    person_id: str
    purpose: Purpose
    channel: Channel
    automatic: bool
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Now:
    channel: Channel


@dataclass(frozen=True, slots=True)
class Later:
    """Never dropped: to be asked again at `at`."""

    at: datetime
    code: ReasonCode
    because: str


@dataclass(frozen=True, slots=True)
class Never:
    code: ReasonCode
    because: str


Verdict = Now | Later | Never
