"""What is owed on an item: the gate names every lack, and nothing passes it that is owed."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.logs import logged, opened

from heardback_router.backlog.commands import Close, Command, IllegalCommandError, Reopen, Resolve, decide
from heardback_router.backlog.domain import EventKind, Item, ItemEvent
from heardback_router.backlog.duties import Step
from heardback_router.backlog.fold import apply, fold
from heardback_router.backlog.gate import GateError, lacks_of
from heardback_router.configuration.source import load_policies
from heardback_router.promises.watch import PromiseWatch
from heardback_router.wording import CustomerText, InternalText

POLICIES = load_policies()
WHY = InternalText("because")
RESOLVE = Resolve(WHY, WHY, CustomerText("It works again."))
STEP = {"id": "call", "title": "Call", "mandatory": True, "approval": None, "because": "so"}
DUE = NOON + timedelta(hours=1)


def promise(promise_id: str = "pr_1") -> Mapping[str, Any]:
    return {"promise_id": promise_id, "what": "w", "to": "c-1", "by": "ana", "due_at": DUE.isoformat()}


def lacking(item: Item, command: Command) -> set[str]:
    with pytest.raises(GateError) as raised:
        decide(item, command, "ana", NOON, POLICIES.weighing)
    return {lack.pointer for lack in raised.value.lacks}


def test_every_lack_is_named_at_once() -> None:
    item = logged(
        ("criterion_set", {"text": "two right invoices", "source": "call"}),
        ("steps_chosen", {"policy": "p@1", "steps": [STEP, {**STEP, "id": "check", "mandatory": False}]}),
    )
    assert lacking(item, RESOLVE) == {"/criterion", "/steps/call"}


def test_an_optional_step_and_a_settled_criterion_hold_nothing_up() -> None:
    item = logged(
        ("criterion_set", {"text": "t", "source": "s"}),
        ("steps_chosen", {"policy": "p@1", "steps": [{**STEP, "mandatory": False}]}),
        ("criterion_settled", {"outcome": "met", "because": None}),
    )
    assert decide(item, RESOLVE, "ana", NOON, POLICIES.weighing).kind == "resolved"


def test_a_reopened_item_has_its_criterion_judged_again_and_links_the_resolution() -> None:
    item = logged(
        ("criterion_set", {"text": "t", "source": "s"}),
        ("criterion_settled", {"outcome": "waived", "because": "w"}),
    )
    resolved = apply(item, decide(item, RESOLVE, "ana", NOON, POLICIES.weighing))
    event = decide(resolved, Reopen(WHY, "loop_1"), "customer", NOON, POLICIES.weighing)
    assert (event.data["resolution"], event.data["loop_id"]) == (1, "loop_1")
    reopened = apply(resolved, event)
    assert lacking(reopened, RESOLVE) == {"/criterion"}
    again = apply(
        reopened,
        ItemEvent("it_1", reopened.version + 1, "criterion_settled", "ana", NOON, None, {"outcome": "met"}),
    )
    assert decide(again, RESOLVE, "ana", NOON, POLICIES.weighing).data["reworks"] == 1


def test_closing_asks_for_the_resolution_too() -> None:
    resolved = logged(
        (
            "resolved",
            {
                "number": 1,
                "root_cause": "",
                "action": "a",
                "tell_customer": None,
                "not_telling_because": None,
            },
        )
    )
    assert lacking(resolved, Close(WHY)) == {"/resolution/root_cause", "/resolution/tell_customer"}


@pytest.mark.parametrize(
    ("outcome", "asked_by", "holds"),
    [
        (None, None, True),
        ("skipped", None, True),
        ("refused", None, True),
        ("done", None, False),
        ("approved", None, False),
        ("skipped", "ana", False),
        ("refused", "ana", True),
    ],
)
def test_which_outcomes_of_a_mandatory_step_let_go(outcome: Any, asked_by: str | None, holds: bool) -> None:
    step = Step("s", "S", mandatory=True, approval=None, because="b", asked_by=asked_by, outcome=outcome)
    assert step.holds_up is holds
    assert not Step("s", "S", mandatory=False, approval=None, because="b", outcome=outcome).holds_up


entries = st.lists(
    st.sampled_from(
        [
            ("criterion_set", {"text": "t", "source": "s"}),
            ("criterion_settled", {"outcome": "met", "because": None}),
            ("steps_chosen", {"policy": "p@1", "steps": [STEP]}),
            ("step_settled", {"step": "call", "outcome": "done"}),
            ("step_settled", {"step": "call", "outcome": "refused"}),
            ("deviated", {"step": {**STEP, "id": "d", "approval": "lead", "asked_by": "ana"}}),
            ("step_settled", {"step": "d", "outcome": "skipped"}),
            ("step_settled", {"step": "d", "outcome": "approved"}),
        ]
    ),
    max_size=12,
)


@settings(deadline=None)
@given(entries)
def test_nothing_is_resolved_while_something_is_owed(
    tried: list[tuple[EventKind, Mapping[str, Any]]],
) -> None:
    item = logged(*tried)
    owed = bool(lacks_of(item))
    try:
        decide(item, RESOLVE, "ana", NOON, POLICIES.weighing)
    except GateError:
        assert owed
    else:
        assert not owed
        assert item.criterion is None or item.criterion.outcome
        assert not any(step.holds_up for step in item.steps)


def test_a_watch_breaks_each_promise_once_when_it_is_due_and_never_before() -> None:
    watch = PromiseWatch()
    later = {**promise("pr_2"), "due_at": (DUE + timedelta(days=1)).isoformat()}
    item = logged(("promised", promise()), ("promised", later))
    early = watch.look(item, (), POLICIES, NOON)
    assert (early.entries, early.again_at) == ((), DUE)
    look = watch.look(item, (), POLICIES, DUE)
    (entry,) = look.entries
    assert (entry.data["promise_id"], entry.data["outcome"]) == ("pr_1", "broken")
    assert look.again_at == DUE + timedelta(days=1)
    after = apply(item, ItemEvent("it_1", item.version + 1, entry.kind, "router", DUE, None, entry.data))
    assert watch.look(after, (), POLICIES, DUE).entries == ()
    assert (after.counts.open_promises, after.counts.broken_promises) == (1, 1)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["kept", "broken", "withdrawn", "dismissed"]), max_size=8), st.integers(0, 3))
def test_open_promises_are_those_given_and_not_settled(outcomes: list[str], still_open: int) -> None:
    done: list[tuple[EventKind, Mapping[str, Any]]] = []
    for number, outcome in enumerate(outcomes):
        if outcome != "dismissed":
            done.append(("promised", promise(f"pr_{number}")))
        settled = {"promise_id": f"pr_{number}", "outcome": outcome, "what": "w", "by": "ana"}
        done.append(("promise_settled", settled))
    done += [("promised", promise(f"pr_open{n}")) for n in range(still_open)]
    item = logged(*done)
    assert item.counts.open_promises == still_open == sum(p.state == "open" for p in item.promises)
    assert item.counts.broken_promises == outcomes.count("broken")


def test_a_merged_item_s_promises_can_still_be_settled_and_nothing_else_can() -> None:
    merged = fold([opened(), ItemEvent("it_1", 2, "merged", "ana", NOON, None, {"into": "it_2"})])
    with pytest.raises(IllegalCommandError):
        decide(merged, RESOLVE, "ana", NOON, POLICIES.weighing)
