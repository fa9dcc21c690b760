"""The lexicon scorer reads plain English right, and bounds what it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_scoring.inference.lexicon import LexiconScorer, load_lexicon, weigh

SCORER = LexiconScorer()
LEXICON = load_lexicon()


def label(text: str) -> str:
    reading = SCORER.read([text])[0]
    return max(("negative", "neutral", "positive"), key=lambda name: float(getattr(reading, name)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The delivery was great and the driver very friendly.", "positive"),
        ("Terrible service, my parcel arrived broken.", "negative"),
        ("I changed my address last week.", "neutral"),
        ("The app does not work", "negative"),
        ("I am not happy with this", "negative"),
        ("Never had a problem, no complaints at all", "positive"),
        ("It wasn't bad", "positive"),
        ("I don't recommend this shop to anyone", "negative"),
        ("A nice idea, but it is useless and support is rude", "negative"),
        ("Thanks for nothing", "negative"),
        ("👍 love it", "positive"),
        ("😡😡", "negative"),
        ("", "neutral"),
    ],
)
def test_label(text: str, expected: str) -> None:
    assert label(text) == expected


def balance(text: str) -> float:
    return weigh(text, LEXICON)[0]


def test_stronger_words_weigh_more() -> None:
    assert balance("very good") > balance("good") > balance("slightly good") > 0
    assert balance("GOOD service") > balance("good service")
    assert balance("good!!!") > balance("good")
    assert balance("it is awful") < balance("it is bad")


def test_what_follows_but_weighs_more_than_what_stood_before() -> None:
    assert balance("good but bad") < 0 < balance("bad but good")


def test_negation_does_not_reach_past_a_comma() -> None:
    assert balance("no, good") > 0 > balance("not good")


def test_no_word_stands_in_two_strengths() -> None:
    import tomllib
    from importlib.resources import files

    raw = (files("heardback_scoring.inference") / "lexicon_en.toml").read_text("utf8")
    levels = tomllib.loads(raw)["valence"]
    words = [word for level in levels.values() for word in set(level.split())]
    assert sorted(word for word in set(words) if words.count(word) > 1) == []


def test_a_closed_scorer_refuses() -> None:
    scorer = LexiconScorer()
    scorer.close()
    with pytest.raises(RuntimeError):
        scorer.read(["text"])


@given(st.text(max_size=300))
def test_any_text_is_read_within_bounds(text: str) -> None:
    lean, strength = weigh(text, LEXICON)
    assert -1 <= lean <= 1
    assert 0 <= strength < 1
