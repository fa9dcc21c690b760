"""Working time: how much of it lies between two instants, and when so much of it has passed. Exact.

Open is every instant at which a clock on the wall shows an hour that is open. So an hour the clocks skip in
spring is not worked, and one they show twice in autumn is worked twice. Hours that run over midnight belong
to the day on which they begin, and fall with it when that is a holiday.

Inside, instants and spans are whole microseconds (since 1970, UTC), so that nothing is ever rounded.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holidays import country_holidays

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MARGIN = 3 * 86_400 * 1_000_000
_FIRST_YEAR, _LAST_YEAR = 1900, 9_000

Hours = tuple[tuple[tuple[time, time], ...], ...]


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


@lru_cache(maxsize=1_000)
def time_zone(name: str) -> ZoneInfo | None:
    """None where there is no time zone of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class WorkingTime(Protocol):
    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from start to end; none where end is not after start."""
        ...

    def after(self, start: datetime, worked: timedelta) -> datetime:
        """The first instant, not before start, by which so much has been worked since start."""
        ...

    def next_open(self, at: datetime) -> datetime:
        """`at` itself while it is open, else when it opens next."""
        ...

    def worked(self, start: int, end: int) -> int:
        """`between` in microseconds."""
        ...

    def reached(self, start: int, worked: int) -> int:
        """`after` in microseconds."""
        ...


class _InMicroseconds(ABC):
    @abstractmethod
    def worked(self, start: int, end: int) -> int: ...

    @abstractmethod
    def reached(self, start: int, worked: int) -> int: ...

    def between(self, start: datetime, end: datetime) -> timedelta:
        return timedelta(microseconds=self.worked(microseconds(start), microseconds(end)))

    def after(self, start: datetime, worked: timedelta) -> datetime:
        return moment(self.reached(microseconds(start), worked // MICROSECOND))


class RoundTheClock(_InMicroseconds):
    """Every hour of every day."""

    def worked(self, start: int, end: int) -> int:
        return max(end - start, 0)

    def reached(self, start: int, worked: int) -> int:
        return start + max(worked, 0)

    def next_open(self, at: datetime) -> datetime:
        return at


ALWAYS = RoundTheClock()


@dataclass(frozen=True, slots=True)
class _Years:
    """The open intervals of some years in order, none touching another; `before[i]` is worked before i."""

    first: int
    last: int
    starts: Sequence[int]
    ends: Sequence[int]
    before: Sequence[int]

    @property
    def known_from(self) -> int:
        return microseconds(datetime(self.first, 1, 1, tzinfo=UTC)) + _MARGIN

    @property
    def known_to(self) -> int:
        return microseconds(datetime(self.last, 12, 31, tzinfo=UTC)) - _MARGIN


class WeekHours(_InMicroseconds):
    """Weekly hours in one time zone, without holidays. Years are worked out once, when first asked for."""

    def __init__(
        self,
        hours: Hours,
        zone: str,
        country: str | None = None,
        subdivision: str | None = None,
        also: frozenset[date] = frozenset(),
        but_not: frozenset[date] = frozenset(),
    ) -> None:
        """`hours` per weekday, Monday first, some of it open. Raises ValueError for an unknown zone."""
        found = time_zone(zone)
        if found is None or not any(hours):
            raise ValueError(f"no hours in a time zone {zone}")
        self._hours = hours
        self._zone = found
        self._country = (country, subdivision)
        self._also = also
        self._but_not = but_not
        self._years: _Years | None = None
        self._known = (0, 0)

    def worked(self, start: int, end: int) -> int:
        if end <= start:
            return 0
        years = self._covering(start, end)
        return _position(years, end) - _position(years, start)

    def reached(self, start: int, worked: int) -> int:
        if worked <= 0:
            return start
        years = self._covering(start, start)
        wanted = _position(years, start) + worked
        while wanted > _position(years, self._known[1]):
            years = self._grown(years.first, years.last + 2 * (years.last - years.first + 1))
            wanted = _position(years, start) + worked
        i = bisect_left(years.before, wanted) - 1
        return years.starts[i] + wanted - years.before[i]

    def next_open(self, at: datetime) -> datetime:
        start = microseconds(at)
        years = self._covering(start, start)
        while (i := bisect_right(years.ends, start)) == len(years.ends):
            years = self._grown(years.first, years.last + 2)
        return at if years.starts[i] <= start else moment(years.starts[i])

    def _covering(self, start: int, end: int) -> _Years:
        known_from, known_to = self._known
        if self._years is not None and known_from <= start and end < known_to:
            return self._years
        first, last = moment(start).year - 1, moment(end).year + 2
        if self._years is not None:
            first, last = min(first, self._years.first), max(last, self._years.last)
        return self._grown(first, last)

    def _grown(self, first: int, last: int) -> _Years:
        if first < _FIRST_YEAR or last > _LAST_YEAR:
            raise OverflowError(f"no working time is known for the years {first} to {last}")
        pieces = _joined(piece for year in range(first, last + 1) for piece in self._open_in(year))
        starts, ends = [p[0] for p in pieces], [p[1] for p in pieces]
        spans = [end - start for start, end in pieces]
        self._years = _Years(first, last, starts, ends, list(accumulate(spans, initial=0))[:-1])
        self._known = (self._years.known_from, self._years.known_to)
        return self._years

    def _open_in(self, year: int) -> Iterator[tuple[int, int]]:
        closed = self._holidays(year)
        day, end = date(year, 1, 1), date(year, 12, 31)
        while day <= end:
            if day not in closed:
                for opens, closes in self._hours[day.weekday()]:
                    until = datetime.combine(day if closes > opens else day + _DAY, closes)
                    yield from _instants(datetime.combine(day, opens), until, self._zone)
            day += _DAY

    def _holidays(self, year: int) -> frozenset[date]:
        country, subdivision = self._country
        days = country_holidays(country, subdiv=subdivision, years=year) if country else {}
        return (frozenset(days) | self._also) - self._but_not


def _position(years: _Years, at: int) -> int:
    i = bisect_right(years.starts, at) - 1
    if i < 0:
        return 0
    return years.before[i] + min(at, years.ends[i]) - years.starts[i]


def _joined(pieces: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif end > start:
            joined.append((start, end))
    return joined


def _instants(opens: datetime, closes: datetime, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """The instants at which a wall clock shows a time from `opens` to before `closes`, both without zone."""
    offsets = {_offset(at.replace(fold=fold), zone) for at in (opens, closes) for fold in (0, 1)}
    if len(offsets) == 1:
        (offset,) = offsets
        yield _utc(opens, offset), _utc(closes, offset)
        return
    # The clocks change in it, or near: look at each stretch of one offset by itself.
    start, end = opens - max(offsets), closes - min(offsets)
    changes = _changes(start, end, zone)
    for begin, finish in zip([start, *changes], [*changes, end], strict=True):
        offset = _offset_at(begin, zone)
        first, last = max(begin, opens - offset), min(finish, closes - offset)
        if first < last:
            yield _utc(first, timedelta(0)), _utc(last, timedelta(0))


def _changes(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """When the zone's offset changes between two instants (UTC, without zone), to the second."""
    changes, at = [], start
    while at < end:
        following = min(at + _HOUR, end)
        if _offset_at(at, zone) != _offset_at(following, zone):
            low, high = at, following
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                if _offset_at(middle, zone) == _offset_at(low, zone):
                    low = middle
                else:
                    high = middle
            changes.append(high)
        at = following
    return changes


def _offset(wall: datetime, zone: ZoneInfo) -> timedelta:
    return wall.replace(tzinfo=zone).utcoffset() or timedelta(0)


def _offset_at(utc: datetime, zone: ZoneInfo) -> timedelta:
    return utc.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta(0)


def _utc(wall: datetime, offset: timedelta) -> int:
    return microseconds((wall - offset).replace(tzinfo=UTC))
