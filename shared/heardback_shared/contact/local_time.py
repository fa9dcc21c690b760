"""Wall clocks of a zone: instants at which one reads a given time, and the changes of its offset. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from math import ceil, floor
from zoneinfo import ZoneInfo

_CHUNK = timedelta(hours=6)


def edges(zone: ZoneInfo, since: datetime, until: datetime, times: Sequence[time]) -> Iterator[datetime]:
    """Every instant from `since` until before `until` at which the wall clock reads one of the times or
    jumps, in order, in UTC.

    A time that the clock skips gives the jump instead, one that comes twice is given twice.
    """
    at = since.astimezone(UTC)
    end = until.astimezone(UTC)
    while at < end:
        after = min(at + _CHUNK, end)
        yield from _of_chunk(zone, at, after, times)
        at = after


def _of_chunk(zone: ZoneInfo, at: datetime, end: datetime, times: Sequence[time]) -> Iterator[datetime]:
    jump = _jump(zone, at, end)
    if jump is None:
        yield from _readings(zone, at, end, times)
        return
    yield from _readings(zone, at, jump, times)
    yield jump
    yield from (found for found in _readings(zone, jump, end, times) if found != jump)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    if offset is None:
        raise ValueError("a zone of the tz database has an offset at every instant")
    return offset


def _jump(zone: ZoneInfo, at: datetime, end: datetime) -> datetime | None:
    """The first instant after `at` and before `end` at which the offset is no longer that of `at`.

    Offsets change at whole seconds, and not twice within a chunk.
    """
    before = _offset(zone, at)
    if _offset(zone, end - timedelta(microseconds=1)) == before:
        return None
    low, high = floor(at.timestamp()), ceil(end.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = _offset(zone, datetime.fromtimestamp(middle, UTC)) == before
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)


def _readings(zone: ZoneInfo, at: datetime, end: datetime, times: Sequence[time]) -> Iterator[datetime]:
    """Within a stretch of one offset."""
    if at >= end:
        return
    offset = _offset(zone, at)
    first = (at + offset).replace(tzinfo=None)
    last = (end + offset).replace(tzinfo=None)
    days = (last.date() - first.date()).days
    walls = (datetime.combine(first.date() + timedelta(days=d), t) for d in range(days + 1) for t in times)
    yield from sorted({w.replace(tzinfo=UTC) - offset for w in walls if first <= w < last})


def zone_or_none(name: str | None) -> str | None:
    """The name of a zone that there is; None for any other."""
    try:
        return ZoneInfo(name).key if name else None
    except (KeyError, ValueError, OSError):
        return None
