"""Occlusion: spans lie in the text, nothing left out changes nothing, and the word that matters is found."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heardback_scoring.domain import occlusion

texts = st.one_of(
    st.text(max_size=400),
    st.lists(
        st.sampled_from(
            ["late", "but", "the parcel", "👍", "😡😡", ".", ",", "!!", "\n", "don't", "因为", "  "]
        ),
        max_size=60,
    ).map(" ".join),
)
parts = st.lists(
    st.tuples(
        st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (min(pair), max(pair))),
        st.floats(0, 1).map(lambda p: {"bad": p}),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(texts)
def test_clauses_lie_in_the_text_in_order_and_are_few(text: str) -> None:
    spans = occlusion.clauses(text)
    assert len(spans) <= occlusion.MOST_CLAUSES
    ends = [0]
    for start, end in spans:
        assert ends[-1] <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        ends.append(end)
    if any(letter.isalnum() for letter in text):
        inside = "".join(text[start:end] for start, end in spans)
        assert sum(map(str.isalnum, inside)) == sum(map(str.isalnum, text))


@settings(deadline=None)
@given(texts)
def test_words_lie_in_their_clause_and_are_few(text: str) -> None:
    for span in occlusion.clauses(text):
        inner = occlusion.words(text, span)
        assert len(inner) <= occlusion.MOST_WORDS
        assert all(span[0] <= start < end <= span[1] for start, end in inner)


@settings(deadline=None)
@given(texts, st.integers(0, 400))
def test_leaving_nothing_out_changes_nothing(text: str, place: int) -> None:
    assert occlusion.without(text, (place, place)) == text


@settings(deadline=None)
@given(texts)
def test_variants_are_bounded_in_number_and_size_and_never_empty(text: str) -> None:
    made = occlusion.stage_one(text)
    assert len(made) <= occlusion.MOST_CLAUSES
    assert sum(len(variant.text) for variant in made) <= len(text)
    for span in occlusion.clauses(text):
        inner = occlusion.stage_two(text, span)
        assert len(inner) <= occlusion.MOST_WORDS
        assert all(v.text.strip() and len(v.text) <= span[1] - span[0] for v in inner)


@settings(deadline=None)
@given(parts, st.floats(0, 1), st.randoms(use_true_random=False))
def test_weights_are_bounded_and_do_not_depend_on_order(
    found: list[tuple[tuple[int, int], dict[str, float]]], whole: float, dice: random.Random
) -> None:
    found = list(dict(found).items())
    shuffled = list(found)
    dice.shuffle(shuffled)
    ours = occlusion.weights("bad", {"bad": whole}, found)
    assert ours == occlusion.weights("bad", {"bad": whole}, shuffled)
    assert all(-1 <= weight <= 1 for _, weight in ours)
    assert occlusion.strongest("bad", found) == occlusion.strongest("bad", shuffled)
    clause = ((0, 50), {"bad": whole})
    named = occlusion.evidence("bad", 3, [clause], {(0, 50): found})
    assert named == occlusion.evidence("bad", 3, [clause], {(0, 50): shuffled})
    assert occlusion.evidence("bad", 3, found, {}) == occlusion.evidence("bad", 3, shuffled, {})
    assert len(named) <= occlusion.MOST_EVIDENCE
    assert all(occlusion.LEAST_WEIGHT - 1e-4 <= e.weight <= 1 for e in named)


@settings(deadline=None)
@given(parts)
def test_words_that_change_nothing_are_no_evidence(found: list[tuple[tuple[int, int], object]]) -> None:
    same = [(span, {"bad": 0.9}) for span, _ in found]
    named = occlusion.evidence("bad", 0, [((0, 50), {"bad": 0.9})], {(0, 50): same})
    assert [(e.span, e.weight) for e in named] == [((0, 50), 0.9)]
    assert occlusion.evidence("bad", 0, [((0, 50), {"bad": 0.1})], {}) == ()


def key_word_evidence(text: str, key: str) -> list[str]:
    """What is named for a reader that looks for one word only."""

    def read(words: str) -> dict[str, float]:
        return {"bad": 0.9 if key in words.lower() else 0.1}

    coarse = [(v.span, read(v.text)) for v in occlusion.stage_one(text)]
    coarse = coarse or [(span, read(text)) for span in occlusion.clauses(text)]
    best = occlusion.strongest("bad", coarse)
    fine = {best: [(v.span, read(v.text)) for v in occlusion.stage_two(text, best)]} if best else {}
    return [text[e.span[0] : e.span[1]] for e in occlusion.evidence("bad", 0, coarse, fine)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The parcel is late again, the driver was rude, and I had to wait.", "rude"),
        ("The driver was rude", "rude"),
        ("rude driver 😡", "rude"),
        ("It came on time but the driver was rude to my mother", "rude"),
    ],
)
def test_the_one_word_that_matters_is_named(text: str, expected: str) -> None:
    assert key_word_evidence(text, "rude") == [expected]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), st.integers(1, 1000))
def test_it_is_found_in_a_text_of_any_length(place: int, length: int) -> None:
    words = ["word."] * length
    words[place % length] = "rude."
    [named] = key_word_evidence(" ".join(words), "rude")
    assert "rude" in named


def test_a_text_of_one_word_or_of_signs_is_its_own_evidence() -> None:
    for text in ("rude", "👍", "!!!", "", "  "):
        assert occlusion.stage_one(text) == ()
        assert all(occlusion.stage_two(text, span) == () for span in occlusion.clauses(text))
    assert key_word_evidence("rude", "rude") == ["rude"]


def test_a_denial_that_changes_everything_speaks_against() -> None:
    [(span, weight)] = occlusion.weights("bad", {"bad": 0.2}, [((0, 3), {"bad": 0.9})])
    assert span == (0, 3)
    assert weight == pytest.approx(-0.7)
