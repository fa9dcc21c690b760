"""What became of an invitation: sent, seen, answered, given back, or run out of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from heardback_ingest.app.surveys.ask import touch
from heardback_ingest.app.surveys.ports import Held, Invitations, SurveyLog
from heardback_ingest.domain.surveys.invitation import Outcome, Step, move
from heardback_ingest.domain.surveys.record import spelled_at
from heardback_shared.clock import Clock
from heardback_shared.contact.domain import Touch
from heardback_shared.contact.ports import Contacts
from heardback_shared.db.database import Database

AHEAD = timedelta(minutes=5)
"""How far a sender's clock may run before ours."""

BATCH = 500
FORGOTTEN = 5_000
"""Decisions that are deleted at once."""


@dataclass(frozen=True, slots=True)
class Report:
    """`at`: when it happened; now, if left out."""

    reservation: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Followed:
    """`unknown`: there is no such reservation. `ahead`: it says to be from a time that has not come."""

    reservation: str
    outcome: Outcome | Literal["unknown", "ahead"]
    state: str | None = None
    sent_at: datetime | None = None

    def body(self) -> Mapping[str, Any]:
        told = {"reservation": self.reservation, "outcome": self.outcome, "state": self.state}
        return told if self.sent_at is None else told | {"sent_at": spelled_at(self.sent_at)}


class Follow:
    def __init__(
        self, database: Database, invitations: Invitations, contacts: Contacts, clock: Clock
    ) -> None:
        self._database = database
        self._invitations = invitations
        self._contacts = contacts
        self._clock = clock

    async def __call__(self, tenant_id: str, step: Step, reports: Sequence[Report]) -> list[Followed]:
        """One result each, in order. Repeats change nothing; all of it commits, or none."""
        async with self._database.tenant(tenant_id, by_key=True) as c:
            ids = [report.reservation for report in reports]
            # As deciding does: whether a place has run out is the same to both.
            people = {one.person_id for one in (await self._invitations.held(c, tenant_id, ids)).values()}
            await self._contacts.lock(c, tenant_id, sorted(people))
            now = self._clock.now()
            held = dict(await self._invitations.held(c, tenant_id, ids, for_update=True))
            before = dict(held)
            results = [_followed(held, report, step, now) for report in reports]
            changed = [held[i] for i in sorted(held) if held[i] != before[i]]
            await self._invitations.change(c, tenant_id, changed)
            # A message counts when it was sent, and not at all where it was not.
            moved = [h for h in changed if _touched(before[h.invitation.id]) != _touched(h)]
            if moved:
                await self._contacts.forget(c, tenant_id, [h.invitation.id for h in moved])
                await self._contacts.note(c, tenant_id, [t for h in moved if (t := _touched(h))])
        return results


def _touched(held: Held) -> Touch | None:
    return None if held.invitation.state in {"released", "expired"} else touch(held)


def _followed(held: dict[str, Held], report: Report, step: Step, now: datetime) -> Followed:
    """Also puts the invitation as it is after it into `held`."""
    one = held.get(report.reservation)
    if one is None:
        return Followed(report.reservation, "unknown")
    at = report.at or now
    if at > now + AHEAD:
        return Followed(report.reservation, "ahead", one.invitation.state)
    moved = move(one.invitation, step, at, now)
    after = moved.invitation
    held[after.id] = replace(one, invitation=after, late=one.late or moved.outcome == "late")
    return Followed(after.id, moved.outcome, after.state, after.sent_at)


class Lapse:
    """Places that nobody confirmed in time are free again; and old decisions are forgotten."""

    def __init__(
        self,
        database: Database,
        invitations: Invitations,
        log: SurveyLog,
        contacts: Contacts,
        clock: Clock,
        *,
        keep_days: float,
    ) -> None:
        self._database = database
        self._invitations = invitations
        self._log = log
        self._contacts = contacts
        self._clock = clock
        self._keep = timedelta(days=keep_days)

    async def __call__(self) -> int:
        """How many places ran out. Deciding does not wait for it: a place counts until its time, not until
        this has seen it."""
        total = 0
        while (count := await self._batch()) > 0:
            total += count
        async with self._database.worker() as c:
            await self._log.forget(c, self._clock.now() - self._keep, FORGOTTEN)
        return total

    async def _batch(self) -> int:
        now = self._clock.now()
        async with self._database.worker() as c:
            lapsed = await self._invitations.lapsed(c, now, BATCH)
            by_tenant: dict[str, list[Held]] = {}
            for tenant_id, one in lapsed:
                after = move(one.invitation, "expired", now, now).invitation
                by_tenant.setdefault(tenant_id, []).append(replace(one, invitation=after))
            for tenant_id, held in by_tenant.items():
                await self._invitations.change(c, tenant_id, held)
                await self._contacts.forget(c, tenant_id, [one.invitation.id for one in held])
        return len(lapsed)
