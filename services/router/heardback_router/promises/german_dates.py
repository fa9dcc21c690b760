"""When something said in German is due, seen from the moment it was said. Pure.

As in English: days end at 23:59, mornings at 12:00, afternoons at 18:00. A weekday is the next one after
today, also with "kommenden"; with "nächste Woche" it is that of the next week.
"""

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

_DAYS = ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag")
_MONTHS = (
    *("januar", "februar", "märz", "april", "mai", "juni"),
    *("juli", "august", "september", "oktober", "november", "dezember"),
)
_COUNTED = ("zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")
_NUMBERS = {word: float(number) for number, word in enumerate(_COUNTED, 2)} | {"vierzehn": 14.0}
_AMOUNT = rf"(?:\d{{1,3}}|(?:der )?halben|eine[rmns]?|den|der|des|{'|'.join(_NUMBERS)})"
_UNIT = r"(?:minuten?|min|stunden?|std|(?P<working>werk|arbeits)?tage?n?s?|wochen?|monat(?:en?|s)?)"
_UNITS = (("mi", "minute"), ("st", "hour"), ("w", "week"), ("mo", "month"))
_PARTS = "vormittag|nachmittag|mittag|abend|morgen"
_NEXT_WORD = r"(?:nächste|kommende)[rnms]?"

_SPAN = re.compile(
    r"\b(?:innerhalb|binnen|in|spätestens in)(?: (?:von|der|den|des|einer|eines))?"
    rf"(?: (?:nächsten?|kommenden?))?\s+(?:{_AMOUNT}\s*(?:-|–|bis|oder)\s*)?(?P<n>{_AMOUNT})\s*"
    rf"(?P<unit>(?<!werk){_UNIT})\b"
)
_ONE_SPAN = re.compile(
    r"\b(?:innerhalb|binnen) (?:einer|eines|de[rs] nächsten) (?P<unit>stunde|tages|woche|monats)\b"
)
_ISO = re.compile(r"\b(?P<y>20\d\d)-(?P<m>\d\d)-(?P<d>\d\d)\b")
_DOTTED = re.compile(r"(?<!\d)(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.(?:\s?(?P<y>20\d\d))?")
_DAY_MONTH = re.compile(rf"\b(?P<d>\d{{1,2}})\.\s*(?P<m>{'|'.join(_MONTHS)})\b(?:\s+(?P<y>20\d\d))?")
_END_OF = re.compile(
    rf"\bende (?:(?P<next>{_NEXT_WORD}) |(?:der|des|dieser|dieses) )?(?P<what>woche|monats?|jahre?s?)\b"
    r"|\b(?P<whole>wochenende|monatsende|jahresende)\b"
)
_WEEKDAY = re.compile(rf"\b(?P<day>{'|'.join(_DAYS)}|sonnabend)(?:{_PARTS})?\b(?P<next> {_NEXT_WORD} woche)?")
_LATER_WEEKDAY = re.compile(rf"\b{_NEXT_WORD} woche (?:am )?(?P<day>{'|'.join(_DAYS)})\b")
_NAMED = re.compile(
    r"\b(?P<day>übermorgen|morgen|heute|im laufe des (?:vormittags|nachmittags|tages)|feierabend)\b"
)
_NEXT = re.compile(rf"\b{_NEXT_WORD} (?P<what>woche|monats?)\b")
_PART = re.compile(rf"(?P<part>morgen früh|{_PARTS})s?\b")
_CLOCK = re.compile(
    r"\b(?:(?P<word>mitternacht)|(?P<h>\d{1,2})(?:[:.](?P<min>\d\d))?\s*uhr(?: (?P<more>\d\d)\b)?)"
)


def due_in_german(text: str, at: datetime) -> datetime | None:
    """When what `text` says is due; None where it does not say. `at` is when it was said, in the speaker's
    time zone, which is that of the answer."""
    said = text.lower()
    if (span := _SPAN.search(said)) and (amount := _amount(span["n"])):
        return _after(at, amount, span["unit"], working=bool(span["working"]))
    if span := _ONE_SPAN.search(said):
        return _after(at, 1, span["unit"], working=False)
    return due_at(_day(said, at), _clock(said), _end_of(said), at)


def _after(at: datetime, amount: float, unit: str, *, working: bool) -> datetime:
    name = next((full for start, full in _UNITS if unit.startswith(start)), "day")
    return after(at, amount, "day" if working else name, working=working)


def _amount(word: str) -> float:
    if word.isdigit():
        return float(word)
    return 0.5 if word.endswith("halben") else _NUMBERS.get(word, 1.0)


def _day(said: str, at: datetime) -> date | None:
    for pattern, read in _READERS:
        if (found := pattern.search(said)) and (day := read(found, at.date())):
            return day
    return None


def _iso(found: re.Match[str], today: date) -> date | None:
    return day_of(int(found["d"]), int(found["m"]), int(found["y"]), today)


def _dotted(found: re.Match[str], today: date) -> date | None:
    return day_of(int(found["d"]), int(found["m"]), int(found["y"]) if found["y"] else None, today)


def _in_month(found: re.Match[str], today: date) -> date | None:
    month = _MONTHS.index(found["m"]) + 1
    return day_of(int(found["d"]), month, int(found["y"]) if found["y"] else None, today)


def _end_of_span(found: re.Match[str], today: date) -> date:
    what, later = (found["what"] or found["whole"])[0], int(bool(found["next"]))
    if what == "w":
        # "Wochenende" is said of the days after the last one on which people work.
        return end_of_week(today, later)
    return end_of_month(today, later) if what == "m" else date(today.year + later, 12, 31)


def _weekday(found: re.Match[str], today: date) -> date:
    name = "samstag" if found["day"] == "sonnabend" else found["day"]
    return weekday(_DAYS.index(name), today, in_next_week=bool(found["next"]))


def _later_weekday(found: re.Match[str], today: date) -> date:
    return weekday(_DAYS.index(found["day"]), today, in_next_week=True)


def _named(found: re.Match[str], today: date) -> date:
    return today + timedelta(days={"übermorgen": 2, "morgen": 1}.get(found["day"], 0))


def _next(found: re.Match[str], today: date) -> date:
    return end_of_week(today, 1) if found["what"] == "woche" else end_of_month(today, 1)


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], date | None]], ...] = (
    (_ISO, _iso),
    (_DAY_MONTH, _in_month),
    (_DOTTED, _dotted),
    (_END_OF, _end_of_span),
    (_LATER_WEEKDAY, _later_weekday),
    (_WEEKDAY, _weekday),
    (_NAMED, _named),
    (_NEXT, _next),
)


def _clock(said: str) -> tuple[time, int] | None:
    """(time of day, days later): midnight is the end of the day that is meant."""
    for found in _CLOCK.finditer(said):
        if found["word"]:
            return time(0), 1
        hour, minute = int(found["h"]), int(found["min"] or found["more"] or 0)
        if hour < 24 and minute < 60:
            return time(hour, minute), 0
    return None


def _end_of(said: str) -> time:
    parts = {found["part"] for found in _PART.finditer(said)} - {"abend", "morgen"}
    if not parts:
        return END_OF_DAY
    return END_OF_AFTERNOON if "nachmittag" in parts else NOON
