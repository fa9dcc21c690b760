"""When something said in English is due, seen from the moment it was said. Pure.

Days end at 23:59 of the speaker's clock, mornings at 12:00, afternoons at 18:00. A weekday is the next one
after today; "next Tuesday" is that of the next week; working days are Monday to Friday. What cannot be told
for certain, such as "soon" or "3/4", is not due at any time.
"""

import calendar
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

END_OF_DAY = time(23, 59)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = tuple(name.lower() for name in calendar.month_name)
_COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: float(number) for number, word in enumerate(_COUNTED, 1)} | {
    "a": 1.0,
    "an": 1.0,
    "the": 1.0,
    "a couple of": 2.0,
    "couple of": 2.0,
    "half an": 0.5,
    "half a": 0.5,
    "half": 0.5,
}
_AMOUNT = rf"(?:\d{{1,3}}|half an?|half|an?|the|(?:a )?couple of|{'|'.join(_COUNTED)})"
_UNIT = r"(?:minutes?|mins?|hours?|hrs?|days?|weeks?|months?)"
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*"

_SPAN = re.compile(
    rf"\b(?:within|in|inside|no later than)(?: the)?(?: next| coming)?\s+"
    rf"(?:{_AMOUNT}\s*(?:-|–|to|or)\s*)?(?P<n>{_AMOUNT})\s*"
    rf"(?P<working>business |working |work)?(?P<unit>{_UNIT})\b"
)
_ISO = re.compile(r"\b(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)\b")
_DAY_MONTH = re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m>{_MONTH})\b(?:,? (?P<y>20\d\d))?")
_MONTH_DAY = re.compile(rf"\b(?P<m>{_MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<y>20\d\d))?")
_WEEKDAY = re.compile(rf"\b(?P<next>next )?(?P<day>{'|'.join(_DAYS)})\b")
_END_OF = re.compile(
    r"\b(?:end of(?: the| this)?|eo)\s*(?P<next>next )?(?P<what>day|d|week|w|month|m|year)\b"
)
_NEXT = re.compile(r"\bnext (?P<what>week|month)\b")
_NAMED = re.compile(
    r"\b(?P<day>(?:the )?day after tomorrow|tomorrow|later today|today|tonight"
    r"|this (?:morning|afternoon|evening))\b"
)
_PART = re.compile(r"\b(?P<part>morning|afternoon|lunchtime)\b")
_CLOCK = re.compile(
    r"\b(?:at|by|before|until|till|from|around)\s+(?:(?P<word>noon|midnight)"
    r"|(?P<h>\d{1,2})(?::(?P<min>\d\d))?\s*(?P<half>[ap]\.?m\b\.?)?(?P<oclock> o'clock)?)(?![\d/-])"
)


def due_in(text: str, at: datetime) -> datetime | None:
    """When what `text` says is due; None where it does not say. `at` is when it was said, in the speaker's
    time zone, which is that of the answer."""
    said = text.lower()
    if span := _SPAN.search(said):
        return _after(at, span)
    day = _day(said, at)
    clock = _clock(said)
    if day is None and clock is None:
        return None
    if clock is not None:
        hour, day_later = clock
        due = datetime.combine((day or at.date()) + timedelta(days=day_later), hour, at.tzinfo)
        return due if day is not None or due > at else due + timedelta(days=1)
    return datetime.combine(day or at.date(), _end_of(said), at.tzinfo)


def _after(at: datetime, span: re.Match[str]) -> datetime:
    word = span["n"]
    amount = float(word) if word.isdigit() else float(_NUMBERS[word])
    unit = span["unit"]
    if unit.startswith("m") and not unit.startswith("month"):
        return at + timedelta(minutes=amount)
    if unit.startswith("h"):
        return at + timedelta(hours=amount)
    if span["working"]:
        return datetime.combine(_working_day(at.date(), int(amount)), END_OF_DAY, at.tzinfo)
    days = {"d": 1, "w": 7, "m": 30}[unit[0]]
    return datetime.combine((at + timedelta(days=amount * days)).date(), END_OF_DAY, at.tzinfo)


def _working_day(day: date, number: int) -> date:
    while number > 0:
        day += timedelta(days=1)
        number -= day.weekday() < 5
    return day


def _day(said: str, at: datetime) -> date | None:
    for pattern, read in _READERS:
        if (found := pattern.search(said)) and (day := read(found, at.date())):
            return day
    return None


def _named(found: re.Match[str], today: date) -> date:
    day = found["day"]
    return today + timedelta(days=2 if day.endswith("after tomorrow") else int(day == "tomorrow"))


def _weekday(found: re.Match[str], today: date) -> date:
    wanted = _DAYS.index(found["day"])
    if found["next"]:
        return today - timedelta(days=today.weekday()) + timedelta(days=7 + wanted)
    return today + timedelta(days=(wanted - today.weekday() - 1) % 7 + 1)


def _end_of_span(found: re.Match[str], today: date) -> date:
    what, further = found["what"][0], bool(found["next"])
    if what == "w":
        return today - timedelta(days=today.weekday()) + timedelta(days=11 if further else 4)
    if what == "m":
        return _last_of_month(today, 1 if further else 0)
    if what == "y":
        return date(today.year + further, 12, 31)
    return today


def _next(found: re.Match[str], today: date) -> date:
    if found["what"] == "week":
        return today - timedelta(days=today.weekday()) + timedelta(days=11)
    return _last_of_month(today, 1)


def _last_of_month(today: date, later: int) -> date:
    year, month = divmod(today.year * 12 + today.month - 1 + later, 12)
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])


def _iso(found: re.Match[str], _: date) -> date | None:
    return _valid(int(found["y"]), int(found["m"]), int(found["d"]))


def _in_month(found: re.Match[str], today: date) -> date | None:
    month = next(n for n, name in enumerate(_MONTHS) if n and name.startswith(found["m"][:3]))
    if found["y"]:
        return _valid(int(found["y"]), month, int(found["d"]))
    day = _valid(today.year, month, int(found["d"]))
    # In November, "3 January" is that of the next year.
    return _valid(today.year + 1, month, int(found["d"])) if day is not None and day < today else day


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]], ...] = (
    (_ISO, _iso),
    (_DAY_MONTH, _in_month),
    (_MONTH_DAY, _in_month),
    (_END_OF, _end_of_span),
    (_WEEKDAY, _weekday),
    (_NAMED, _named),
    (_NEXT, _next),
)


def _clock(said: str) -> tuple[time, int] | None:
    """(time of day, days later): midnight is the end of the day that is meant."""
    for found in _CLOCK.finditer(said):
        if found["word"]:
            return (time(12), 0) if found["word"] == "noon" else (time(0), 1)
        if not (found["min"] or found["half"] or found["oclock"] or found[0].startswith("at ")):
            continue
        hour, minute = int(found["h"]), int(found["min"] or 0)
        if found["half"]:
            hour = hour % 12 + (12 if found["half"].startswith("p") else 0)
        if hour < 24 and minute < 60:
            return time(hour, minute), 0
    return None


def _end_of(said: str) -> time:
    part = _PART.search(said)
    if part is None:
        return END_OF_DAY
    return time(18) if part["part"] == "afternoon" else time(12)
