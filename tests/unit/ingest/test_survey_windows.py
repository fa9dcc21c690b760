"""When an invitation stops counting: hours, days of the calendar, and clocks put forward and back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_ingest.domain.surveys.windows import (
    INSTANT,
    Ever,
    LocalDays,
    Rolling,
    day_begins,
    local_day,
    look_back,
    spelled,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/St_Johns",
    "Antarctica/Troll",
    "UTC",
)
instants = st.datetimes(datetime(2005, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
zones = st.sampled_from(ZONES).map(ZoneInfo)


def utc(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "zone", "at", "leaves"),
    [
        # A rolling day is 24 hours, on the day the clocks change too; a day of the calendar has 23 or 25.
        (Rolling(timedelta(days=1)), "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T12:00"),
        (LocalDays(1), "Europe/Berlin", "2026-03-28T12:00", "2026-03-28T23:00"),
        (LocalDays(1), "Europe/Berlin", "2026-03-29T12:00", "2026-03-29T22:00"),
        (LocalDays(1), "Europe/Berlin", "2026-10-25T12:00", "2026-10-25T23:00"),
        (LocalDays(2), "Europe/Berlin", "2026-10-24T22:30", "2026-10-26T23:00"),
        # One minute before and one after midnight there are different days.
        (LocalDays(1), "Europe/Berlin", "2026-06-01T21:59", "2026-06-01T22:00"),
        (LocalDays(1), "Europe/Berlin", "2026-06-01T22:00", "2026-06-02T22:00"),
        (LocalDays(1), "Asia/Kathmandu", "2026-06-01T18:14", "2026-06-01T18:15"),
        # Midnight is skipped: the day begins when the clock jumps over it.
        (LocalDays(1), "America/Sao_Paulo", "2018-11-03T12:00", "2018-11-04T03:00"),
        (LocalDays(1), "Asia/Beirut", "2026-03-28T12:00", "2026-03-28T22:00"),
        # The clock goes back over midnight: it is the day before once more, and the new day begins once.
        (LocalDays(1), "America/Havana", "2026-10-31T12:00", "2026-11-01T04:00"),
        # A whole day is missing.
        (LocalDays(1), "Pacific/Apia", "2011-12-29T12:00", "2011-12-30T10:00"),
        (LocalDays(2), "Pacific/Apia", "2011-12-29T12:00", "2011-12-30T10:00"),
    ],
)  # fmt: skip
def test_the_instant_at_which_it_leaves(window: Rolling | LocalDays, zone: str, at: str, leaves: str) -> None:
    assert window.leaves(utc(at), ZoneInfo(zone)) == utc(leaves)


@given(st.dates(date(2005, 1, 1), date(2030, 1, 1)), zones)
def test_a_day_begins_at_the_first_instant_that_shows_it(day: date, zone: ZoneInfo) -> None:
    begins = day_begins(day, zone)
    assert begins.astimezone(zone).date() >= day
    assert (begins - INSTANT).astimezone(zone).date() < day


@given(instants, instants, zones)
def test_days_never_go_back(one: datetime, other: datetime, zone: ZoneInfo) -> None:
    early, late = sorted((one, other))
    assert local_day(early, zone) <= local_day(late, zone)


@given(instants, zones, st.integers(1, 400))
def test_it_leaves_after_it_came_and_no_later_than_is_looked_back(
    at: datetime, zone: ZoneInfo, count: int
) -> None:
    for window in (Rolling(timedelta(days=count)), LocalDays(count)):
        leaves = window.leaves(at, zone)
        back = look_back(window)
        assert back is not None
        assert at < leaves <= at + back
    assert look_back(Ever()) is None


@given(instants, instants, zones, st.integers(1, 40))
def test_what_came_later_leaves_no_earlier(
    one: datetime, other: datetime, zone: ZoneInfo, count: int
) -> None:
    early, late = sorted((one, other))
    for window in (Rolling(timedelta(days=count)), LocalDays(count)):
        assert window.leaves(early, zone) <= window.leaves(late, zone)


def test_lengths_are_spelled_in_the_largest_unit_that_fits() -> None:
    lengths = {"1 day": 86_400, "36 hours": 129_600, "90 minutes": 5_400, "61 seconds": 61}
    assert {said: spelled(timedelta(seconds=s)) for said, s in lengths.items()} == {
        said: said for said in lengths
    }
