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
def test_variants_are_shorter_bounded_in_number_and_never_empty(text: str) -> None:
    made = occlusion.stage_one(text)
    assert len(made) <= max(occlusion.MOST_CLAUSES, occlusion.MOST_WORDS)
    for variant in made:
        assert variant.text.strip()
        assert variant.text != text
        assert len(variant.text) <= len(text)
        assert len(occlusion.stage_two(text, variant.span)) <= occlusion.MOST_WORDS


@settings(deadline=None)
@given(parts, st.floats(0, 1), st.randoms(use_true_random=False))
def test_weights_are_bounded_and_do_not_depend_on_order(
    found: list[tuple[tuple[int, int], dict[str, float]]], whole: float, dice: random.Random
) -> None:
    shuffled = list(found)
    dice.shuffle(shuffled)
    ours = occlusion.weights("bad", {"bad": whole}, found)
    assert ours == occlusion.weights("bad", {"bad": whole}, shuffled)
    assert all(-1 <= weight <= 1 for _, weight in ours)
    named = occlusion.evidence("bad", 3, {"bad": whole}, found)
    assert named == occlusion.evidence("bad", 3, {"bad": whole}, shuffled)
    assert len(named) <= occlusion.MOST_EVIDENCE
    assert all(occlusion.LEAST_WEIGHT - 1e-4 <= e.weight <= 1 for e in named)


@settings(deadline=None)
@given(parts)
def test_parts_that_change_nothing_are_no_evidence(found: list[tuple[tuple[int, int], object]]) -> None:
    same = [(span, {"bad": 0.9}) for span, _ in found]
    assert occlusion.evidence("bad", 0, {"bad": 0.9}, same) == ()


def key_word_evidence(text: str, key: str) -> list[str]:
    """What is named for a reader that looks for one word only."""

    def read(words: str) -> dict[str, float]:
        return {"bad": 0.9 if key in words.lower() else 0.1}

    whole = read(text)
    coarse = [(v.span, read(v.text)) for v in occlusion.stage_one(text)]
    best = occlusion.strongest("bad", whole, coarse)
    fine = {best: [(v.span, read(v.text)) for v in occlusion.stage_two(text, best)]} if best else {}
    found = occlusion.evidence("bad", 0, whole, occlusion.sharpened("bad", whole, coarse, fine))
    return [text[e.span[0] : e.span[1]] for e in found]


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


@settings(deadline=None)
@given(st.integers(0, 999), st.integers(1, 1000))
def test_it_is_found_in_a_text_of_any_length(place: int, length: int) -> None:
    words = ["word."] * length
    words[place % length] = "rude."
    if length == 1:
        return
    named = key_word_evidence(" ".join(words), "rude")
    assert len(named) == 1
    assert "rude" in named[0]


def test_a_text_of_one_word_or_of_signs_has_nothing_to_leave_out() -> None:
    for text in ("rude", "👍", "!!!", "", "  "):
        assert occlusion.stage_one(text) == ()


def test_a_denial_that_changes_everything_speaks_against() -> None:
    whole, parts = {"bad": 0.2}, [((0, 3), {"bad": 0.9})]
    assert occlusion.weights("bad", whole, parts) == [((0, 3), pytest.approx(-0.7))]
    assert occlusion.evidence("bad", 0, whole, parts) == ()
