"""Very short texts: what says nothing, what is read and as what, what has no language of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scoring import POLICIES, ScriptedScorer, survey, transcript, understanding

from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.domain.language import spoken
from heardback_scoring.domain.ratings import rating_in, word_for
from heardback_shared.contracts.score import Score

POLICY = POLICIES.language


async def one(text: str, scorer: ScriptedScorer | None = None) -> Score:
    [score] = await score_batch([survey(text)], understanding(scorer or ScriptedScorer()))
    return score


@pytest.mark.parametrize(
    "text",
    ["n/a", "N/A", "-", "?", "...", "10", "12345", "asdf", "none", "idk", "yes", "no", "No.", "x", "🛸", "."],
)
async def test_nothing_is_said(text: str) -> None:
    score = await one(text)
    assert score.because == "Nothing was said in words."
    assert score.sentiment is not None
    assert (score.sentiment.label, score.sentiment.abstained) == ("neutral", True)
    assert (score.models, score.cues, score.severity.band) == ((), (), "P4")


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "fine I guess",
        "meh",
        "lol",
        "thx",
        "it works",
        "not bad",
        "cheap",
        "slow",
        "never again",
        "Best!",
    ],
)
async def test_words_are_read_as_they_are(text: str) -> None:
    scorer = ScriptedScorer()
    score = await one(text, scorer)
    assert (score.status, scorer.calls[-1]) == ("scored", [text])
    assert score.language.code in {"en", "und"}


@pytest.mark.parametrize(
    ("text", "as_words"),
    [
        ("👍", "good"),
        ("👎👎", "bad bad"),
        ("👍🏽", "good"),
        ("❤️", "love it"),
        ("🤬!!", "furious"),
        ("5/5", "perfect"),
        ("10/10!", "perfect"),
        ("1 star", "terrible"),
        ("Zero stars.", "terrible"),
        ("★★☆☆☆", "bad"),
        ("⭐⭐⭐⭐⭐", "perfect"),
        ("3 out of 5", "average"),
        ("80 %", "good"),
    ],
)
async def test_signs_and_ratings_are_read_in_words(text: str, as_words: str) -> None:
    scorer = ScriptedScorer({as_words: (0.7, 0.2, 0.1)})
    score = await one(text, scorer)
    assert scorer.calls[-1] == [as_words]
    assert score.sentiment is not None
    assert score.sentiment.label == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "10",
        "11/10",
        "1/2",
        "24/7",
        "1 star, never again",
        "5 stars for Ann",
        "12/5/2024",
        "",
        "!",
        "stars",
        "☆ or ★",
    ],
)
def test_what_is_no_rating(text: str) -> None:
    assert rating_in(text) is None


async def test_leaving_is_heard_in_two_words() -> None:
    assert [c.name for c in (await one("never again")).cues] == ["wants_to_leave"]


async def test_a_bare_answer_counts_in_a_conversation_because_the_question_is_known() -> None:
    scorer = ScriptedScorer()
    turns = [("agent", "Does it work now?"), ("customer", "no")]
    await score_batch([transcript(*turns)], understanding(scorer))
    assert scorer.calls[-1] == ["no"]


@given(st.integers(0, 10))
def test_a_better_rating_is_never_a_worse_word(points: int) -> None:
    order = [step.word for step in POLICY.ratings]
    worse, better = (spoken(f"{n}/10", POLICY) for n in (max(0, points - 1), points))
    assert order.index(worse) <= order.index(better)


@given(st.text(max_size=50))
def test_every_text_is_a_rating_within_the_scale_or_none(text: str) -> None:
    rating = rating_in(text)
    assert rating is None or 0 <= rating <= 1
    assert rating is None or word_for(rating, POLICY.ratings)
