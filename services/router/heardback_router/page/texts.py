"""The languages the page speaks, and which of them it speaks to whom. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from heardback_router.page import words_de, words_en

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

CONSENT_VERSION = "page-1"
"""To be raised with any change to an `agree_…` text: the ledger names it."""

TEXTS: Mapping[Language, Mapping[str, str]] = {"en": words_en.WORDS, "de": words_de.WORDS}

_MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "de": (
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ),
}


def day_in_words(day: date, language: Language) -> str:
    """`22 November 2026`, `22. November 2026`."""
    dot = "." if language == "de" else ""
    return f"{day.day}{dot} {_MONTHS[language][day.month - 1]} {day.year}"


def moment_in_words(at: datetime, zone: str, language: Language) -> str:
    local = at.astimezone(ZoneInfo(zone))
    clock = f"{local:%H:%M}" + (" Uhr" if language == "de" else "")
    return f"{day_in_words(local.date(), language)}, {clock}"


def spoken(wanted: str | None, accepted: str | None) -> Language:
    """The language the customer is written to in, else the first of the browser's that the page speaks."""
    names = [wanted or "", *_ranked(accepted or "")]
    for name in names:
        short = name.split("-")[0].lower()
        if short in LANGUAGES:
            return "de" if short == "de" else "en"
    return "en"


def _ranked(accepted: str) -> list[str]:
    """Names of an Accept-Language header (RFC 9110, 12.5.4), most wanted first; the unreadable left out."""
    found: list[tuple[float, int, str]] = []
    for place, part in enumerate(accepted[:500].split(",")):
        name, _, weight = part.partition(";")
        try:
            quality = float(weight.partition("=")[2]) if weight.strip() else 1.0
        except ValueError:
            continue
        if quality > 0 and name.strip():
            found.append((-quality, place, name.strip()))
    return [name for _, _, name in sorted(found)]
