"""Which steps are turned on, by a truth table per template; who settles them; how far people may deviate."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.logs import log_of, logged, opened

from heardback_router.backlog.domain import Item, Weight
from heardback_router.backlog.fold import fold
from heardback_router.configuration.source import load_policies, packaged
from heardback_router.steps.domain import called_for, newly_called_for, variables_of
from heardback_router.steps.policy import read_steps, read_thresholds, turned_on
from heardback_router.steps.settling import NotAnApproverError, StepRefusedError, UnknownStepError, settled
from heardback_router.steps.thresholds import MEASURES, Record, judge, moves, wilson
from heardback_router.steps.watch import StepsWatch
from heardback_shared.contracts.score import Band
from heardback_shared.policies.reading import PolicyError

STEPS = read_steps(packaged("steps.yaml"))
LIMITS = read_thresholds(packaged("thresholds.yaml"))
STAFFED = replace(LIMITS, approvers={"lead": ("ben", "eva"), "manager": ("cleo",), "director": ("dora",)})
POLICIES = load_policies()
BASE = fold([opened()])
OWNER, CALL, REVIEW = "inform-account-owner", "call-customer", "review-cause"


@pytest.mark.parametrize(
    ("template", "on"),
    [
        ("strategic-care", lambda tier, band, contract: tier == "strategic"),
        ("most-urgent", lambda tier, band, contract: band == "P1"),
        ("premium-contract", lambda tier, band, contract: contract == "premium"),
    ],
)
def test_the_truth_table_of_each_template(template: str, on: Any) -> None:
    (only,) = (t for t in STEPS.templates if t.name == template)
    bands: tuple[Band, ...] = ("P1", "P2", "P3", "P4")
    for tier, band, contract in product(
        (None, "strategic", "key", "standard"), bands, (None, "premium", "basic")
    ):
        item = replace(BASE, weight=Weight(60.0, band))
        facts = {"tier": tier, "context": {"contract": contract} if contract else {}}
        assert only.condition.holds(variables_of(item, facts)) is on(tier, band, contract)


@pytest.mark.parametrize(
    ("facts", "band", "steps"),
    [
        ({}, "P2", []),
        ({"tier": "strategic"}, "P2", [OWNER, CALL]),
        ({}, "P1", [CALL, REVIEW]),
        ({"tier": "strategic"}, "P1", [OWNER, CALL, REVIEW]),
        ({"context": {"contract": "premium"}}, "P2", [OWNER]),
        ({"context": {"contract": "premium"}}, "P1", [CALL, REVIEW, OWNER]),
    ],
)
def test_modules_recombine_and_each_step_is_there_once(
    facts: dict[str, Any], band: Any, steps: list[str]
) -> None:
    item = replace(BASE, weight=Weight(60.0, band))
    assert [step.id for step in called_for(item, [facts], STEPS)] == steps


def test_a_step_that_is_on_stays_on_and_is_turned_on_once() -> None:
    log = log_of()
    log[0] = opened(facts={"tier": "strategic"})
    look = StepsWatch().look(fold(log), log, POLICIES, log[-1].at)
    (entry,) = look.entries
    chosen = logged((entry.kind, entry.data), ("step_settled", {"step": CALL, "outcome": "done"}))
    assert newly_called_for(chosen, [{"tier": "strategic"}], STEPS) is None
    assert newly_called_for(chosen, [{}], STEPS) is None
    urgent = replace(chosen, weight=Weight(90.0, "P1"))
    data = newly_called_for(urgent, [{"tier": "strategic"}], STEPS)
    assert data is not None
    after = logged(
        (entry.kind, entry.data), ("step_settled", {"step": CALL, "outcome": "done"}), ("steps_chosen", data)
    )
    assert [(s.id, s.outcome) for s in after.steps] == [(OWNER, None), (CALL, "done"), (REVIEW, None)]


def with_steps(*steps: dict[str, Any], assignee: str | None = None) -> Item:
    plain = {"title": "T", "mandatory": True, "approval": None, "because": "b"}
    item = logged(("steps_chosen", {"policy": "p@1", "steps": [{**plain, **step} for step in steps]}))
    return replace(item, assignee=assignee)


def test_a_mandatory_step_is_locked() -> None:
    item = with_steps({"id": "a"})
    with pytest.raises(StepRefusedError, match="can be done, not skipped"):
        settled(item, "a", "skipped", "ana", STAFFED)
    with pytest.raises(UnknownStepError, match="it has: a"):
        settled(item, "b", "done", "ana", STAFFED)
    assert settled(item, "a", "done", "ana", STAFFED).id == "a"


def test_an_approval_needs_another_person_of_the_level_or_above() -> None:
    item = with_steps({"id": "a", "approval": "lead"}, assignee="ben")
    for actor in ("ben", "ana"):
        with pytest.raises(NotAnApproverError):
            settled(item, "a", "approved", actor, STAFFED)
    with pytest.raises(NotAnApproverError, match="nobody yet"):
        settled(item, "a", "approved", "eva", LIMITS)
    for actor in ("eva", "cleo", "dora"):
        assert settled(item, "a", "approved", actor, STAFFED).id == "a"
    with pytest.raises(StepRefusedError, match="approved or refused"):
        settled(item, "a", "done", "eva", STAFFED)


def test_a_chain_is_approved_in_order_by_different_people() -> None:
    policy = read_steps("""
policy: chain@1
templates:
  - name: all
    when: "true"
    because: Always.
    steps: [{id: pay, title: Pay out, mandatory: true, approval: [lead, manager]}]
""")
    chain = called_for(BASE, [{}], policy)
    assert [(s.id, s.approval) for s in chain] == [("pay/lead", "lead"), ("pay/manager", "manager")]
    item = replace(BASE, steps=chain)
    with pytest.raises(StepRefusedError, match="comes first"):
        settled(item, "pay/manager", "approved", "cleo", STAFFED)
    settled(item, "pay/lead", "approved", "cleo", STAFFED)
    item = replace(item, steps=(replace(chain[0], outcome="approved", settled_by="cleo"), chain[1]))
    with pytest.raises(NotAnApproverError, match="somebody else's"):
        settled(item, "pay/manager", "approved", "cleo", STAFFED)
    assert settled(item, "pay/manager", "approved", "dora", STAFFED)


def test_only_who_asked_takes_a_deviation_back() -> None:
    item = with_steps({"id": "d", "approval": "lead", "asked_by": "ana"})
    with pytest.raises(NotAnApproverError, match="Only ana"):
        settled(item, "d", "skipped", "ben", STAFFED)
    with pytest.raises(NotAnApproverError):
        settled(item, "d", "approved", "ana", replace(STAFFED, approvers={"lead": ("ana",)}))
    assert settled(item, "d", "skipped", "ana", STAFFED)


REFUND = LIMITS.processes[0]


@pytest.mark.parametrize(
    ("cost", "level"),
    [
        (0, None),
        (50, None),
        (50.01, "lead"),
        (500, "lead"),
        (501, "manager"),
        (5000, "manager"),
        (9999, "director"),
    ],
)
def test_the_level_a_refund_needs(cost: float, level: str | None) -> None:
    assert judge(LIMITS, REFUND, {"cost": cost}, "operations").level == level


measured = st.dictionaries(st.sampled_from(MEASURES), st.floats(0, 1e5), min_size=1)


def rank(level: str | None) -> int:
    return LIMITS.levels.index(level) if level else 0


@given(measured, st.sampled_from(MEASURES), st.floats(0, 1e5), st.floats(0.5, 2), st.floats(0, 2))
def test_more_of_anything_and_tighter_limits_never_need_less_approval(
    values: dict[Any, float], measure: Any, more: float, factor: float, wider: float
) -> None:
    for process in LIMITS.processes:
        tight = replace(LIMITS, factors={"t": factor})
        wide = replace(LIMITS, factors={"t": factor + wider})
        needed = rank(judge(tight, process, values, "t").level)
        assert (
            rank(judge(tight, process, {**values, measure: values.get(measure, 0) + more}, "t").level)
            >= needed
        )
        assert rank(judge(wide, process, values, "t").level) <= needed


@pytest.mark.parametrize(
    ("resolved", "reopened", "after"),
    [(500, 2, 1.25), (200, 40, 0.8), (200, 12, None), (20, 0, None), (6, 2, None), (0, 0, None)],
)
def test_limits_move_only_where_chance_cannot_explain_it(
    resolved: int, reopened: int, after: float | None
) -> None:
    found = moves(LIMITS, [Record("t", resolved, reopened)])
    assert [move.after for move in found] == ([after] if after else [])
    assert all(f"{reopened} of {resolved}" in move.because for move in found)


def test_a_factor_stays_within_its_bounds() -> None:
    widest = replace(LIMITS, factors={"t": 2.0})
    assert moves(widest, [Record("t", 500, 0)]) == ()
    nearly = replace(LIMITS, factors={"t": 1.9})
    assert [m.after for m in moves(nearly, [Record("t", 500, 0)])] == [2.0]


@given(st.integers(1, 2000), st.data())
def test_the_interval_holds_the_share(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("templates: [{name: a, when: 'item.', because: b, steps: [{id: x, title: X}]}]", "its condition"),
        ("templates: [{name: a, when: 'true', because: b, steps: [{module: m}]}]", "no module m"),
        ("tests: [{given: {}, steps: [x]}]", "test 1: turns on nothing"),
        ("tests: [{given: {weather: {}}, steps: []}]", "weather is none of"),
    ],
)
def test_a_steps_policy_that_cannot_be_used_says_why(text: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        read_steps(f"policy: p@1\n{text}")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("above: director", "above: king", "no level king"),
        ("up_to: 500,", "up_to: 5,", "must rise"),
        ("lead: []", "boss: []", "no level boss"),
        ("level: lead}", "level: manager}", "must rise"),
    ],
)
def test_a_thresholds_policy_that_cannot_be_used_says_why(before: str, after: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        read_thresholds(packaged("thresholds.yaml").replace(before, after))


def test_the_policy_s_own_tests_are_those_of_its_templates() -> None:
    assert turned_on(STEPS, variables_of(BASE, {"tier": "strategic"})) == (OWNER, CALL)
