"""Resolution forms, templates, and what is found in texts for customers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.configuration.source import packaged
from heardback_router.forms.domain import FormError, checked, filled
from heardback_router.forms.lint import LintRules, grade_of, lint, syllables_in
from heardback_router.forms.policy import read_forms
from heardback_shared.policies.reading import PolicyError

PACKAGED = read_forms(packaged("forms.yaml"))
STRICT = read_forms("""
policy: strict@1
forms:
  - domain: operations
    fields:
      - {name: remedy, title: What they got, kind: choice, choices: [refund, none], required: true}
      - {name: amount, title: How much, kind: number, smallest: 0, largest: 100}
      - {name: told, title: Was the warehouse told, kind: yes_no, required: true}
      - {name: note, title: A note, kind: text, longest: 5}
""")
RULES = LintRules(blame=("your fault",), internal=("SLA",), acronyms=("HTTP",), highest_grade=8)


def faults(given_: dict[str, Any], domain: str | None = "operations") -> set[str]:
    with pytest.raises(FormError) as raised:
        checked(STRICT, domain, given_)
    return {pointer for pointer, _ in raised.value.faults}


def test_every_fault_of_a_form_is_named() -> None:
    assert faults({}) == {"/form/remedy", "/form/told"}
    wrong = {"remedy": "gold", "told": "yes", "amount": 101, "note": "too long", "more": 1}
    assert faults(wrong) == {"/form/remedy", "/form/told", "/form/amount", "/form/note", "/form/more"}
    assert faults({"remedy": "refund", "told": True, "amount": True}) == {"/form/amount"}


def test_a_filled_form_comes_back_in_the_order_of_its_fields_without_what_is_empty() -> None:
    form = checked(STRICT, "operations", {"told": False, "note": "", "remedy": "none", "amount": 0})
    assert list(form.items()) == [("remedy", "none"), ("amount", 0), ("told", False)]


def test_a_domain_without_a_form_takes_that_of_any_other_or_none() -> None:
    assert faults({"x": 1}, "product") == {"/form/x"}
    assert checked(PACKAGED, None, {"note": "hm"}) == {"note": "hm"}
    assert checked(PACKAGED, "other", {"note": "hm"}) == {"note": "hm"}


def test_every_packaged_template_once_filled_passes_its_own_lint() -> None:
    for template in PACKAGED.templates:
        text = filled(template, dict.fromkeys(template.fields, "next week"))
        assert lint(text, PACKAGED.lint) == (), template.name
        assert any(f.rule == "unfilled_field" for f in lint(template.text, PACKAGED.lint))


def test_a_template_is_filled_whole_or_not_at_all() -> None:
    template = PACKAGED.templates[0]
    with pytest.raises(FormError) as raised:
        filled(template, {**dict.fromkeys(template.fields, "x"), "name": " ", "colour": "red"})
    assert {p for p, _ in raised.value.faults} == {"/fields/name", "/fields/colour"}


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
    assert {finding.rule for finding in lint(text, RULES)} == rules


def test_only_an_unfilled_field_refuses_a_text() -> None:
    found = lint("It is YOUR FAULT!! {name}, our SLA was met", RULES)
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
    assert {f.rule for f in lint(hard, RULES)} == {"reading_level"}
    assert lint("Administrative reimbursement necessitates documentation.", RULES) == ()


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_longer_sentence_of_the_same_words_is_never_easier(first: str, second: str) -> None:
    apart, together = f"cat dog {first}. sun {second}.", f"cat dog {first} sun {second}."
    plain = all((c.isalpha() and c.isascii()) or c == " " for c in first + second)
    if plain:
        assert grade_of(together) >= grade_of(apart)


@given(st.text(max_size=500))
def test_any_text_can_be_looked_at(text: str) -> None:
    lint(text, PACKAGED.lint)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("policy: p@1\nforms: [{domain: a, fields: [{name: x, title: X, kind: choice}]}]", "choices"),
        ("policy: p@1\nforms: [{domain: a, fields: []}, {domain: a, fields: []}]", "form a is there twice"),
        ("policy: p@1\ntemplates: [{name: t, title: T, when: w, text: 'Hi {x}'}]", "{x} is none of its"),
        ("policy: p@1\ntemplates: [{name: t, title: T, when: w, text: Hi, fields: {x: y}}]", "used nowhere"),
        ("policy: p@1\ntemplates: [{name: t, title: T, when: w, text: 'Hi {Name}'}]", "a place is"),
    ],
)
def test_a_policy_that_cannot_be_used_says_why(text: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        read_forms(text)
