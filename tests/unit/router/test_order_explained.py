"""The order of lists is explained as it is: by the first key in which two items differ."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.logs import logged, opened

from heardback_router.backlog.domain import Counts, Item, Weight
from heardback_router.backlog.fold import fold
from heardback_router.backlog.listing import Filters, Sort
from heardback_router.backlog.order import Placed, because, compare, contributions_of, place_of
from heardback_router.backlog.weighing import weigh
from heardback_router.configuration.source import load_policies

WEIGHING = load_policies().weighing
BASE = fold([opened()])


def item(item_id: str, severity: float, minutes: int) -> Item:
    at = NOON + timedelta(minutes=minutes)
    return replace(BASE, id=item_id, weight=Weight(severity, "P2"), opened_at=at)


placed = st.builds(
    lambda number, severity, minutes, due: Placed(
        item(f"it_{number}", severity, minutes), None if due is None else NOON + timedelta(hours=due)
    ),
    st.integers(0, 4),
    st.sampled_from([20.0, 60.0, 80.0]),
    st.integers(0, 2),
    st.none() | st.integers(0, 2),
)
sorts: st.SearchStrategy[Sort] = st.sampled_from(["severity", "due"])


@given(placed, placed, sorts)
def test_the_one_above_is_the_one_a_sorted_list_shows_first(one: Placed, other: Placed, sort: Sort) -> None:
    said = compare(one, other, sort)
    first, second = sorted((one, other), key=lambda p: place_of(p, sort))
    assert (said.above, said.below) == (first.item, second.item)
    values: dict[str, tuple[object, object]] = {
        "due_at": (first.due_at, second.due_at),
        "severity": (first.item.weight.score, second.item.weight.score),
        "opened_at": (first.item.opened_at, second.item.opened_at),
        "id": (first.item.id, second.item.id),
    }
    keys = ["due_at", "severity", "opened_at"] if sort == "due" else ["severity", "opened_at"]
    differing = next((key for key in keys if values[key][0] != values[key][1]), "id")
    assert said.decided_by == differing


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3), st.integers(1, 200))
def test_what_is_shown_side_by_side_adds_up_to_both_severities(
    transfers: int, reopens: int, broken: int, customers: int
) -> None:
    counts = Counts(transfers=transfers, reopens=reopens, broken_promises=broken)
    weighed = weigh(BASE.worst, customers, (NOON,), counts, NOON, WEIGHING)
    heavy = replace(BASE, id="it_2", weight=weighed.weight, contributions=weighed.contributions)
    said = compare(Placed(BASE, None), Placed(heavy, None))
    for index, one in ((0, BASE), (1, heavy)):
        assert sum(factor["points"][index] for factor in said.side_by_side) == one.weight.score
    assert because(heavy).startswith(f"{heavy.weight.band}, {heavy.weight.score:g} points")


def test_an_item_that_was_never_weighed_again_is_its_only_feedback() -> None:
    assert [part["points"] for part in contributions_of(logged())] == [60.0]


@given(
    st.builds(
        Filters,
        team=st.none() | st.just("a"),
        band=st.sampled_from([(), ("P1",)]),
        unassigned=st.none() | st.booleans(),
    ),
    st.builds(
        Filters,
        team=st.none() | st.just("b"),
        due_before=st.none() | st.just(NOON),
        sort=st.sampled_from([None, "due"]),
    ),
)
def test_what_is_asked_beside_a_view_counts_more_than_the_view(asked: Filters, view: Filters) -> None:
    both = asked.over(view)
    assert both.team == (asked.team or view.team)
    assert both.band == (asked.band or view.band)
    assert both.unassigned is (asked.unassigned if asked.unassigned is not None else view.unassigned)
    assert (both.due_before, both.sort) == (view.due_before, view.sort)
    assert isinstance(both.due_before, datetime | None)
