"""The words of the ledger: accepted = settled + in flight + dead, and how a row moves between them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from heardback_shared.ids import derived_id

State = Literal["in_flight", "settled", "dead"]
SUPERSEDED = "superseded"
"""Reason of a settled revision that was never scored, because a newer one was there first."""


def feedback_id(tenant_id: str, source: str, external_id: str) -> str:
    return derived_id("fb", tenant_id, source, external_id)


def event_id(tenant_id: str, feedback: str, revision: int, pass_number: int) -> str:
    """Of the accepted event. Sending the same pass again is the same event."""
    return derived_id("ev", tenant_id, feedback, revision, pass_number)


def event_key(tenant_id: str, customer_id: str | None, feedback: str) -> str:
    """One customer's events stay in order; feedback without a customer stands alone."""
    return f"{tenant_id}:{customer_id or feedback}"


@dataclass(frozen=True, slots=True)
class RedrivePolicy:
    """When what is not settled is sent again. Waits double, up to `longest_seconds`."""

    first_seconds: float = 30
    longest_seconds: float = 3_600
    limit: int = 8
    rescore_seconds: float = 300
    rescore_limit: int = 12

    def first_due(self, sent_at: datetime) -> datetime:
        return sent_at + timedelta(seconds=self.first_seconds)

    def next_due(self, now: datetime, redrives: int) -> datetime:
        """`redrives`: how often it was sent again, this time included."""
        return now + timedelta(
            seconds=min(self.first_seconds * 2.0 ** min(redrives, 32), self.longest_seconds)
        )

    def rescore_due(self, now: datetime, pass_number: int) -> datetime | None:
        """When a degraded score is asked for again; None once that was done often enough."""
        if pass_number > self.rescore_limit:
            return None
        wait = min(self.rescore_seconds * 2.0 ** min(pass_number - 1, 32), 24 * self.rescore_seconds)
        return now + timedelta(seconds=wait)


DEFAULT_POLICY = RedrivePolicy()

Step = Literal["redrive", "rescore", "supersede", "die", "rest"]


@dataclass(frozen=True, slots=True)
class Due:
    """A ledger row whose time has come."""

    tenant_id: str
    feedback_id: str
    revision: int
    customer_id: str | None
    state: State
    pass_number: int
    redrives: int
    event: bytes
    traceparent: str | None
    newest_revision: int


def next_step(row: Due, policy: RedrivePolicy) -> Step:
    """What to do with a row that is due."""
    if row.state == "dead":
        return "rest"
    if row.newest_revision > row.revision:
        return "supersede" if row.state == "in_flight" else "rest"
    if row.state == "settled":
        return "rescore"
    return "die" if row.redrives >= policy.limit else "redrive"


def status(state: State, routed_at: datetime | None, scored_at: datetime | None) -> str:
    """The public word for a row."""
    if state == "dead":
        return "dead"
    if routed_at is not None:
        return "routed"
    return "scored" if scored_at is not None else "accepted"
