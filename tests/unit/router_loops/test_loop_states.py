"""What may follow what in the life of a loop, in which round, and what its log says."""

from datetime import timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.loops.domain import (
    FIRST,
    FOLLOWS,
    WORKING,
    Already,
    Answer,
    IllegalTransitionError,
    LoopEvent,
    LoopStatus,
    Refuse,
    Take,
    after,
    event_after,
    fold,
    judge_answer,
    loop_id,
    may_follow,
    message_id,
    round_after,
)
from heardback_router.loops.outcomes import outcome_of
from heardback_router.outreach.domain import MessageState, Standing
from heardback_shared.contracts.events import LoopState

STATES: tuple[LoopState, ...] = get_args(LoopState)
ENDS: tuple[MessageState, ...] = ("sent", "failed", "refused", "cancelled")


def log(*states: LoopState) -> list[LoopEvent]:
    """As the domain makes it. Raises IllegalTransitionError."""
    events = [LoopEvent(1, 1, states[0], NOON, "router")]
    status = fold(events)
    for state in states[1:]:
        events.append(event_after(status, state, status.since + timedelta(minutes=1), "router"))
        status = after(status, events[-1])
    return events


@st.composite
def lives(draw: st.DrawFn) -> list[LoopState]:
    """Steps that may follow each other."""
    states: list[LoopState] = [FIRST]
    for _ in range(draw(st.integers(0, 12))):
        states.append(draw(st.sampled_from(sorted(FOLLOWS[states[-1]]))))
    return states


@given(lives())
def test_the_log_is_the_truth(states: list[LoopState]) -> None:
    events = log(*states)
    status = fold(events)
    assert (status.state, status.sequence) == (states[-1], len(states))
    assert [e.state for e in events] == states
    rounds = [e.round for e in events]
    assert rounds == sorted(rounds)
    assert all(later - before <= 1 for before, later in pairwise(rounds))
    assert status.round == rounds[-1]


@given(lives())
def test_in_no_round_is_anything_told_or_answered_twice(states: list[LoopState]) -> None:
    events = log(*states)
    for number in {e.round for e in events}:
        said = [e.state for e in events if e.round == number]
        assert all(said.count(state) <= 1 for state in STATES), said
        assert not {"confirmed", "disputed"} <= set(said)


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=7))
def test_a_log_is_made_exactly_when_every_step_is_allowed(states: list[LoopState]) -> None:
    allowed = all(may_follow(b, a) for b, a in zip([None, *states], states, strict=False))
    if allowed:
        assert fold(log(*states)).state == states[-1]
    else:
        with pytest.raises(IllegalTransitionError):
            log(*states)


@given(lives(), st.data())
def test_a_gap_a_wrong_round_and_a_step_back_in_time_are_refused(
    states: list[LoopState], data: st.DataObject
) -> None:
    events = log(*states)
    place = data.draw(st.integers(0, len(events) - 1))
    event = events[place]
    broken = data.draw(
        st.sampled_from(
            [
                LoopEvent(event.sequence + 1, event.round, event.state, event.at, event.actor),
                LoopEvent(event.sequence, event.round + 1, event.state, event.at, event.actor),
            ]
        )
    )
    with pytest.raises(IllegalTransitionError):
        fold([*events[:place], broken])
    if place:
        early = LoopEvent(event.sequence, event.round, event.state, NOON - timedelta(days=1), event.actor)
        with pytest.raises(IllegalTransitionError):
            fold([*events[:place], early])


def test_an_empty_log_is_no_loop() -> None:
    with pytest.raises(IllegalTransitionError):
        fold([])


def test_the_table_knows_every_state_and_every_state_leads_on() -> None:
    assert set(FOLLOWS) == set(STATES)
    assert all(FOLLOWS[state] for state in STATES)


def test_a_dispute_begins_the_next_round_on_the_same_loop() -> None:
    rounds = [(e.state, e.round) for e in log("acknowledged", "planned", "changed", "told", "disputed")]
    assert {number for _, number in rounds} == {1}
    again = log("acknowledged", "changed", "told", "disputed", "planned", "changed", "told", "confirmed")
    assert [e.round for e in again] == [1, 1, 1, 1, 2, 2, 2, 2]


def test_what_was_taken_back_before_it_left_begins_a_round_of_its_own() -> None:
    """Its message is another one then: the first never goes out."""
    assert [e.round for e in log("acknowledged", "changed", "acknowledged", "changed")] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("state", "answer", "verdict"),
    [
        ("told", "confirmed", Take),
        ("told", "disputed", Take),
        ("changed", "confirmed", Take),
        ("failed", "disputed", Take),
        ("confirmed", "confirmed", Already),
        ("disputed", "disputed", Already),
        ("confirmed", "disputed", Refuse),
        ("disputed", "confirmed", Refuse),
        ("not_told", "confirmed", Refuse),
        ("acknowledged", "disputed", Refuse),
        ("planned", "confirmed", Refuse),
    ],
)
def test_a_customer_answers_each_round_once(state: LoopState, answer: Answer, verdict: type) -> None:
    assert isinstance(judge_answer(state, answer), verdict)


@given(st.sampled_from(STATES), st.sampled_from(get_args(Answer)))
def test_an_answer_that_counts_may_follow(state: LoopState, answer: Answer) -> None:
    if isinstance(judge_answer(state, answer), Take):
        assert may_follow(state, answer)
        assert round_after(state, 3, answer) == 3


STATUS = st.builds(LoopStatus, st.sampled_from(STATES), st.integers(1, 3), st.integers(1, 9), st.just(NOON))
STANDING = st.builds(Standing, st.just("msg_1"), st.sampled_from(get_args(MessageState)), st.just(NOON))


@given(STANDING, STATUS, st.integers(1, 3), st.sampled_from(["told", "planned", "delayed"]))
def test_only_a_message_of_this_round_moves_a_loop_and_only_where_it_may(
    standing: Standing, status: LoopStatus, number: int, step: str
) -> None:
    outcome = outcome_of(standing, (number, step), status)  # type: ignore[arg-type]
    if standing.state not in ENDS or (number, step) != (status.round, "told"):
        assert outcome is None
    elif outcome is not None:
        assert not outcome.before
        assert may_follow(status.state, outcome.state)


@given(STANDING, STATUS)
def test_a_message_from_elsewhere_closes_what_was_not_told_and_never_undoes_an_answer(
    standing: Standing, status: LoopStatus
) -> None:
    outcome = outcome_of(standing, None, status)
    if outcome is None:
        return
    state: LoopState = status.state
    for step in (*outcome.before, outcome.state):
        assert may_follow(state, step)
        state = step
    assert status.state not in {"confirmed", "disputed", "told"}
    assert outcome.before == () or (standing.state == "sent" and status.state in {*WORKING, "not_told"})


def test_ids_are_the_same_for_a_repeat_and_differ_for_everything_else() -> None:
    ids = [
        loop_id("default", "it_1", "fb_1"),
        loop_id("default", "it_1", "fb_2"),
        loop_id("default", "it_2", "fb_1"),
        loop_id("other", "it_1", "fb_1"),
        message_id("lp_1", 1, "told"),
        message_id("lp_1", 2, "told"),
        message_id("lp_2", 1, "told"),
        message_id("lp_1", 1, "planned"),
        message_id("lp_1", 1, "delayed", "pr_1"),
        message_id("lp_1", 1, "delayed", "pr_2"),
    ]
    assert len(set(ids)) == len(ids)
    assert message_id("lp_1", 1, "told") == message_id("lp_1", 1, "told")
