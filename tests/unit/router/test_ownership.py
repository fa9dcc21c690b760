"""Every open item has a team whatever happens to it; a person is a separate matter."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.scored import score, scored
from tests.unit.router.test_ladder import Life

from heardback_router.assignment.queueing import teams_to_drain, waiting_of
from heardback_router.backlog.commands import (
    Claim,
    Close,
    Command,
    Comment,
    IllegalCommandError,
    Reassign,
    Reopen,
    Resolve,
    Start,
    decide,
)
from heardback_router.backlog.domain import Item
from heardback_router.backlog.family import PART_DONE, refuse_against_family
from heardback_router.backlog.fold import apply, fold
from heardback_router.backlog.log import Entry, entered
from heardback_router.configuration.source import load_policies
from heardback_router.routing.children import parts_of
from heardback_router.routing.domain import decide as route
from heardback_router.routing.inputs import inputs_of
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.contracts.events import ItemState

POLICIES = load_policies()
WHY = InternalText("because")
TOLD = Resolve(WHY, WHY, CustomerText("It works again."))
QUIETLY = Resolve(WHY, WHY, WHY)
deeds = st.one_of(
    st.builds(Claim, st.sampled_from(["ana", "ben"])),
    st.just(Start()),
    st.just(Comment(WHY)),
    st.just(TOLD),
    st.just(Reopen(WHY)),
    st.builds(Reassign, st.sampled_from(list(POLICIES.routing.titles)), st.just(WHY)),
    st.just(Close(WHY)),
    st.just(Entry("assigned", "router", "most room", {"assignee": "cleo"})),
    st.just(Entry("released", "router", "nothing happened", {"from": "cleo"})),
    st.just(Entry("escalated", "router", "nobody acted", {"level": "lead"})),
    st.just(Entry("paused", "ana", None, {"waiting_for": "waiting_for_customer"})),
)


def after(item: Item, deed: Command | Entry) -> Item:
    at = item.updated_at + timedelta(minutes=1)
    if isinstance(deed, Entry):
        ((_, changed),) = entered(item, [deed], at, POLICIES.weighing)
        return changed
    return apply(item, decide(item, deed, "ana", at, POLICIES.weighing))


@settings(deadline=None)
@given(st.lists(deeds, max_size=25))
def test_no_item_is_ever_without_a_team_and_only_a_handover_changes_it(
    tried: list[Command | Entry],
) -> None:
    item = Life().item
    for deed in tried:
        try:
            changed = after(item, deed)
        except IllegalCommandError:
            continue
        assert changed.team in POLICIES.routing.titles
        if not isinstance(deed, Reassign):
            assert changed.team == item.team
        if changed.assignee is None:
            assert changed.assigned_by is None
        item = changed


@settings(deadline=None)
@given(st.lists(deeds, max_size=25))
def test_what_somebody_has_is_never_given_out(tried: list[Command | Entry]) -> None:
    item = Life().item
    policy = replace(POLICIES.capacity, automatic=True)
    for deed in tried:
        before = item
        try:
            item = after(item, deed)
        except IllegalCommandError:
            continue
        teams = teams_to_drain(before, item, policy)
        if item.assignee is None and item.state in {"open", "in_progress"}:
            assert item.team in teams
        elif item.assignee == before.assignee and item.state == before.state:
            assert not teams


def test_room_is_made_by_resolving_returning_and_handing_over() -> None:
    item = after(Life().item, Claim("ana"))
    policy = POLICIES.capacity
    for deed in (TOLD, Entry("released", "router", None, {"from": "ana"}), Reassign("product", WHY)):
        assert "operations" in teams_to_drain(item, after(item, deed), policy)
    assert teams_to_drain(item, after(item, Comment(WHY)), policy) == set()
    assert teams_to_drain(None, Life().item, policy) == set()


def test_what_waits_is_known_by_tier_owner_and_cause() -> None:
    waiting = waiting_of(replace(Life().item, tier="key", owner="olga"))
    assert (waiting.tier, waiting.owner) == ("key", "olga")
    assert waiting.topics == {"operations", "operations/billing"}
    assert waiting_of(Life().item).tier == "unknown"


def family(*states: ItemState) -> tuple[Item, list[Item]]:
    ids = [f"it_{n}" for n in range(len(states))]
    parent = replace(Life().item, id="it_p", children=tuple(ids))
    return parent, [
        replace(parent, id=i, parent_id="it_p", state=s, team="product", children=())
        for i, s in zip(ids, states, strict=True)
    ]


@pytest.mark.parametrize("state", ["open", "in_progress", "resolved"])
@pytest.mark.parametrize("deed", [TOLD, QUIETLY, Close(WHY)])
def test_a_parent_is_not_done_before_its_children(state: ItemState, deed: Command) -> None:
    parent, children = family("closed", state)
    with pytest.raises(IllegalCommandError, match=r"it_1 \(product, ") as caught:
        refuse_against_family(parent, deed, children, None)
    assert "it_0" not in str(caught.value)
    refuse_against_family(parent, deed, family("closed", "closed")[1], None)
    for other in (Claim("ana"), Reassign("product", WHY), Comment(WHY)):
        refuse_against_family(parent, other, children, None)


def test_customers_hear_from_the_parent_only_and_a_child_comes_back_with_it() -> None:
    _, (child,) = family("open")
    with pytest.raises(IllegalCommandError, match="Customers hear from it_p"):
        refuse_against_family(child, TOLD, [], "open")
    refuse_against_family(child, QUIETLY, [], "open")
    for state in ("resolved", "closed"):
        with pytest.raises(IllegalCommandError, match=f"is {state}; reopen that first"):
            refuse_against_family(child, Reopen(WHY), [], state)
    refuse_against_family(child, Reopen(WHY), [], "open")
    resolved = after(child, QUIETLY)
    assert after(resolved, PART_DONE).state == "closed"


@pytest.mark.parametrize(
    ("cause", "further", "teams"),
    [
        ("operations/billing", [("product/defect", 0.5)], ["product"]),
        ("operations/billing", [("product/defect", 0.2)], []),
        ("operations/billing", [("operations/fulfilment", 0.9)], []),
        (
            "operations/billing",
            [("product/defect", 0.5), ("account/contract", 0.6)],
            ["product", "account-management"],
        ),
        ("operations/billing", [("product/defect", 0.5), ("product/usability", 0.5)], ["product"]),
        ("other/general", [("product/defect", 0.9)], []),
    ],
)
def test_a_child_for_each_further_domain_that_is_sure_enough(
    cause: str, further: list[tuple[str, float]], teams: list[str]
) -> None:
    inputs = inputs_of(scored(reading=score(60, cause, further=tuple(further))), NOON)
    parts = parts_of(inputs, route(inputs, POLICIES.routing), POLICIES.routing)
    assert [part.decision.team for part in parts] == teams
    for part in parts:
        again = route(part.decision.record["inputs"], POLICIES.routing.by_cause)
        assert again.record == part.decision.record


def test_while_a_gate_holds_it_back_there_are_no_children() -> None:
    reading = score(60, "operations/billing", further=(("product/defect", 0.9),), confidence=0.26)
    inputs = inputs_of(scored(reading=reading), NOON)
    assert parts_of(inputs, route(inputs, POLICIES.routing), POLICIES.routing) == ()


def test_a_child_goes_by_its_cause_even_where_the_parent_does_not() -> None:
    reading = score(60, "operations/billing", further=(("product/defect", 0.9),), cues=("wants_to_leave",))
    inputs = inputs_of(scored(tier="strategic", reading=reading), NOON)
    decision = route(inputs, POLICIES.routing)
    (part,) = parts_of(inputs, decision, POLICIES.routing)
    assert (decision.team, part.decision.team) == ("account-management", "product")


def test_a_fold_of_a_family_knows_its_children() -> None:
    life = Life().does("child_opened", "router", child_id="it_2", domain="product")
    assert fold(life.log).children == ("it_2",)
    assert not fold(life.log).touched
