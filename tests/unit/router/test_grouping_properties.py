"""Whatever arrives in whatever order: what grouping promises of partitions, sizes, alarms and records."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.grouped import saying

from heardback_router.backlog.domain import Item
from heardback_router.backlog.fold import fold
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import load_policies
from heardback_router.grouping.deciding import again
from heardback_router.grouping.domain import GroupingPolicy
from heardback_router.grouping.neighbourhood import Neighbourhood
from heardback_router.routing.plan import Arrival, Link, Plan, arrival_of

POLICIES = load_policies()
patiently = settings(deadline=None)


@dataclass
class Memory:
    """A backlog in memory, fed batch by batch as routing does."""

    policies: Policies = POLICIES
    items: dict[str, Item] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    around: Neighbourhood = field(default_factory=Neighbourhood)
    seen: set[str] = field(default_factory=set)
    plans: list[Plan] = field(default_factory=list)

    def receive(self, batch: Sequence[Arrival]) -> None:
        stored = {k: replace(link, arrival=None, decision=None) for k, link in self.links.items()}
        plan = Plan(self.policies, NOON, dict(self.items), stored, {}, self.around)
        for arrival in batch:
            plan.take("default", replace(arrival, known=arrival.event_id in self.seen))
            self.seen.add(arrival.event_id)
        self.items, self.links = plan.items, plan.links
        self.plans.append(plan)

    @property
    def partition(self) -> set[frozenset[str]]:
        members: dict[str, set[str]] = defaultdict(set)
        for feedback_id, link in self.links.items():
            members[link.item_id].add(feedback_id)
        return set(map(frozenset, members.values()))


def arrival(number: int, direction: int, away: float, policy: GroupingPolicy = POLICIES.grouping) -> Arrival:
    at = NOON + timedelta(minutes=number)
    return arrival_of(f"ev-{number}", saying(number, direction, away, at=at), False, policy)


def smaller(most: int) -> Policies:
    return replace(POLICIES, grouping=replace(POLICIES.grouping, most=most, alarms=()))


# At most 12 degrees off one of four axes: within a problem any two are near, across problems none are.
said = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 12)), min_size=1, max_size=14)


@patiently
@given(said, st.integers(0, 2**32))
def test_clear_problems_end_the_same_in_any_order_number_and_batches(
    what: list[tuple[int, float]], seed: int
) -> None:
    arrivals = [arrival(n, direction, away) for n, (direction, away) in enumerate(what)]
    in_order, shuffled = Memory(), Memory()
    in_order.receive(arrivals)
    again_and_again = arrivals * 2
    chance = random.Random(seed)
    chance.shuffle(again_and_again)
    while again_and_again:
        size = chance.randint(1, 5)
        shuffled.receive(again_and_again[:size])
        again_and_again = again_and_again[size:]
    assert shuffled.partition == in_order.partition
    assert len(in_order.partition) == len({direction for direction, _ in what})


@patiently
@given(said, st.integers(2, 5))
def test_no_item_grows_beyond_the_most_a_machine_may_make(what: list[tuple[int, float]], most: int) -> None:
    memory = Memory(smaller(most))
    for n, (direction, away) in enumerate(what):
        memory.receive([arrival(n, direction, away)])
    assert max(item.feedback_count for item in memory.items.values()) <= most
    for link in memory.links.values():
        assert link.item_id in memory.items


@patiently
@given(said)
def test_every_decision_can_be_made_again_from_its_record(what: list[tuple[int, float]]) -> None:
    memory = Memory()
    for n, (direction, away) in enumerate(what):
        memory.receive([arrival(n, direction, away)])
    for plan in memory.plans:
        for feedback_id in plan.written:
            record = plan.links[feedback_id].grouping
            assert record is not None
            assert again(record, POLICIES.grouping).record == record


@patiently
@given(st.lists(st.integers(0, 72), min_size=1, max_size=30))
def test_an_alarm_rings_once_and_not_before_its_time(hours: list[int]) -> None:
    memory, log = Memory(), []
    for n, hour in enumerate(hours):
        feedback = saying(n, 1, at=NOON + timedelta(hours=hour))
        memory.receive([arrival_of(f"ev-{n}", feedback, False, POLICIES.grouping)])
        log += [event for event, _ in memory.plans[-1].events]
    (item,) = memory.items.values()
    assert item == fold(log)
    most = max(sum(a <= b <= a + 24 for b in hours) for a in hours)
    assert [event.data["alarm"] for event in log if event.kind == "size_alarmed"] == (
        ["incident"] if most >= 5 else []
    )
