"""Quiet hours, and the caps across everything that machines send: an invitation is one of these messages."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from heardback_ingest.domain.surveys.facts import Facts, Reason, ReasonCode
from heardback_ingest.domain.surveys.limits import counts_from
from heardback_ingest.domain.surveys.policy import Suppression
from heardback_shared.contact.domain import Touch
from heardback_shared.contact.verdict import Moments

_CODES: dict[str, ReasonCode] = {
    "quiet_hours": "quiet_hours",
    "daily_cap": "daily_cap",
    "weekly_cap": "weekly_cap",
}


def out_of_reach(facts: Facts, suppress: Suppression, now: datetime) -> Iterator[Reason]:
    """Each with the moment at which it alone stands in the way no more."""
    moments = _moments(facts, suppress, now)
    if moments is None:
        return
    for code, said in moments.hindrances(now):
        yield Reason(_CODES[code], said, until=moments.free_of(code, now), ends="at")


def place_ends(facts: Facts, suppress: Suppression, now: datetime, until: datetime) -> datetime:
    """`until`, or when the person's quiet hours begin before it: what is sent later would be sent in them."""
    moments = _moments(facts, suppress, now)
    return (moments.quiet_from(now, until) if moments is not None else None) or until


def _moments(facts: Facts, suppress: Suppression, now: datetime) -> Moments | None:
    reach = facts.reach
    if reach is None:
        return None
    quiet = reach.quiet if suppress.quiet_hours == "heardback" else None
    return Moments(ZoneInfo(reach.zone), quiet, "none", True, tuple(_touches(facts, now)), reach.rules)


def _touches(facts: Facts, now: datetime) -> Iterator[Touch]:
    """Reminders are messages too. A place that is kept counts from when it was kept, for as long as it is."""
    for one in facts.invitations:
        at = counts_from(one, "sent", now)
        if at is not None:
            yield _touch(at, until=one.expires_at if one.state == "reserved" else None)
    yield from (_touch(at) for at in facts.messages)
    yield from (_touch(at, automatic=False) for at in facts.by_people)


def _touch(at: datetime, *, automatic: bool = True, until: datetime | None = None) -> Touch:
    return Touch("", "", "surveys", "webhook", automatic, at, until)
