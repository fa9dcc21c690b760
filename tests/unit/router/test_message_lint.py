"""What is found in a text before a customer reads it, by language."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.configuration.source import packaged
from heardback_router.messages.checking import found_in
from heardback_router.messages.domain import Result
from heardback_router.messages.grades import grade_of, grade_of_german, syllables_in
from heardback_router.messages.lint import LintRules, lint
from heardback_router.messages.policy import read_messages

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
POLICY = read_messages(packaged("messages.yaml"))
LANGUAGES = POLICY.languages
RULES = LintRules(
    "en", "flesch_kincaid", highest_grade=8, blame=("your fault",), internal=("SLA",), acronyms=("HTTP",)
)


def rules_of(text: str, language: str = "en", *results: Result) -> set[str]:
    return {found.rule for found in lint(text, LANGUAGES[language].lint, AT, frozenset(results))}


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


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("We have corrected your invoice and are sorry.", set()),
        ("Dear {name}, it is solved.", {"unfilled_field"}),
        ("Dear [FIRST NAME], it is solved.", {"unfilled_field"}),
        ("Dear <customer name>, it is solved.", {"unfilled_field"}),
        ("It costs ____ euros.", {"unfilled_field"}),
        ("TODO say what we did.", {"unfilled_field"}),
        ("It was Your Fault.", {"blame"}),
        ("It was your default setting.", set()),
        ("Within our SLA we answered.", {"internal_word"}),
        ("We are SORRY.", {"shouting"}),
        ("We are sorry!!", {"shouting"}),
        ("The HTTP page works again. It is 3 < 5 and 7 > 2.", set()),
    ],
)
def test_what_a_look_at_a_text_finds(text: str, rules: set[str]) -> None:
    assert {finding.rule for finding in lint(text, RULES, AT)} == rules


def test_only_an_unfilled_field_refuses_a_text() -> None:
    found = lint("It is YOUR FAULT!! {name}, our SLA was met", RULES, AT)
    assert {f.rule for f in found if f.refuses} == {"unfilled_field"}
    assert len(found) == 4


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("cat", 1),
        ("table", 2),
        ("invoice", 2),
        ("delivery", 4),
        ("charged", 1),
        ("wanted", 2),
        ("the", 1),
        ("see", 1),
    ],
)
def test_syllables(word: str, syllables: int) -> None:
    assert syllables_in(word) == syllables


def test_the_reading_grade_follows_its_formula() -> None:
    # 6 words, 1 sentence, 6 syllables: 0.39 · 6 + 11.8 · 1 − 15.59
    assert grade_of("The cat sat on the mat.") == pytest.approx(-1.45)
    # 3 words, 1 sentence, 1 + 2 + 4 syllables.
    assert grade_of("Your table delivery.") == pytest.approx(0.39 * 3 + 11.8 * 7 / 3 - 15.59)


def test_a_hard_text_is_told_and_a_short_one_is_not_graded() -> None:
    hard = (
        "Notwithstanding the aforementioned considerations regarding contractual obligations, reimbursement "
        "of administrative expenditure necessitates fully comprehensive documentation."
    )
    assert {f.rule for f in lint(hard, RULES, AT)} == {"reading_level"}
    assert lint("Administrative reimbursement necessitates documentation.", RULES, AT) == ()


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_longer_sentence_of_the_same_words_is_never_easier(first: str, second: str) -> None:
    apart, together = f"cat dog {first}. sun {second}.", f"cat dog {first} sun {second}."
    plain = all((c.isalpha() and c.isascii()) or c == " " for c in first + second)
    if plain:
        assert grade_of(together) >= grade_of(apart)


@pytest.mark.parametrize(
    ("text", "language", "rules"),
    [
        ("Wir haben den Preis auf Ihrer Rechnung berichtigt, und das Geld ist da.", "en", {"other_language"}),
        ("We have put your bill right and the money is there.", "de", {"other_language"}),
        ("Danke, OK.", "en", set()),
        ("Nous avons corrigé la facture. Nous vous remercions.", "fr", {"unread_language"}),
        ("Dear {name}, c'est fait.", "fr", {"unread_language", "unfilled_field"}),
        ("Wir haben das Geld überwiesen.", "de", set()),
        ("Wir haben das Geld überwiesen, und es ist da.", None, {"other_language"}),
    ],
)
def test_a_text_is_looked_at_in_its_own_language(text: str, language: str | None, rules: set[str]) -> None:
    found = list(found_in([("/text", language, text)], POLICY, AT))
    assert {one.finding.rule for one in found} == rules
    assert {one.pointer for one in found} <= {"/text"}


def test_a_promise_in_a_language_without_a_reader_is_known_by_phrases_of_the_policy() -> None:
    rules = LintRules("fr", promises=("nous allons",))
    assert [f.rule for f in lint("Nous allons payer.", rules, AT)] == ["promise_without_date"]
    assert lint("Nous allons payer le 30 novembre.", rules, AT) == ()


@given(st.text(max_size=200), st.sampled_from(["en", "de"]))
def test_any_text_can_be_looked_at(text: str, language: str) -> None:
    assert lint(text, LANGUAGES[language].lint, AT) == lint(text, LANGUAGES[language].lint, AT)
