"""Cues: every example of the table is found, every counterexample is not, and spans point at the words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scoring import POLICIES

from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.cues import CueFinder, CueRule, clause_before, find_in_turns, is_denied
from heardback_scoring.domain.words import Text

FINDER = CueFinder(CUES)
NAMES = {
    "wants_to_leave",
    "asks_for_human",
    "repeated_contact",
    "broken_promise",
    "passed_around",
    "money_dispute",
    "loss_or_fraud_urgent",
    "legal_or_press_threat",
    "safety",
    "privacy_discomfort",
    "anger",
    "disappointment",
    "confusion",
    "gratitude",
    "not_working",
    "abusive",
    "sarcasm_suspected",
    "too_personal",
}


def found(text: str) -> set[str]:
    return {cue.name for cue in FINDER.find(0, Text.of(text))}


def test_the_table_is_whole_and_every_cue_has_examples() -> None:
    assert {rule.name for rule in CUES} == NAMES
    assert {rule.name for rule in CUES if len(rule.examples) >= 2 and rule.counterexamples} == NAMES
    assert NAMES - set(POLICIES.severity.cues) == {"gratitude", "too_personal"}


@pytest.mark.parametrize(("name", "text"), [(r.name, e) for r in CUES for e in r.examples])
def test_examples_are_found(name: str, text: str) -> None:
    assert name in found(text)
    assert name in found(text.upper().replace("'", "’"))


@pytest.mark.parametrize(("name", "text"), [(r.name, e) for r in CUES for e in r.counterexamples])
def test_counterexamples_are_not(name: str, text: str) -> None:
    assert name not in found(text)


@pytest.mark.parametrize("text", [e for r in CUES for e in r.examples])
def test_no_rule_is_kept_from_its_examples_by_its_stems(text: str) -> None:
    letters = frozenset(word[:4] for word in Text.of(text).words)
    unfiltered = CueFinder(
        CueRule(r.name, r.probability, letters, patterns=r.patterns, deniable=r.deniable) for r in CUES
    )
    assert {c.name for c in unfiltered.find(0, Text.of(text))} == found(text)


def test_a_cue_points_at_its_turn_and_its_words() -> None:
    texts = [(0, Text.of("Hello there.")), (3, Text.of("İ Well, I WANT to cancel MY subscription, thanks"))]
    cues = {cue.name: cue for cue in find_in_turns(FINDER, texts)}
    leaving = cues["wants_to_leave"]
    assert leaving.turn == 3
    assert leaving.by == "pattern"
    assert leaving.span is not None
    start, end = leaving.span
    assert texts[1][1].original[start:end] == "WANT to cancel"


@pytest.mark.parametrize(
    ("clause", "denied"),
    [
        ("I don't want to ", True),
        ("we have no plans to ", True),
        ("Nobody here wants to ", True),
        ("It does not work, so I want to ", False),
        ("It never came and I want to ", False),
        ("I don't know how to ", False),
        ("you won't let me ", False),
        ("I can't ", False),
        ("", False),
    ],
)
def test_denial_holds_within_its_clause(clause: str, denied: bool) -> None:
    text = f"{clause}cancel my plan".lower()
    assert is_denied(clause_before(text, len(clause))) is denied


@given(st.text(max_size=300))
def test_any_text_can_be_searched_and_spans_lie_inside(text: str) -> None:
    for cue in FINDER.find(0, Text.of(text)):
        assert cue.span is not None
        assert 0 <= cue.span[0] < cue.span[1] <= len(text)


@given(
    st.lists(st.sampled_from(sorted({w for r in CUES for e in r.examples for w in e.split()})), max_size=400)
)
def test_long_texts_of_trigger_words_stay_cheap(words: list[str]) -> None:
    names = [cue.name for cue in FINDER.find(0, Text.of(" ".join(words)))]
    assert len(names) == len(set(names))
