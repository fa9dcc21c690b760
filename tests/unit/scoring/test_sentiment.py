"""Sentiment: readings from probabilities, of one text and of a conversation; satisfaction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scoring import POLICIES

from heardback_scoring.domain.sentiment import (
    ReadTurn,
    interval,
    nothing_said,
    overall,
    reading,
    satisfaction,
    trajectory,
)
from heardback_shared.contracts.score import Trajectory

POLICY = POLICIES.sentiment
weights = st.tuples(*(st.floats(0, 1),) * 3).filter(lambda w: sum(w) > 1e-3)
turns = st.lists(st.tuples(st.integers(0, 60), weights), min_size=1, max_size=8).map(
    lambda rows: [
        ReadTurn(2 * i, words, *(w / sum(three) for w in three)) for i, (words, three) in enumerate(rows)
    ]
)


def turn(index: int, score: float, words: int = 8) -> ReadTurn:
    return ReadTurn(index, words, max(-score, 0.0), 1 - abs(score), max(score, 0.0))


@given(weights)
def test_a_reading_is_consistent(three: tuple[float, float, float]) -> None:
    found = reading(*three, POLICY)
    shares = found.probabilities.model_dump()
    assert sum(shares.values()) == pytest.approx(1, abs=2e-4)
    assert found.score == pytest.approx(shares["positive"] - shares["negative"], abs=2e-4)
    assert shares[found.label] >= max(shares.values()) - 1e-4 or found.label == "neutral"


def test_labels_ties_and_abstention() -> None:
    assert reading(0.9, 0.05, 0.05, POLICY).label == "negative"
    assert reading(0.1, 0.2, 0.7, POLICY).label == "positive"
    assert reading(0.45, 0.1, 0.45, POLICY).label == "neutral"
    assert reading(0.48, 0.47, 0.05, POLICY).abstained
    assert reading(0.4, 0.3, 0.3, POLICY).abstained
    assert reading(0.7, 0.2, 0.1, POLICY).abstained
    assert not reading(0.71, 0.19, 0.1, POLICY).abstained
    assert nothing_said().abstained
    assert nothing_said().label == "neutral"


@pytest.mark.parametrize(
    "three", [(0, 0, 0), (-0.1, 0.5, 0.6), (float("nan"), 0.5, 0.5), (float("inf"), 0, 0)]
)
def test_what_is_no_probability_is_refused(three: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="not probabilities"):
        reading(*three, POLICY)


@given(turns)
def test_the_whole_lies_between_its_turns(read: list[ReadTurn]) -> None:
    found = overall(read, POLICY)
    path = trajectory(read, POLICY)
    assert found is not None
    assert path is not None
    scores = [t.score for t in read]
    assert min(scores) - 1e-3 <= found.score <= max(scores) + 1e-3
    assert path.lowest <= path.end
    assert path.recovery == pytest.approx(path.end - path.lowest, abs=1e-4)
    assert path.lowest_turn in {t.index for t in read}


def test_longer_and_later_turns_weigh_more() -> None:
    short, long = turn(0, 0.8, 1), turn(2, -0.8, 30)
    found = overall([short, long], POLICY)
    assert found is not None
    assert found.score < -0.5
    early, late = (
        overall([turn(0, -0.8), turn(2, 0.8)], POLICY),
        overall([turn(0, 0.8), turn(2, -0.8)], POLICY),
    )
    assert early is not None
    assert late is not None
    assert late.score < 0 < early.score
    assert overall([], POLICY) is None


def test_the_path_of_a_conversation() -> None:
    path = trajectory([turn(0, -0.2), turn(2, -0.9), turn(4, 0.7)], POLICY)
    assert path == Trajectory(start=-0.2, lowest=-0.9, lowest_turn=2, end=0.7, recovery=1.6)
    assert trajectory([], POLICY) is None


def test_a_bare_no_is_no_low_point_unless_it_is_the_end() -> None:
    path = trajectory([turn(0, -0.1), turn(2, -0.9, words=1), turn(4, 0.2)], POLICY)
    assert path is not None
    assert path.lowest_turn == 0
    ends = trajectory([turn(0, -0.1), turn(2, -0.9, words=1)], POLICY)
    assert ends is not None
    assert (ends.lowest_turn, ends.recovery) == (2, 0.0)


def test_satisfaction_of_a_survey() -> None:
    def of(sentiment: float | None, share: float | None, mismatch: bool = False) -> float | None:
        return satisfaction(POLICY, sentiment=sentiment, metric_share=share, mismatch=mismatch)

    assert of(None, None) is None
    assert of(0.4, None) == 0.4
    assert of(None, 0.0) == -1.0
    assert of(0.6, 0.9) == pytest.approx(0.7)
    assert of(-0.8, 0.9, mismatch=True) == -0.8
    assert of(0.8, 0.1, mismatch=True) == 0.8


@given(turns, st.sampled_from([None, "unknown", "resolved", "unresolved"]))
def test_satisfaction_of_a_conversation_is_bounded(read: list[ReadTurn], resolution: str | None) -> None:
    whole, path = overall(read, POLICY), trajectory(read, POLICY)
    assert whole is not None
    found = satisfaction(
        POLICY,
        sentiment=whole.score,
        metric_share=None,
        path=path,
        resolution=resolution,  # type: ignore[arg-type]
    )
    assert found is not None
    assert -1 <= found <= 1


def test_a_resolved_conversation_satisfies_more() -> None:
    path = Trajectory(start=-0.5, lowest=-0.5, lowest_turn=0, end=0.2, recovery=0.7)

    def of(resolution: str) -> float:
        found = satisfaction(
            POLICY,
            sentiment=0.0,
            metric_share=None,
            path=path,
            resolution=resolution,  # type: ignore[arg-type]
        )
        assert found is not None
        return found

    assert of("unresolved") < of("unknown") < of("resolved")


def test_the_prediction_takes_the_place_of_the_formula_where_somebody_answered() -> None:
    path = Trajectory(start=-0.5, lowest=-0.5, lowest_turn=0, end=-0.5, recovery=0.0)

    def of(predicted: float | None, answered: bool) -> float | None:
        return satisfaction(
            POLICY, sentiment=-0.5, metric_share=None, path=path, predicted=predicted, answered=answered
        )

    assert of(0.3, True) == 0.3
    assert of(0.3, False) == pytest.approx(-0.1)
    assert of(None, False) == of(None, True) == pytest.approx(-0.5)
    assert interval(0.9, 0.2) == (0.7, 1.0)
    assert interval(-0.95, 0.2) == (-1.0, -0.75)
