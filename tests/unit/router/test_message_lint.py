"""What is found in a text before a customer reads it, by language."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.configuration.source import packaged
from heardback_router.messages.domain import Result
from heardback_router.messages.lint import grade_of_german, look
from heardback_router.messages.policy import read_messages

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
LANGUAGES = read_messages(packaged("messages.yaml")).languages


def rules_of(text: str, language: str = "en", *results: Result) -> set[str]:
    return {found.rule for found in look(text, LANGUAGES[language].lint, AT, frozenset(results))}


@pytest.mark.parametrize(
    ("text", "language", "rule"),
    [
        ("Dear [NAME], the bill is right now.", "en", "unfilled_field"),
        ("You should have read the terms.", "en", "blame"),
        ("Das war Ihr Fehler.", "de", "blame"),
        ("This is a P1 in our backlog.", "en", "internal_word"),
        ("We will refund you the money.", "en", "promise_without_date"),
        ("Wir werden Ihnen das Geld überweisen.", "de", "promise_without_date"),
        ("PLEASE READ THIS!!", "en", "shouting"),
    ],
)
def test_each_rule_finds_its_case(text: str, language: str, rule: str) -> None:
    assert rule in rules_of(text, language)


def test_a_promise_with_its_date_is_none_to_worry_about() -> None:
    assert "promise_without_date" not in rules_of("We will refund you by Friday.")
    assert "promise_without_date" not in rules_of("Wir werden es bis 30. November überweisen.", "de")


@pytest.mark.parametrize(("text", "language"), [("We fixed it.", "en"), ("Das ist behoben.", "de")])
def test_what_is_not_wholly_solved_is_not_called_so(text: str, language: str) -> None:
    assert "overclaim" not in rules_of(text, language, "done")
    assert "overclaim" in rules_of(text, language, "partial")
    assert "overclaim" in rules_of(text, language, "declined", "done")


def test_german_is_graded_as_german() -> None:
    easy = "Wir haben den Preis nun richtig. Sie haben das Geld auf dem Konto. Das war ein Fehler von uns."
    hard = (
        "Hinsichtlich der vertragsrechtlichen Ausgestaltung Ihrer Geschäftsbeziehung bedauern wir "
        "ausdrücklich die unverhältnismäßigen Verzögerungen innerhalb der Abrechnungsverarbeitung."
    )
    assert grade_of_german(easy) < 6
    assert grade_of_german(hard) > 14
    assert "reading_level" in rules_of(hard, "de")
    assert "reading_level" not in rules_of(easy, "de")


def test_the_german_grade_is_that_of_its_formula() -> None:
    """Five words in one sentence: one of three syllables and six letters, four of one syllable."""
    assert grade_of_german("Das ist ein Banane Haus.") == pytest.approx(
        0.1935 * 20 + 0.1672 * 5 + 0.1297 * 0 - 0.0327 * 80 - 0.875
    )


@given(st.text(max_size=200), st.sampled_from(["en", "de"]))
def test_any_text_can_be_looked_at(text: str, language: str) -> None:
    assert look(text, LANGUAGES[language].lint, AT) == look(text, LANGUAGES[language].lint, AT)
