"""When something said in English is due, seen from the moment it was said. Pure.

Days end at 23:59 of the speaker's clock, mornings at 12:00, afternoons at 18:00. A weekday is the next one
after today; "next Tuesday" is that of the next week; working days are Monday to Friday. What cannot be told
for certain, such as "soon" or "3/4", is not due at any time.
"""

import calendar
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from heardback_router.promises.days import (
    END_OF_AFTERNOON,
    END_OF_DAY,
    NOON,
    after,
    day_of,
    due_at,
    end_of_month,
    end_of_week,
    weekday,
)

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
_UNITS = (("month", "month"), ("m", "minute"), ("h", "hour"), ("d", "day"), ("w", "week"))
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
    return due_at(_day(said, at), _clock(said), _end_of(said), at)


def _after(at: datetime, span: re.Match[str]) -> datetime:
    word, unit = span["n"], span["unit"]
    amount = float(word) if word.isdigit() else float(_NUMBERS[word])
    name = next(full for start, full in _UNITS if unit.startswith(start))
    return after(at, amount, name, working=bool(span["working"]))


def _day(said: str, at: datetime) -> date | None:
    for pattern, read in _READERS:
        if (found := pattern.search(said)) and (day := read(found, at.date())):
            return day
    return None


def _named(found: re.Match[str], today: date) -> date:
    day = found["day"]
    return today + timedelta(days=2 if day.endswith("after tomorrow") else int(day == "tomorrow"))


def _weekday(found: re.Match[str], today: date) -> date:
    return weekday(_DAYS.index(found["day"]), today, in_next_week=bool(found["next"]))


def _end_of_span(found: re.Match[str], today: date) -> date:
    what, later = found["what"][0], int(bool(found["next"]))
    if what == "w":
        return end_of_week(today, later)
    if what == "m":
        return end_of_month(today, later)
    return date(today.year + later, 12, 31) if what == "y" else today


def _next(found: re.Match[str], today: date) -> date:
    return end_of_week(today, 1) if found["what"] == "week" else end_of_month(today, 1)


def _iso(found: re.Match[str], today: date) -> date | None:
    return day_of(int(found["d"]), int(found["m"]), int(found["y"]), today)


def _in_month(found: re.Match[str], today: date) -> date | None:
    month = next(n for n, name in enumerate(_MONTHS) if n and name.startswith(found["m"][:3]))
    return day_of(int(found["d"]), month, int(found["y"]) if found["y"] else None, today)


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
    return END_OF_AFTERNOON if part["part"] == "afternoon" else NOON
