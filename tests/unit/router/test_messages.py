"""Templates of messages: what they may do, what is always said, and in which words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_router.configuration.source import packaged
from heardback_router.messages.domain import (
    ChangeFacts,
    MessageFacts,
    MessageLinks,
    Result,
    Sensitivity,
    Step,
)
from heardback_router.messages.policy import read_messages, warnings_of
from heardback_router.messages.rendering import render
from heardback_router.messages.templates import BadTemplateError, pattern
from heardback_router.wording import CustomerText
from heardback_shared.policies.reading import PolicyError

SHIPPED = packaged("messages.yaml")
POLICY = read_messages(SHIPPED)
PAGE = MessageLinks("https://feedback.example/c/abc")
ALL = MessageLinks(
    PAGE.page,
    "https://feedback.example/yes",
    "https://feedback.example/no",
    "https://feedback.example/contest",
    "https://feedback.example/preferences",
    datetime(2026, 12, 1, tzinfo=UTC),
)
STEPS: tuple[Step, ...] = get_args(Step)
HOW: tuple[Sensitivity, ...] = get_args(Sensitivity)


def change(result: Result = "done", text: str = "We paid it back.") -> ChangeFacts:
    return ChangeFacts(result, CustomerText(text), date(2026, 11, 20), "ch_7", "R-7")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ name }}", "not known"),
        ("{{ about.__class__ }}", "reads about.__class__"),
        ("{% for c in changes %}{{ c.secret }}{% endfor %}", "reads c.secret"),
        ("{{ c.text }}", "reads c.text|names 'c'"),
        ("{% for c in about %}{{ c }}{% endfor %}", "only go through changes"),
        ("{% for page in changes %}{{ page }}{% endfor %}", "something else"),
        ("{{ range(9) }}", "uses call"),
        ("{{ about|upper }}", "uses filter"),
        ("{% include 'x' %}", "uses include"),
        ("{% set about = 1 %}", "uses assign"),
        ("{{ about * 999999999 }}", "uses mul"),
        ("{% if about %}", "is not a template"),
        ("{{ [].append(1) }}", "uses call"),
    ],
)
def test_a_template_can_only_print_ask_and_go_through_changes(source: str, why: str) -> None:
    with pytest.raises(BadTemplateError, match=why):
        pattern(source)


def test_what_a_person_wrote_is_never_run_as_a_template() -> None:
    said = "{{ page }} {% for x in changes %} <b>"
    rendered = render(POLICY, "told", "standard", "en", MessageFacts(changes=(change(text=said),)), PAGE)
    assert said in rendered.body.text


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", HOW)
def test_disclosure_and_the_way_out_stand_below_every_message(
    language: str, step: Step, how: Sensitivity
) -> None:
    said = MessageFacts(answer=CustomerText("We looked again."), changes=(change(),))
    rendered = render(POLICY, step, how, language, said, ALL)
    assert rendered.body.text.endswith("https://feedback.example/preferences")
    assert "https://feedback.example/contest" in rendered.body.text
    by_hand = render(POLICY, step, how, language, replace(said, automated=False), ALL)
    assert "https://feedback.example/contest" not in by_hand.body.text
    assert rendered.template == f"{POLICY.name}#{step}/{how}/{language}"


def test_a_language_without_texts_gets_the_one_for_everybody_and_says_so() -> None:
    rendered = render(POLICY, "told", "standard", "ja", MessageFacts(changes=(change(),)), PAGE)
    assert (rendered.language, rendered.template) == ("en", "default@1#told/standard/en")
    assert render(POLICY, "told", "standard", "de-AT", MessageFacts(), PAGE).language == "de"


def test_a_change_speaks_the_customer_s_language_where_somebody_wrote_it() -> None:
    both = replace(change(), translations=(("de", CustomerText("Wir haben es zurückgezahlt.")),))
    facts = MessageFacts(changes=(both,))
    assert "zurückgezahlt" in render(POLICY, "told", "standard", "de", facts, PAGE).body.text
    assert "We paid it back." in render(POLICY, "told", "standard", "en", facts, PAGE).body.text


def test_without_history_the_words_stay_neutral() -> None:
    bare = render(POLICY, "told", "standard", "en", MessageFacts(changes=(change(),)), PAGE).body.text
    assert bare.startswith("Hello,\n\nyou gave us feedback. This is what became of it.")
    unknown = MessageFacts(about="operations/never_heard_of", changes=(change(),))
    text = render(POLICY, "told", "standard", "en", unknown, PAGE).body.text
    assert "never_heard_of" not in text
    assert "operations" not in text


def test_every_claim_cites_its_change() -> None:
    facts = MessageFacts(
        changes=(change(), replace(change("declined", "It costs too much."), reference=None))
    )
    text = render(POLICY, "told", "standard", "en", facts, PAGE).body.text
    assert "reference R-7" in text
    assert "reference ch_7" in text
    assert "We are not changing this" in text


def test_times_are_told_in_the_customer_s_zone() -> None:
    facts = MessageFacts(due=datetime(2026, 11, 24, 1, 30, tzinfo=UTC))
    text = render(POLICY, "delayed", "standard", "en", facts, PAGE, "America/New_York").body.text
    assert "November 23, 2026, 8:30" in text
    assert "(America/New_York)" in text


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(str.strip)


@given(
    st.sampled_from(STEPS),
    st.sampled_from(HOW),
    st.sampled_from(["en", "de", "fr", None]),
    st.lists(st.builds(change, st.sampled_from(get_args(Result)), texts), max_size=4),
    st.none() | texts.map(CustomerText),
    st.booleans(),
)
def test_any_facts_give_a_whole_message_and_the_same_each_time(
    step: Step,
    how: Sensitivity,
    language: str | None,
    changes: list[ChangeFacts],
    plan: CustomerText | None,
    linked: bool,
) -> None:
    facts = MessageFacts(changes=tuple(changes), plan=plan)
    rendered = render(POLICY, step, how, language, facts, ALL if linked else PAGE)
    assert rendered == render(POLICY, step, how, language, facts, ALL if linked else PAGE)
    assert "\n" not in rendered.subject.text
    if step == "told":
        assert all(" ".join(c.text.text.split()) in " ".join(rendered.body.text.split()) for c in changes)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("otherwise: en", "otherwise: fr", "none of the languages"),
        ("  de:\n", "  qq:\n", "no language whose dates"),
        ("{{ plan }}", "{{ secret }}", "not known"),
        (
            "{% if raised_on %} on {{ raised_on }}{% endif %}. Your feedback",
            " on {{ raised_on }}. Your feedback",
            "may be missing",
        ),
        (
            "Your feedback is with the team",
            "We will refund you. Your feedback is with the team",
            "without a date",
        ),
        ("Your feedback is with the team", "It was your fault. Your feedback is with the team", "blames"),
        ("What we did, and what is still open:", "We fixed it:", "not all of it is"),
        ("danke, dass Sie", "wir kümmern uns, danke, dass Sie", "without a date"),
        (
            "We have started to work on it.",
            "We have started to work on it, see [REFERENCE].",
            "not filled in",
        ),
    ],
)
def test_texts_that_must_not_be_sent_are_refused_whole(before: str, after: str, why: str) -> None:
    assert before in SHIPPED
    with pytest.raises(PolicyError, match=why):
        read_messages(SHIPPED.replace(before, after))


def test_a_language_for_everybody_must_have_every_text() -> None:
    without = SHIPPED.replace(
        "        sensitive: |-\n          Hello,\n\n          it takes",
        "        x_: |-\n          it takes",
        1,
    )
    with pytest.raises(PolicyError):
        read_messages(without)


def test_the_shipped_texts_are_easy_to_read_and_long_words_are_told() -> None:
    assert warnings_of(POLICY) == ()
    hard = SHIPPED.replace(
        "thank you for writing to us",
        "notwithstanding considerable organisational complications necessitating individual deliberation, "
        "we acknowledge, with appropriate appreciation, your communication",
    )
    assert any("grade" in warning for warning in warnings_of(read_messages(hard)))
