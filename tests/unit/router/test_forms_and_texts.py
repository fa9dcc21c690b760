"""Resolution forms, and templates for what is said to customers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from heardback_router.configuration.source import packaged
from heardback_router.forms.domain import FormError, checked, filled
from heardback_router.forms.policy import read_forms
from heardback_router.messages.lint import lint
from heardback_router.messages.policy import read_messages
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
MESSAGES = read_messages(packaged("messages.yaml"))
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


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
        rules = MESSAGES.rules_for(template.language)
        assert lint(text, rules, AT) == (), template.name
        assert any(f.rule == "unfilled_field" for f in lint(template.text, rules, AT))


def test_a_template_is_filled_whole_or_not_at_all() -> None:
    template = PACKAGED.templates[0]
    with pytest.raises(FormError) as raised:
        filled(template, {**dict.fromkeys(template.fields, "x"), "name": " ", "colour": "red"})
    assert {p for p, _ in raised.value.faults} == {"/fields/name", "/fields/colour"}


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
