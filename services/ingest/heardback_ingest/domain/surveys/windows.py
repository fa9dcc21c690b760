"""When an invitation stops counting: so many hours after it, or so many days of the calendar on the wall."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Rolling:
    """Counts for exactly this long; a day is 24 hours, whatever the clocks on the wall do."""

    length: timedelta

    def leaves(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The first instant at which something that happened at `at` does not count any more."""
        return at + self.length

    def __str__(self) -> str:
        return f"any {spelled(self.length)}"


@dataclass(frozen=True, slots=True)
class LocalDays:
    """Counts on its own day and the `days` - 1 after it, from midnight to midnight where the person is."""

    days: int

    def leaves(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The first instant at which something that happened at `at` does not count any more."""
        return day_begins(local_day(at, zone) + timedelta(days=self.days), zone)

    def __str__(self) -> str:
        return "one day of the calendar" if self.days == 1 else f"{self.days} days of the calendar"


@dataclass(frozen=True, slots=True)
class Ever:
    """Never stops counting."""

    def leaves(self, at: datetime, zone: ZoneInfo) -> None:
        """There is no such instant."""
        return

    def __str__(self) -> str:
        return "all time"


Window = Rolling | LocalDays | Ever


def look_back(window: Window) -> timedelta | None:
    """What happened longer ago than this does not count, wherever the person is. None: everything may."""
    match window:
        case Rolling(length):
            return length
        case LocalDays(days):
            return timedelta(days=days + 1)  # the longest local day has less than 48 hours
        case Ever():
            return None


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """The first instant at which a calendar there shows this day or a later one. In UTC.

    Midnight may be missing (clocks put forward over it) or come twice; both are in the zone's rules.
    """
    midnight = datetime.combine(day, time(), tzinfo=zone)
    begins = midnight.astimezone(UTC)
    if begins.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return begins
    before, after = midnight.utcoffset(), midnight.replace(fold=1).utcoffset()
    assert before is not None
    assert after is not None
    low, high = begins - (after - before) - INSTANT, begins  # not yet that day; that day or later
    while high - low > INSTANT:
        middle = low + (high - low) // 2
        if middle.astimezone(zone).date() >= day:
            high = middle
        else:
            low = middle
    return high


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The day it is there. A day that has begun stays, though clocks put back over midnight undo it."""
    shown = at.astimezone(zone).date()
    following = shown + timedelta(days=1)
    return following if day_begins(following, zone) <= at else shown


def spelled(length: timedelta) -> str:
    """In the largest unit that fits: "30 days", "36 hours", "90 minutes"."""
    seconds = int(length.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % size == 0 and seconds:
            count = seconds // size
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return f"{seconds} seconds"
