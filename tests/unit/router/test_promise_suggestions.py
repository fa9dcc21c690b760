"""Promises are suggested from what we say: measured on sentences written before the patterns."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.promises.dates import due_in
from heardback_router.promises.german_dates import due_in_german
from heardback_router.promises.suggest import suggestions_in

SENTENCES = Path(__file__).parents[2] / "support"
WEDNESDAY = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)


def measured(name: str, language: str | None = None) -> dict[str, float]:
    """Precision and recall of suggestions, and the share of those found whose due time is right."""
    given_: dict[str, Any] = yaml.safe_load((SENTENCES / f"promises_{name}.yaml").read_text("utf-8"))
    at = datetime.fromisoformat(given_["at"])
    hits = wanted = suggested = dated = 0
    for turn in given_["turns"]:
        found = [one.due_at for one in suggestions_in(turn["text"], at, language)]
        hits += min(len(found), len(turn["promises"]))
        wanted += len(turn["promises"])
        suggested += len(found)
        dated += sum(
            due is None if said is None else due is not None and due.isoformat().startswith(said)
            for said, due in zip(turn["promises"], found, strict=False)
        )
    return {"precision": hits / suggested, "recall": hits / wanted, "dates": dated / hits}


def test_held_out_sentences_are_read_as_well_as_the_documentation_says() -> None:
    figures = {name: round(figure, 2) for name, figure in measured("held_out").items()}
    assert figures["precision"] >= 0.95
    assert figures["recall"] >= 0.85
    assert figures["dates"] >= 0.95
    says = (Path(__file__).parents[3] / "docs" / "backlog.md").read_text("utf-8")
    for name, figure in figures.items():
        assert f"{name} {figure:.2f}" in says


def test_german_is_read_as_well_as_the_documentation_says() -> None:
    seen, unseen = measured("held_out_de", "de"), measured("later_de", "de")
    assert min(seen.values()) >= 0.95
    assert unseen["precision"] >= 0.9
    assert unseen["recall"] >= 0.7
    says = (Path(__file__).parents[3] / "docs" / "backlog.md").read_text("utf-8")
    told = ", ".join(f"{name} {figure:.2f}" for name, figure in unseen.items())
    assert told in " ".join(says.split())


@pytest.mark.parametrize(
    ("name", "language"), [("held_out", "de"), ("tuned", "de"), ("held_out_de", "en"), ("tuned_de", "en")]
)
def test_neither_language_finds_anything_in_the_other(name: str, language: str) -> None:
    texts = yaml.safe_load((SENTENCES / f"promises_{name}.yaml").read_text("utf-8"))["turns"]
    assert [t["text"] for t in texts if list(suggestions_in(t["text"], WEDNESDAY, language))] == []


def test_a_text_of_no_known_language_is_read_in_every_one_and_others_in_none() -> None:
    both = "We will refund you by Friday. Wir melden uns morgen bei Ihnen."
    assert [one.what for one in suggestions_in(both, WEDNESDAY)] == [
        "We will refund you by Friday.",
        "Wir melden uns morgen bei Ihnen.",
    ]
    assert [one.what[:3] for one in suggestions_in(both, WEDNESDAY, "de-AT")] == ["Wir"]
    assert list(suggestions_in(both, WEDNESDAY, "fr")) == []


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("bis Freitag", "2026-11-20T23:59"),
        ("am Mittwoch", "2026-11-25T23:59"),
        ("nächste Woche Montag", "2026-11-23T23:59"),
        ("am Montag um 9:15 Uhr", "2026-11-23T09:15"),
        ("am Freitagnachmittag", "2026-11-20T18:00"),
        ("morgen früh", "2026-11-19T12:00"),
        ("bis 9 Uhr", "2026-11-19T09:00"),
        ("bis Mitternacht", "2026-11-19T00:00"),
        ("innerhalb von 24 Stunden", "2026-11-19T14:30"),
        ("in einer halben Stunde", "2026-11-18T15:00"),
        ("binnen einer Woche", "2026-11-25T23:59"),
        ("in 3 bis 5 Werktagen", "2026-11-25T23:59"),
        ("bis Ende des Monats", "2026-11-30T23:59"),
        ("Ende nächsten Monats", "2026-12-31T23:59"),
        ("bis Jahresende", "2026-12-31T23:59"),
        ("am 3. Januar", "2027-01-03T23:59"),
        ("am 3.1.", "2027-01-03T23:59"),
        ("am 24.11.2026", "2026-11-24T23:59"),
        ("am 2026-11-24", "2026-11-24T23:59"),
        ("am 30.2.", None),
        ("um 25 Uhr", None),
        ("so bald wie möglich", None),
    ],
)
def test_german_due_times_seen_from_a_wednesday_afternoon(text: str, due: str | None) -> None:
    found = due_in_german(f"wir senden es {text}", WEDNESDAY)
    assert (found.isoformat()[:16] if found else None) == due


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("by Friday", "2026-11-20T23:59"),
        ("on Wednesday", "2026-11-25T23:59"),
        ("next Monday", "2026-11-23T23:59"),
        ("by Monday at 9:15", "2026-11-23T09:15"),
        ("tomorrow at 10 am", "2026-11-19T10:00"),
        ("tomorrow afternoon", "2026-11-19T18:00"),
        ("by 5 pm", "2026-11-18T17:00"),
        ("at 9:00", "2026-11-19T09:00"),
        ("by noon", "2026-11-19T12:00"),
        ("by midnight", "2026-11-19T00:00"),
        ("within 24 hours", "2026-11-19T14:30"),
        ("in half an hour", "2026-11-18T15:00"),
        ("within 3 to 5 working days", "2026-11-25T23:59"),
        ("by the end of the month", "2026-11-30T23:59"),
        ("3 January", "2027-01-03T23:59"),
        ("on 30 February", None),
        ("as soon as possible", None),
        ("on 3/4", None),
        ("in 20 minutes", "2026-11-18T14:50"),
        ("by the end of next month", "2026-12-31T23:59"),
    ],
)
def test_due_times_seen_from_a_wednesday_afternoon(text: str, due: str | None) -> None:
    found = due_in(f"we will send it {text}", WEDNESDAY)
    assert (found.isoformat()[:16] if found else None) == due


@given(st.text(max_size=300), st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_any_text_at_any_time_is_read_and_nothing_is_due_before_it_was_said(text: str, at: datetime) -> None:
    said = at.replace(tzinfo=UTC)
    for one in suggestions_in(text, said):
        assert 0 <= one.span[0] < one.span[1] <= len(text)
    for words in (
        "in 2 Stunden",
        "morgen",
        "bis Freitag",
        "nächste Woche",
        "bis Ende des Monats",
        "um 9 Uhr",
    ):
        due = due_in_german(words, said)
        assert due is not None
        assert due >= said - timedelta(minutes=1) or due.date() == said.date()
    for words in (
        "within 2 hours",
        "tomorrow",
        "by Friday",
        "next week",
        "by the end of the month",
        "at 9:00",
    ):
        due = due_in(words, said)
        assert due is not None
        assert due >= said - timedelta(minutes=1) or due.date() == said.date()


@pytest.mark.parametrize(
    "part",
    [
        "I will ",
        "the a a a ",
        "we will have someone ",
        "it will also ",
        "let me ",
        "ich werde ",
        "ist da ",
        "wir rufen sie ",
    ],
)
def test_a_long_text_takes_no_longer_than_its_length(part: str) -> None:
    started = time.thread_time()
    list(suggestions_in(part * 4_000, WEDNESDAY))
    assert time.thread_time() - started < 5
