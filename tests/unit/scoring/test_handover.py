"""Handover: when a person should take over, and the reason given."""

import pytest
from tests.support.scoring import POLICIES

from heardback_scoring.domain.handover import decide
from heardback_shared.contracts.score import Band, Cue, Handover, Language, Trajectory

EN = Language(code="en", confidence=0.9)


def handover(
    *names: str,
    band: Band = "P4",
    readable: bool = True,
    sentiment: float | None = 0.0,
    end: float | None = None,
    turns_read: int = 1,
    probability: float = 0.9,
) -> Handover:
    path = (
        None if end is None else Trajectory(start=0, lowest=min(end, 0), lowest_turn=0, end=end, recovery=0)
    )
    return decide(
        POLICIES.handover,
        cues=[Cue(name=name, probability=probability, turn=0, by="pattern") for name in names],
        band=band,
        language=EN if readable else Language(code="de", confidence=1.0),
        readable=readable,
        sentiment=sentiment,
        path=path,
        turns_read=turns_read,
    )


@pytest.mark.parametrize(
    "name", ["safety", "asks_for_human", "loss_or_fraud_urgent", "legal_or_press_threat"]
)
def test_grave_cues_hand_over_in_any_mood(name: str) -> None:
    assert handover(name, sentiment=0.5).now


def test_leaving_hands_over_only_in_a_bad_mood() -> None:
    assert handover("wants_to_leave", sentiment=-0.8).now
    assert not handover("wants_to_leave", sentiment=0.4).now
    assert handover("wants_to_leave", sentiment=0.4, end=-0.6).now


@pytest.mark.parametrize(
    ("name", "probability", "now"),
    [
        ("safety", 0.35, True),
        ("safety", 0.3, False),
        ("asks_for_human", 0.45, False),
        ("asks_for_human", 0.5, True),
    ],
)
def test_a_cue_counts_from_its_probability_on(name: str, probability: float, now: bool) -> None:
    assert handover(name, probability=probability).now is now


def test_the_band_alone_is_enough() -> None:
    assert handover(band="P1").because == "The severity is P1."
    assert not handover(band="P2").now


def test_a_language_that_is_not_scored_goes_to_a_person() -> None:
    found = handover(readable=False, sentiment=None)
    assert found.now
    assert "'de'" in found.because


def test_a_conversation_that_stays_bad_is_handed_over() -> None:
    assert handover(sentiment=-0.2, end=-0.7, turns_read=3).now
    assert not handover(sentiment=-0.2, end=-0.7, turns_read=2).now
    assert not handover(sentiment=-0.2, end=0.1, turns_read=5).now


def test_otherwise_it_stays_and_says_so() -> None:
    assert handover("gratitude", sentiment=None) == Handover(
        now=False, because="Nothing in it asks for a person now."
    )
