"""Working time against a wall clock read minute by minute: calendars, holidays, nights, clock changes."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heardback_router.sla.working import ALWAYS, WeekHours

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
CHANGES = [
    date(2026, 3, 29),  # Berlin springs forward
    date(2026, 10, 25),  # and falls back
    date(2026, 3, 8),  # New York
    date(2026, 11, 1),
    date(2026, 4, 5),  # Lord Howe moves by half an hour
    date(2026, 10, 4),
    date(2026, 12, 31),
    date(2026, 6, 10),
]
NINE_TO_FIVE = ((time(9), time(17)),)
OFFICE = (NINE_TO_FIVE,) * 5 + ((), ())

walls = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
openings = st.tuples(walls, walls).filter(lambda o: o != (time(0), time(0)))
weeks = st.tuples(*[st.lists(openings, max_size=2).map(tuple)] * 7).filter(any)
instants = st.builds(
    lambda day, minutes: datetime.combine(day, time(0), UTC) + minutes * MINUTE,
    st.sampled_from(CHANGES),
    st.integers(-1_440, 2_880),
)


def shows_open(at: datetime, hours: object, zone: str, closed: frozenset[date]) -> bool:
    """Whether a clock on the wall shows an hour that is open."""
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for day in (wall.date() - DAY, wall.date()):
        if day in closed:
            continue
        for opens, closes in hours[day.weekday()]:  # type: ignore[index]
            end = datetime.combine(day if closes > opens else day + DAY, closes)
            if datetime.combine(day, opens) <= wall < end:
                return True
    return False


@settings(max_examples=50, deadline=None)
@given(weeks, st.sampled_from(ZONES), instants, st.integers(0, 2_000), st.sampled_from([None, 0, 1]))
def test_between_counts_the_minutes_in_which_a_wall_clock_shows_open(
    hours: object, zone: str, start: datetime, minutes: int, holiday: int | None
) -> None:
    closed = frozenset() if holiday is None else frozenset({start.date() + holiday * DAY})
    times = WeekHours(hours, zone, also=closed)  # type: ignore[arg-type]
    expected = sum(shows_open(start + n * MINUTE, hours, zone, closed) for n in range(minutes))
    assert times.between(start, start + minutes * MINUTE) == expected * MINUTE


@settings(max_examples=60, deadline=None)
@given(weeks, st.sampled_from(ZONES), instants, st.integers(1, 3 * 86_400_000_000))
def test_after_is_the_first_instant_by_which_so_much_was_worked(
    hours: object, zone: str, start: datetime, microseconds: int
) -> None:
    times = WeekHours(hours, zone)  # type: ignore[arg-type]
    worked = timedelta(microseconds=microseconds)
    end = times.after(start, worked)
    assert times.between(start, end) == worked
    assert times.between(start, end - timedelta(microseconds=1)) == worked - timedelta(microseconds=1)


@settings(max_examples=50, deadline=None)
@given(weeks, st.sampled_from(ZONES), instants, st.integers(0, 10_000), st.integers(0, 10_000))
def test_spans_add_up_and_never_shrink(
    hours: object, zone: str, start: datetime, one: int, other: int
) -> None:
    times = WeekHours(hours, zone)  # type: ignore[arg-type]
    middle, end = start + one * MINUTE, start + (one + other) * MINUTE
    whole = times.between(start, end)
    assert whole == times.between(start, middle) + times.between(middle, end)
    assert timedelta(0) <= times.between(start, middle) <= whole <= end - start
    assert times.between(end, start) == timedelta(0)


@settings(max_examples=50, deadline=None)
@given(weeks, st.sampled_from(ZONES), instants)
def test_next_open_is_open_and_nothing_was_worked_before_it(hours: object, zone: str, at: datetime) -> None:
    times = WeekHours(hours, zone)  # type: ignore[arg-type]
    opens = times.next_open(at)
    assert opens >= at
    assert times.between(at, opens) == timedelta(0)
    assert times.between(opens, opens + timedelta(microseconds=1)) == timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "night", "worked"),
    [
        ("Europe/Berlin", date(2026, 3, 28), 7),
        ("Europe/Berlin", date(2026, 10, 24), 9),
        ("America/New_York", date(2026, 3, 7), 7),
        ("America/New_York", date(2026, 10, 31), 9),
        ("Australia/Lord_Howe", date(2026, 10, 3), 7.5),
        ("Australia/Lord_Howe", date(2026, 4, 4), 8.5),
        ("Europe/Berlin", date(2026, 6, 10), 8),
    ],
)
def test_a_night_shift_lasts_as_long_as_it_lasts(zone: str, night: date, worked: float) -> None:
    times = WeekHours((((time(22), time(6)),),) * 7, zone)
    noon = datetime.combine(night, time(12), ZoneInfo(zone))
    assert times.between(noon, noon.astimezone(UTC) + timedelta(hours=22)) == timedelta(hours=worked)


def test_holidays_of_a_land_own_days_and_exceptions() -> None:
    berlin = {"country": "DE", "subdivision": "BE"}
    start, end = datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)
    easter = datetime(2026, 4, 3, tzinfo=UTC)
    plain = WeekHours(OFFICE, "Europe/Berlin", **berlin)  # type: ignore[arg-type]
    assert plain.between(easter, easter + 5 * DAY) == timedelta(hours=8)
    own = WeekHours(OFFICE, "Europe/Berlin", "DE", "BE", also=frozenset({date(2026, 3, 9)}))
    assert (plain.between(start, end), own.between(start, end)) == (timedelta(hours=8), timedelta(0))
    working = WeekHours(OFFICE, "Europe/Berlin", "DE", "BE", but_not=frozenset({date(2026, 4, 6)}))
    assert working.between(easter, easter + 5 * DAY) == timedelta(hours=16)


def test_time_that_ends_with_the_day_is_over_then_and_not_next_morning() -> None:
    times = WeekHours(OFFICE, "UTC")
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert times.after(monday, timedelta(hours=8)) == monday.replace(hour=17)
    assert times.after(monday, timedelta(hours=8, microseconds=1)) > monday + DAY
    friday = datetime(2026, 11, 27, 16, tzinfo=UTC)
    assert times.after(friday, timedelta(hours=2)) == datetime(2026, 11, 30, 10, tzinfo=UTC)


def test_years_far_apart_are_one_calendar() -> None:
    times = WeekHours(OFFICE, "UTC")
    late, early = datetime(2031, 1, 6, tzinfo=UTC), datetime(2020, 1, 6, tzinfo=UTC)
    assert times.between(late, late + 7 * DAY) == timedelta(hours=40)
    before = times.between(early, early + 7 * DAY)
    assert before == times.between(late, late + 7 * DAY)
    assert times.between(early, late) == timedelta(hours=8) * sum(
        (early + n * DAY).weekday() < 5 for n in range((late - early).days)
    )


def test_around_the_clock_is_plain_time() -> None:
    at = datetime(2026, 3, 29, tzinfo=UTC)
    assert ALWAYS.between(at, at + DAY) == DAY
    assert ALWAYS.after(at, DAY) == at + DAY
    assert ALWAYS.next_open(at) == at


def test_hours_in_no_known_zone_or_never_are_refused() -> None:
    with pytest.raises(ValueError, match="Mars/Olympus"):
        WeekHours(OFFICE, "Mars/Olympus")
    with pytest.raises(ValueError, match="no hours"):
        WeekHours(((),) * 7, "UTC")
