"""What may follow what in the life of a loop, and who gets one."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.backlog.domain import LinkedCustomer, Resolution
from heardback_router.loops.domain import (
    FOLLOWS,
    NO_CUSTOMER,
    NO_ENDPOINT,
    NO_TEXT,
    Already,
    Answer,
    IllegalTransitionError,
    LoopEvent,
    Refuse,
    Take,
    fold,
    judge_answer,
    may_follow,
    message_id,
    plan_loops,
    state_by_deliveries,
)
from heardback_router.wording import CustomerText
from heardback_shared.contracts.events import LoopState

STATES: tuple[LoopState, ...] = get_args(LoopState)


def log(*states: LoopState) -> list[LoopEvent]:
    return [LoopEvent(n, state, NOON, "router") for n, state in enumerate(states, 1)]


@given(st.lists(st.sampled_from(STATES), max_size=7))
def test_a_log_folds_exactly_when_every_step_is_allowed(states: list[LoopState]) -> None:
    steps = zip([None, *states], states, strict=False)
    if states and all(may_follow(before, after) for before, after in steps):
        status = fold(log(*states))
        assert (status.state, status.sequence) == (states[-1], len(states))
    else:
        with pytest.raises(IllegalTransitionError):
            fold(log(*states))


def test_a_log_with_a_gap_is_broken() -> None:
    first, second = log("pending", "told")
    with pytest.raises(IllegalTransitionError):
        fold([first, LoopEvent(3, second.state, NOON, "router")])


def test_the_table_knows_every_state_and_ends_where_it_should() -> None:
    assert set(FOLLOWS) == set(STATES)
    assert {s for s in STATES if not FOLLOWS[s]} == {"not_told", "confirmed", "disputed"}


@pytest.mark.parametrize(
    ("state", "answer", "verdict"),
    [
        ("told", "confirmed", Take),
        ("told", "disputed", Take),
        ("pending", "confirmed", Take),
        ("failed", "disputed", Take),
        ("confirmed", "confirmed", Already),
        ("disputed", "disputed", Already),
        ("confirmed", "disputed", Refuse),
        ("disputed", "confirmed", Refuse),
        ("not_told", "confirmed", Refuse),
    ],
)
def test_a_customer_answers_once(state: LoopState, answer: Answer, verdict: type) -> None:
    assert isinstance(judge_answer(state, answer), verdict)


@pytest.mark.parametrize(
    ("deliveries", "state"),
    [
        (["pending"], "pending"),
        (["failed", "pending"], "pending"),
        (["failed", "failed"], "failed"),
        (["failed", "delivered"], "told"),
        (["pending", "delivered"], "told"),
        ([], "failed"),
    ],
)
def test_told_by_the_first_success_failed_when_none_is_left(deliveries: list[str], state: LoopState) -> None:
    assert state_by_deliveries(deliveries) == state


def resolution(
    *linked: LinkedCustomer, tell: str | None = "We fixed it.", because: str | None = None, number: int = 1
) -> Resolution:
    return Resolution(
        item_id="it_1",
        title="internal title",
        resolution_number=number,
        root_cause="internal cause",
        action="internal action",
        tell_customer=CustomerText(tell) if tell else None,
        not_telling_because=because,
        linked=linked,
        actor="key:ann",
    )


ANN = LinkedCustomer("c-1", ("fb_1", "fb_2"), "email")
NOBODY = LinkedCustomer(None, ("fb_3",), None)


def test_everyone_gets_a_loop_and_who_cannot_be_told_has_the_reason() -> None:
    told, nameless = plan_loops("default", resolution(ANN, NOBODY), has_endpoint=True)
    assert (told.state, told.reason, told.feedback_ids) == ("pending", None, ("fb_1", "fb_2"))
    assert (nameless.state, nameless.reason) == ("not_told", NO_CUSTOMER)


@pytest.mark.parametrize(
    ("tell", "because", "has_endpoint", "reason"),
    [
        ("We fixed it.", None, False, NO_ENDPOINT),
        (None, "it was our own test", True, "it was our own test"),
        (None, None, True, NO_TEXT),
    ],
)
def test_why_nobody_is_told(tell: str | None, because: str | None, has_endpoint: bool, reason: str) -> None:
    (plan,) = plan_loops("default", resolution(ANN, tell=tell, because=because), has_endpoint=has_endpoint)
    assert (plan.state, plan.reason) == ("not_told", reason)


def test_ids_are_the_same_for_a_repeat_and_differ_for_everything_else() -> None:
    (first,) = plan_loops("default", resolution(ANN), has_endpoint=True)
    (again,) = plan_loops("default", resolution(ANN), has_endpoint=False)
    (later,) = plan_loops("default", resolution(ANN, number=2), has_endpoint=True)
    (elsewhere,) = plan_loops("other", resolution(ANN), has_endpoint=True)
    bob, nobody, another = plan_loops(
        "default",
        resolution(LinkedCustomer("c-2", (), None), NOBODY, LinkedCustomer(None, ("fb_4",), None)),
        has_endpoint=True,
    )
    assert first.loop_id == again.loop_id
    ids = {p.loop_id for p in (first, later, elsewhere, bob, nobody, another)}
    assert len(ids) == 6
    assert message_id(first.loop_id, "ep_1") == message_id(again.loop_id, "ep_1")
    assert message_id(first.loop_id, "ep_1") != message_id(first.loop_id, "ep_2")
    assert "." not in message_id(first.loop_id, "ep_1")
