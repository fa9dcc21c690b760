"""Days that people name, in whatever language. Pure."""

import calendar
from datetime import date, datetime, time, timedelta

END_OF_DAY = time(23, 59)
NOON = time(12)
END_OF_AFTERNOON = time(18)


def working_day(day: date, number: int) -> date:
    """The `number`th from Monday to Friday after `day`."""
    while number > 0:
        day += timedelta(days=1)
        number -= day.weekday() < 5
    return day


def weekday(wanted: int, today: date, *, in_next_week: bool = False) -> date:
    """The next one after today, or that of the next week; Monday is 0."""
    if in_next_week:
        return today - timedelta(days=today.weekday()) + timedelta(days=7 + wanted)
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def end_of_week(today: date, later: int = 0) -> date:
    """Its Friday."""
    return today - timedelta(days=today.weekday()) + timedelta(days=4 + 7 * later)


def end_of_month(today: date, later: int = 0) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 + later, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def day_of(day: int, month: int, year: int | None, today: date) -> date | None:
    """None where there is no such day. Without a year it is the next such day: in November, "3 January" is
    that of the next year."""
    try:
        found = date(year or today.year, month, day)
        return found if year or found >= today else date(today.year + 1, month, day)
    except ValueError:
        return None


def due_at(day: date | None, clock: tuple[time, int] | None, ends: time, at: datetime) -> datetime | None:
    """`clock` is (time of day, days later), without which the day is over at `ends`. A time of day without a
    day is the next such time. None where neither is known."""
    if clock is not None:
        hour, day_later = clock
        due = datetime.combine((day or at.date()) + timedelta(days=day_later), hour, at.tzinfo)
        return due if day is not None or due > at else due + timedelta(days=1)
    return None if day is None else datetime.combine(day, ends, at.tzinfo)


def after(at: datetime, amount: float, unit: str, *, working: bool = False) -> datetime:
    """`unit` is minute, hour, day, week or month; from days on, the day's end."""
    if unit in ("minute", "hour"):
        return at + timedelta(**{f"{unit}s": amount})
    if working:
        return datetime.combine(working_day(at.date(), int(amount)), END_OF_DAY, at.tzinfo)
    days = {"day": 1, "week": 7, "month": 30}[unit]
    return datetime.combine((at + timedelta(days=amount * days)).date(), END_OF_DAY, at.tzinfo)
