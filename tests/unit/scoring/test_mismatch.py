"""Scale and words that contradict each other: found in both directions, only when both are clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.support.scoring import POLICIES, ScriptedScorer, nps, survey, understanding

from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.domain.mismatch import MismatchPolicy, mismatch_of

POLICY = POLICIES.mismatch
FURIOUS = "I am furious, nothing works and nobody answers."
DELIGHTED = "Wonderful team, quick, kind, and everything works perfectly."
SCRIPT = {FURIOUS: (0.97, 0.02, 0.01), DELIGHTED: (0.01, 0.02, 0.97)}


@pytest.mark.parametrize(
    ("sentiment", "share", "expected"),
    [
        (-0.9, 0.9, "score_above_text"),
        (-0.5, 0.7, "score_above_text"),
        (0.9, 0.1, "score_below_text"),
        (0.6, 0.3, "score_below_text"),
        (-0.4, 0.9, None),
        (0.5, 0.1, None),
        (-0.9, 0.3, None),
        (0.9, 0.9, None),
        (None, 0.9, None),
        (0.9, None, None),
    ],
)
def test_directions(sentiment: float | None, share: float | None, expected: str | None) -> None:
    assert mismatch_of(POLICY, sentiment, share) == expected


@pytest.mark.parametrize(
    ("text", "answer", "expected", "satisfaction"),
    [
        (FURIOUS, 9, "score_above_text", -0.96),
        (DELIGHTED, 1, "score_below_text", 0.96),
        (DELIGHTED, 9, None, 0.88),
    ],
)
async def test_the_flag_is_on_the_score_and_severity_believes_the_words(
    text: str, answer: float, expected: str | None, satisfaction: float
) -> None:
    [score] = await score_batch([survey(text, metric=nps(answer))], understanding(ScriptedScorer(SCRIPT)))
    assert score.mismatch == expected
    assert score.satisfaction == pytest.approx(satisfaction)
    points = {c.factor: c.points for c in score.severity.contributions}.get("score_text_mismatch", 0.0)
    assert points > 0 if expected == "score_above_text" else points < 0 if expected else points == 0


@given(st.floats(-1, 1), st.floats(0, 1))
def test_only_clear_words_contradict(sentiment: float, share: float) -> None:
    found = mismatch_of(POLICY, sentiment, share)
    if found is not None:
        assert (sentiment < 0) is (found == "score_above_text")
        assert abs(sentiment) >= 0.5


def test_a_policy_in_which_one_answer_is_good_and_bad_is_refused() -> None:
    with pytest.raises(ValidationError, match="bad_share must be below good_share"):
        MismatchPolicy(policy="x@1", good_share=0.5, bad_text=-0.5, bad_share=0.5, good_text=0.5)
