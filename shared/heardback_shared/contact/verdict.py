"""Whether, when and how one person may be written to now. Pure: the same facts give the same answer.

A moment is free or not for its own reasons, whenever it is asked about; `Later` names the first free moment
from now on. So a message is never lost, and asking later never gives an earlier moment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from heapq import merge
from zoneinfo import ZoneInfo

from heardback_shared.contact.domain import (
    Ask,
    ContactRules,
    Later,
    Never,
    Now,
    QuietHours,
    ReasonCode,
    Recipient,
    Touch,
    Verdict,
)
from heardback_shared.contact.local_time import edges

WEEK = timedelta(days=7)
DIGEST_OPEN = timedelta(hours=3)
"""How long after its hour a digest may still go out, once; what comes after it waits for the next."""

ASK_AGAIN = timedelta(minutes=15)
"""When to look again at somebody who is held, as a person lifts that at no foreseeable time."""

_HORIZON = WEEK + timedelta(days=23)
"""After the last touch: every cap is free after a week, a digest and an hour that is not quiet come within
the next two, and a zone may once skip either."""


def verdict(
    recipient: Recipient,
    ask: Ask,
    touches: Sequence[Touch],
    rules: ContactRules,
    now: datetime,
    stopped: str | None = None,
) -> Verdict:
    """`touches` are those of the person, at least since seven days ago; `stopped`, if no machine may write to
    anybody of the tenant, why."""
    if ask.critical:
        return Now(recipient.channels[0]) if recipient.channels else _nowhere(recipient)
    refusal = _refused(recipient, ask)
    if refusal:
        return refusal
    held = _held(recipient, ask, stopped, now)
    if held:
        return held
    return _timed(recipient, Moments.of(recipient, ask, touches, rules), now)


def _refused(recipient: Recipient, ask: Ask) -> Never | None:
    if ask.purpose in recipient.refused:
        if ask.purpose == "profiling":
            return Never("no_consent", "The customer has not agreed to profiling.")
        return Never("opted_out", f"The customer does not want to be written to for {_SAID[ask.purpose]}.")
    if ask.item_id is not None and ask.item_id in recipient.refused_items:
        return Never("opted_out_of_item", "The customer does not want to hear about this matter any more.")
    return None if recipient.channels else _nowhere(recipient)


_SAID = {"case_updates": "news of their matters", "surveys": "surveys", "profiling": "profiling"}


def _nowhere(recipient: Recipient) -> Never:
    if "channels" in recipient.inferred:
        return Never("inferred_only", "Where to reach the customer is only guessed; nobody confirmed it.")
    return Never("no_channel", "There is no channel on which the customer wants to be and can be reached.")


def _held(recipient: Recipient, ask: Ask, stopped: str | None, now: datetime) -> Later | None:
    if not ask.automatic:
        return None
    if stopped is not None:
        return Later(now + ASK_AGAIN, "sending_stopped", f"Nothing is sent automatically just now: {stopped}")
    if recipient.held_because is not None:
        because = f"No machine writes to this customer just now: {recipient.held_because}"
        return Later(now + ASK_AGAIN, "on_hold", because)
    return None


def _timed(recipient: Recipient, moments: "Moments", now: datetime) -> Verdict:
    hindered: tuple[ReasonCode, str] | None = None
    for at in moments.candidates(now):
        found = moments.hindrance(at)
        if found is None:
            return Now(recipient.channels[0]) if hindered is None else Later(at, *hindered)
        hindered = found
    raise AssertionError("no moment is free; caps below 1 or quiet hours all day are refused on reading")


@dataclass(frozen=True, slots=True)
class Moments:
    """When a message to one person may go out. What keeps it back last is the reason that is told."""

    zone: ZoneInfo
    quiet: QuietHours | None
    digest: str
    capped: bool
    touches: tuple[Touch, ...]
    rules: ContactRules

    @classmethod
    def of(cls, recipient: Recipient, ask: Ask, touches: Sequence[Touch], rules: ContactRules) -> "Moments":
        return cls(
            ZoneInfo(recipient.time_zone or rules.time_zone),
            recipient.quiet or rules.quiet,
            recipient.digest if ask.purpose == "case_updates" else "none",
            ask.automatic,
            tuple(touches),
            rules,
        )

    def candidates(self, now: datetime) -> Iterator[datetime]:
        """Now, and every later instant at which something may come to be free, in order."""
        yield now
        until = max(now, max((t.at for t in self.touches), default=now)) + _HORIZON
        times = [time(0), *((self.quiet.start, self.quiet.end) if self.quiet else ())]
        free_again = sorted([t.at + WEEK for t in self.touches] + [t.until for t in self.touches if t.until])
        digests = self._digests(now, until) if self.digest != "none" else ()
        for at in merge(edges(self.zone, now, until, times), free_again, digests):
            if at > now:
                yield at

    def hindrance(self, at: datetime) -> tuple[ReasonCode, str] | None:
        return next(self.hindrances(at), None)

    def hindrances(self, at: datetime) -> Iterator[tuple[ReasonCode, str]]:
        """All that stands against this moment, each with a reason in plain words."""
        if self._is_quiet(at):
            yield "quiet_hours", "It is within the customer's quiet hours."
        if self.capped:
            there = [t for t in self.touches if t.until is None or at < t.until]
            day = at.astimezone(self.zone).date()
            of_day = sum(t.automatic and t.at.astimezone(self.zone).date() == day for t in there)
            if of_day >= self.rules.daily_cap:
                yield "daily_cap", f"The customer was written to {of_day} times that day."
            of_week = sum(t.at > at - WEEK for t in there)
            if of_week >= self.rules.weekly_cap:
                yield "weekly_cap", f"The customer was written to {of_week} times within seven days."
        if self.digest != "none" and not self._in_digest(at):
            yield "digest", f"The customer wants news together, {self.digest}."

    def free_of(self, code: ReasonCode, now: datetime) -> datetime:
        """The first moment from now on that this does not stand against."""
        return next(
            at for at in self.candidates(now) if all(code != other for other, _ in self.hindrances(at))
        )

    def quiet_from(self, now: datetime, until: datetime) -> datetime | None:
        """When quiet hours next begin, if before `until`. At `now` it is not quiet."""
        if self.quiet is None:
            return None
        begins = edges(self.zone, now, until, (self.quiet.start,))
        return next((at for at in begins if self._is_quiet(at)), None)

    def _is_quiet(self, at: datetime) -> bool:
        if self.quiet is None:
            return False
        start, end, wall = self.quiet.start, self.quiet.end, at.astimezone(self.zone).time()
        return start <= wall < end if start < end else wall >= start or wall < end

    def _in_digest(self, at: datetime) -> bool:
        """Whether a digest is open at this moment and nothing went out with it yet."""
        return any(
            opened <= at < opened + DIGEST_OPEN and not self._used(opened)
            for opened in self._digests(at - timedelta(days=3), at)
        )

    def _used(self, opened: datetime) -> bool:
        return any(
            t.purpose == "case_updates" and t.automatic and opened <= t.at < opened + DIGEST_OPEN
            for t in self.touches
        )

    def _digests(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """When the digests of the local days from `since` to `until` open, in order.

        At their hour, or as soon after it as it is not quiet.
        """
        day, last = since.astimezone(self.zone).date(), until.astimezone(self.zone).date()
        while day <= last:
            if self.digest == "daily" or day.weekday() == self.rules.digest_weekday:
                hour = datetime.combine(day, self.rules.digest_at, self.zone).astimezone(UTC)
                yield hour if not self._is_quiet(hour) else self._after_quiet(hour)
            day += timedelta(days=1)

    def _after_quiet(self, at: datetime) -> datetime:
        ends = (self.quiet.end,) if self.quiet else ()
        return next(e for e in edges(self.zone, at, at + timedelta(days=4), ends) if not self._is_quiet(e))
