"""Decisions about models: what a promotion needs, and that a rollback undoes exactly one."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.registry import comparison, registered

from heardback_scoring.domain.registry import (
    UNDECIDED,
    Candidate,
    DecisionRefused,
    Registered,
    RegistryState,
    promoted,
    rolled_back,
    shadowed,
)

BASE, NEW, OTHER = registered("default", "a"), registered("new.toml", "b"), registered("other.toml", "c")


def promote(state: RegistryState, model: Registered, **how: Any) -> RegistryState:
    in_force = state.active or BASE
    given = how.pop("comparison", comparison(in_force.ref, model.ref))
    return promoted(state, model, in_force, given, by="ana", because="better", at=NOON, **how)


def rollback(state: RegistryState) -> RegistryState:
    return rolled_back(state, BASE, by="bo", because="worse", at=NOON + timedelta(hours=1))


def test_a_passed_comparison_promotes_and_stands_in_the_decision() -> None:
    rests_on = comparison(BASE.ref, NEW.ref)
    state = promote(UNDECIDED, NEW, comparison=rests_on)
    decision = state.decision
    assert decision is not None
    assert (state.active, state.before) == (NEW, (None,))
    assert (decision.number, decision.by, decision.because, decision.at) == (1, "ana", "better", NOON)
    assert (decision.came_from, decision.to) == (BASE, NEW)
    assert (decision.record, decision.verdict, decision.overridden) == (rests_on.digest, "pass", False)


@pytest.mark.parametrize(
    ("against", "why"),
    [
        (None, "no comparison record"),
        (comparison(BASE.ref, NEW.ref, verdict="fail"), "verdict is fail"),
        (comparison(BASE.ref, OTHER.ref), "of a model with sha256 c"),
        (comparison(OTHER.ref, NEW.ref), "compared with other.toml@1, while default@1 is in force"),
    ],
)
def test_without_a_fitting_comparison_only_an_override_promotes(against: Any, why: str) -> None:
    with pytest.raises(DecisionRefused, match=why):
        promote(UNDECIDED, NEW, comparison=against)
    state = promote(UNDECIDED, NEW, comparison=against, override=True)
    assert state.active == NEW
    assert state.decision is not None
    assert state.decision.overridden


def test_an_override_that_was_not_needed_is_not_recorded_as_one() -> None:
    decision = promote(UNDECIDED, NEW, override=True).decision
    assert decision is not None
    assert not decision.overridden


def test_the_model_in_force_is_not_promoted_again() -> None:
    with pytest.raises(DecisionRefused, match="in force already"):
        promote(promote(UNDECIDED, NEW), NEW, override=True)


def test_each_rollback_goes_back_one_and_the_last_to_the_settings() -> None:
    state = rollback(promote(promote(UNDECIDED, NEW), OTHER))
    assert state.active == NEW
    state = rollback(state)
    assert state.active is None
    assert state.decision is not None
    assert (state.decision.number, state.decision.came_from, state.decision.to) == (4, NEW, BASE)
    with pytest.raises(DecisionRefused, match="nothing to go back to"):
        rollback(state)


@given(st.lists(st.sampled_from([NEW, OTHER, registered("third", "d"), None]), max_size=12))
def test_promotions_and_rollbacks_are_a_stack(steps: list[Registered | None]) -> None:
    """None rolls back. Numbers count every decision; the model in force is the top of what is not undone."""
    state, taken = UNDECIDED, 0
    stack: list[Registered] = []
    for model in steps:
        try:
            state = rollback(state) if model is None else promote(state, model)
        except DecisionRefused:
            assert (not stack) if model is None else (stack and stack[-1] == model)
            continue
        taken += 1
        if model is None:
            stack.pop()
        else:
            stack.append(model)
        assert state.active == (stack[-1] if stack else None)
        assert len(state.before) == len(stack)
        assert state.decision is not None
        assert state.decision.number == taken
        assert RegistryState.model_validate_json(state.model_dump_json(by_alias=True)) == state


def test_a_candidate_watches_until_it_is_promoted_or_ended() -> None:
    watching = shadowed(UNDECIDED, Candidate(model=NEW, share=0.2), BASE, by=None, because=None, at=NOON)
    assert watching.active is None
    assert watching.candidate == Candidate(model=NEW, share=0.2)
    assert promote(watching, OTHER).candidate == watching.candidate
    assert promote(watching, NEW).candidate is None
    ended = shadowed(watching, None, BASE, by="ana", because="seen enough", at=NOON)
    assert ended.candidate is None
    assert ended.decision is not None
    assert (ended.decision.came_from, ended.decision.to) == (NEW, None)
    with pytest.raises(DecisionRefused, match="no shadow"):
        shadowed(ended, None, BASE, by=None, because=None, at=NOON)


def test_the_model_in_force_cannot_watch_itself() -> None:
    with pytest.raises(DecisionRefused, match="cannot watch itself"):
        shadowed(UNDECIDED, Candidate(model=BASE), BASE, by=None, because=None, at=NOON)
