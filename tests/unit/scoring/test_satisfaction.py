"""The satisfaction predictor: bounded, deterministic, and never lowered by a turn that is read as better."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.satisfaction import by_hand, dialogue, turn

from heardback_scoring.domain.satisfaction import (
    SHOWN_TURNS,
    STATISTICS,
    CustomerTurn,
    Dialogue,
    features_of,
    turns_that_counted,
)
from heardback_scoring.models.satisfaction_file import from_bytes, to_bytes

MODEL = by_hand({"customer_turns": 0.05, "answers": 0.02}, {"thanks": 0.4, "useless": -0.4})
texts = st.sampled_from(
    ["thanks a lot!", "useless", "When does it come?", "ok", "", "👍", "It is late, again"]
)
talks = st.lists(st.tuples(texts, st.floats(-1, 1)), min_size=1, max_size=4).map(
    lambda rows: [turn(text, score) for text, score in rows]
)


@settings(deadline=None)
@given(talks, st.lists(st.integers(0, 500), max_size=5), st.booleans())
def test_it_is_bounded_and_the_same_every_time(
    turns: list[CustomerTurn], answers: list[int], last: bool
) -> None:
    talk = dialogue(*turns, answers=answers, customer_last=last)
    found = MODEL.predict(talk)
    assert -1 <= found <= 1
    assert found == MODEL.predict(Dialogue(tuple(turns), tuple(answers), last))


@settings(deadline=None)
@given(talks, st.data())
def test_a_better_mood_of_a_turn_never_lowers_it(turns: list[CustomerTurn], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(turns) - 1))
    negative = data.draw(st.floats(0, turns[place].negative))
    positive = data.draw(st.floats(turns[place].positive, 1))
    better = list(turns)
    better[place] = replace(turns[place], negative=negative, positive=positive)
    assert MODEL.predict(dialogue(*better)) >= MODEL.predict(dialogue(*turns)) - 1e-9


@settings(deadline=None)
@given(talks)
def test_the_embedding_and_the_words_of_the_last_turn_count(turns: list[CustomerTurn]) -> None:
    content = [*turns[:-1], turn("thanks", 0.5)]
    angry = [*turns[:-1], turn("useless", -0.5)]
    assert MODEL.predict(dialogue(*content)) >= MODEL.predict(dialogue(*angry))


def test_what_training_never_saw_counts_as_the_nearest_it_saw() -> None:
    model = replace(MODEL, low=np.full(len(STATISTICS), 0.69), high=np.full(len(STATISTICS), 1.61))
    few, many = ([turn("ok")] * n for n in (4, 200))
    assert model.predict(dialogue(*few)) == pytest.approx(model.predict(dialogue(*many)), abs=0.05)
    unanswered, hardly = (dialogue(turn("ok"), answers=words) for words in ((), (1,)))
    assert model.predict(unanswered) == pytest.approx(model.predict(hardly), abs=1e-3)


def test_cues_are_taken_from_any_turn_and_from_the_last() -> None:
    talk = dialogue(turn("a", cues={"anger": 0.7}), turn("b", cues={"anger": 0.2}))
    found = features_of(talk, ("anger", "joy"))
    assert found.statistics[len(STATISTICS) :].tolist() == [0.7, 0.0, 0.2, 0.0]


def test_a_file_brings_the_same_model_back_and_is_the_same_each_time() -> None:
    content = to_bytes(MODEL)
    assert content == to_bytes(MODEL)
    back = from_bytes(content)
    talk = dialogue(turn("thanks", 0.5), turn("useless", -0.9))
    assert back.predict(talk) == pytest.approx(MODEL.predict(talk), abs=1e-3)
    assert to_bytes(back) == content
    assert len(back.sha256) == 64


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="statistics are expected"):
        replace(MODEL, low=np.zeros(3))
    with pytest.raises(ValueError, match="buckets are expected"):
        replace(MODEL, said=np.zeros(3, dtype=np.float32))


def test_the_turns_that_counted_are_named_with_their_sign() -> None:
    talk = dialogue(turn("ok", 0.0), turn("when", 0.1), turn("useless", -0.9))
    counted = turns_that_counted(MODEL, talk)
    assert counted[0][0] == 2
    assert counted[0][1] < 0
    assert turns_that_counted(MODEL, dialogue(turn("useless", -0.9))) == []


@settings(deadline=None)
@given(talks)
def test_what_a_turn_counts_is_what_leaving_it_out_changes(turns: list[CustomerTurn]) -> None:
    talk = dialogue(*turns)
    counted = turns_that_counted(MODEL, talk)
    assert len(counted) <= SHOWN_TURNS
    for place, weight in counted:
        change = MODEL.predict(talk) - MODEL.predict(talk.without(place))
        assert weight == pytest.approx(max(-1.0, min(1.0, change)))
