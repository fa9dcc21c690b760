"""Forms, words, codes and the look of the page, without a server."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.page.domain import (
    WRONG_AT_MOST,
    Code,
    Matter,
    Said,
    gathered,
    judge_code,
    masked,
)
from heardback_router.page.forms import CHANNELS, FormError, read_form, wishes_of
from heardback_router.page.rendering import Pages
from heardback_router.page.texts import LANGUAGES, TEXTS, day_in_words, moment_in_words, spoken

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_every_language_has_every_word_and_the_same_places_in_it() -> None:
    english = TEXTS["en"]
    for language in LANGUAGES:
        assert TEXTS[language].keys() == english.keys()
        for word, said in TEXTS[language].items():
            assert said.strip()
            assert re.findall(r"{\w+}", said) == re.findall(r"{\w+}", english[word])


@given(st.binary(max_size=400))
def test_any_bytes_are_a_form_or_refused_with_a_word_of_the_page(body: bytes) -> None:
    form = read_form(body)
    word = None
    try:
        wishes = dict(wishes_of(form))
    except FormError as error:
        word = error.word
    if word is None:
        assert set(wishes) == {"channels", "language", "time_zone", "quiet_hours", "digest"}
    else:
        assert f"error_{word}" in TEXTS["en"]


@given(st.permutations(CHANNELS), st.integers(0, 4))
def test_channels_keep_their_order(order: list[str], count: int) -> None:
    chosen = "&".join(f"channel_{n}={name}" for n, name in enumerate(order[:count], 1))
    wishes = dict(wishes_of(read_form(f"{chosen}&digest=none".encode())))
    assert wishes["channels"] == (order[:count] or None)


@pytest.mark.parametrize(
    ("wrong", "used", "age", "fits", "judged"),
    [
        (0, False, 0, True, "right"),
        (0, False, 0, False, "wrong"),
        (WRONG_AT_MOST - 1, False, 899, True, "right"),
        (WRONG_AT_MOST, False, 0, True, "locked"),
        (0, False, 900, True, "expired"),
        (0, True, 0, True, "used"),
        (WRONG_AT_MOST, True, 2_000, False, "used"),
        (WRONG_AT_MOST, False, 900, True, "expired"),
    ],
)
def test_what_a_code_is_good_for(wrong: int, used: bool, age: int, fits: bool, judged: str) -> None:
    kept = Code("pc", "c", "erase", b"", wrong, AT + timedelta(minutes=15), AT if used else None)
    assert judge_code(kept, fits, AT + timedelta(seconds=age)) == judged


def test_feedback_about_one_thing_stands_together_at_its_newest() -> None:
    said = [Said(f"fb{n}", "survey", "s", None, AT - timedelta(days=n)) for n in range(4)]
    of = ["lp_1", "lp_2", "lp_1", None]
    found = gathered(Matter((s,), f"it_{n}", loop) for n, (s, loop) in enumerate(zip(said, of, strict=True)))
    assert [[s.feedback_id for s in m.said] for m in found] == [["fb0", "fb2"], ["fb1"], ["fb3"]]


def test_dates_are_said_as_each_language_says_them() -> None:
    assert day_in_words(date(2026, 3, 1), "en") == "1 March 2026"
    assert day_in_words(date(2026, 3, 1), "de") == "1. März 2026"
    assert moment_in_words(AT, "Europe/Berlin", "de") == "22. November 2026, 13:00 Uhr"


@given(st.text(max_size=60), st.text(max_size=60))
def test_some_language_is_always_spoken(wanted: str, accepted: str) -> None:
    assert spoken(wanted, accepted) in LANGUAGES


def test_an_address_is_recognised_by_its_owner_only() -> None:
    assert masked("ada.byron@example.com") == "a…@example.com"


def test_text_stands_out_from_what_is_behind_it() -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 for text; 1.4.11: 3 to 1 for edges of fields and focus."""
    style = Pages().page("plain.html", "en", "UTC", word="gone")
    texts: list[float] = []
    edges: list[float] = []
    for rule in re.findall(r"([^{}]+){([^}]*)}", style[style.index("<style>") : style.index("</style>")]):
        colours: dict[str, str] = dict(
            re.findall(r"(?:^|;)(color|background|outline|border):[^;]*?(#[0-9a-f]{3,6})", rule[1])
        )
        if "color" in colours:
            texts.append(contrast(colours["color"], colours.get("background", "#ffffff")))
            texts.append(contrast(colours["color"], colours.get("background", "#f4f5f7")))
        if "outline" in colours or "input" in rule[0]:
            edges.append(contrast(colours.get("outline") or colours["border"], "#ffffff"))
    assert len(texts) >= 10
    assert len(edges) == 2
    assert min(texts) >= 4.5
    assert min(edges) >= 3


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
