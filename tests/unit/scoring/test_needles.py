"""Needles: read from patterns, and never such that a text which matches is passed over."""

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.needles import Needles, needles_of
from heardback_scoring.domain.words import Text

PATTERNS = [pattern for rule in CUES for pattern in rule.patterns + rule.deniable]


def needed(pattern: str) -> list[tuple[set[str], tuple[str, ...]]]:
    return [(set(need.beginnings), need.parts) for need in needles_of(pattern)]


def holds(text: Text, need: Needles) -> bool:
    return not text.beginnings.isdisjoint(need.beginnings) and any(part in text.low for part in need.parts)


@pytest.mark.parametrize(
    ("pattern", "needs"),
    [
        (r"\bmoney back\b", [({"mone"}, ("money back",)), ({"back"}, ("money back",))]),
        (
            r"\b(?:lost|stole)(?: \w+){0,3} cards?",
            [({"card"}, (" card",)), ({"lost", "stol"}, ("lost", "stole"))],
        ),
        (r"\b(?:\w+ )?account", [({"acco"}, ("account",))]),
        (r"\b(?:a |an )?bill", [({"bill"}, ("bill",))]),
        (r"\bno (?:way|\w+)", []),
        (r"count", []),
        (r"\b(?:re)?count", []),
        (r"\bcancel(?! order)", [({"canc"}, ("cancel",))]),
        (r"\bwon't go", [({"won'"}, ("won't go",))]),
        (r"\b(?:log|sign)+ in", [({"log", "sign"}, ("log", "sign"))]),
    ],
)
def test_needles_are_words_that_must_be_there(pattern: str, needs: list[object]) -> None:
    assert needed(pattern) == needs


@pytest.mark.parametrize("pattern", [r"(a)b", r"(?P<x>a)", r"(?<=a)b", r"(?i)a", r"a(?:b", r"a)b", r"\Aa"])
def test_other_syntax_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"not understood|unbalanced"):
        needles_of(pattern)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.sampled_from(PATTERNS).flatmap(lambda p: st.tuples(st.just(p), st.from_regex(p))))
def test_a_text_that_matches_holds_every_needle(drawn: tuple[str, str]) -> None:
    pattern, said = drawn
    text = Text.of(said)
    assume(re.search(pattern, text.low))
    assert all(holds(text, need) for need in needles_of(pattern))


def test_most_patterns_of_the_table_have_needles() -> None:
    assert sum(bool(needles_of(pattern)) for pattern in PATTERNS) > 0.9 * len(PATTERNS)
