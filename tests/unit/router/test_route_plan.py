"""Whatever arrives in whatever batches: one link per feedback, items that equal the fold of their logs."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.scored import score, scored

from heardback_router.backlog.commands import Claim, decide
from heardback_router.backlog.domain import Item, ItemEvent, Weight, heaviest
from heardback_router.backlog.fold import apply, fold
from heardback_router.configuration.source import load_policies
from heardback_router.grouping.neighbourhood import Neighbourhood
from heardback_router.routing.plan import Arrival, Link, Plan, arrival_of

POLICIES = load_policies()


@dataclass
class Memory:
    """The backlog between batches."""

    items: dict[str, Item] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    logs: dict[str, list[ItemEvent]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)
    around: Neighbourhood = field(default_factory=Neighbourhood)

    def receive(self, batch: Sequence[Arrival]) -> Plan:
        weights: dict[str, dict[str, Weight]] = defaultdict(dict)
        for link in self.links.values():
            weights[link.item_id][link.feedback_id] = link.weight
        stored = {k: replace(link, arrival=None, decision=None) for k, link in self.links.items()}
        plan = Plan(POLICIES, NOON, dict(self.items), stored, weights, self.around)
        for arrival in batch:
            plan.take("default", replace(arrival, known=arrival.event_id in self.seen))
            self.seen.add(arrival.event_id)
        self.items, self.links = plan.items, plan.links
        for event, _ in plan.events:
            self.logs[event.item_id].append(event)
        return plan

    def check(self) -> None:
        for item_id, item in self.items.items():
            assert item == fold(self.logs[item_id])
            mine = [link for link in self.links.values() if link.item_id == item_id]
            assert item.feedback_count == len(mine)
            assert item.worst == heaviest(link.weight for link in mine)
            assert item.weight.score >= item.worst.score
            assert item.weight.band <= item.worst.band
            assert item.team in POLICIES.routing.titles

    def outcome(self) -> object:
        """What must not depend on how often or in what order things were delivered."""
        return {
            feedback_id: (link.standing, link.weight, self.items[link.item_id].team)
            for feedback_id, link in self.links.items()
        }, {
            item_id: (item.weight, item.team, item.feedback_count, item.key, item.title)
            for item_id, item in self.items.items()
        }


def arrival(number: int, customer: int, revision: int, pass_number: int, cause: str | None) -> Arrival:
    points = float((number * 37 + revision * 11 + pass_number * 5) % 100)
    feedback = scored(
        number,
        customer=f"c-{customer}" if customer else None,
        revision=revision,
        pass_number=pass_number,
        reading=score(points, cause),
        comment=f"Feedback {number} in revision {revision}",
        accepted_at=NOON + timedelta(minutes=number),
    )
    return arrival_of(f"ev-{number}-{revision}-{pass_number}", feedback, False, POLICIES.grouping)


causes = st.sampled_from(["operations/billing", "product/defect", None])
arrivals = st.builds(
    arrival, st.integers(1, 8), st.integers(0, 2), st.integers(1, 3), st.integers(1, 2), causes
)

# The machine may be busy; how long one example takes says nothing here.
patiently = settings(deadline=None)


@patiently
@given(st.lists(st.lists(arrivals, max_size=6), max_size=6))
def test_items_and_links_agree_after_every_batch(batches: list[list[Arrival]]) -> None:
    memory = Memory()
    for batch in batches:
        memory.receive(batch)
        memory.check()


@patiently
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2), causes), min_size=1, max_size=5),
    st.integers(0, 2**32),
)
def test_readings_of_one_feedback_end_the_same_in_any_order_and_number(
    readings: list[tuple[int, int, str | None]], seed: int
) -> None:
    distinct = {(r, p): arrival(1, 1, r, p, cause) for r, p, cause in readings}
    events = list(distinct.values())
    in_order, shuffled = Memory(), Memory()
    for event in events:
        in_order.receive([event])
    again = events * 3
    random.Random(seed).shuffle(again)
    half = len(again) // 2
    shuffled.receive(again[:half])
    shuffled.receive(again[half:])
    assert shuffled.outcome() == in_order.outcome()


@patiently
@given(st.lists(arrivals, max_size=12, unique_by=lambda a: a.feedback_id), st.integers(0, 2**32))
def test_customers_may_interleave_as_they_like(events: list[Arrival], seed: int) -> None:
    in_order, interleaved = Memory(), Memory()
    in_order.receive(events)
    queues: dict[str, list[Arrival]] = defaultdict(list)
    for event in events:
        queues[event.customer_id or event.feedback_id].append(event)
    chance = random.Random(seed)
    while queues:
        key = chance.choice(sorted(queues))
        event = queues[key].pop(0)
        interleaved.receive([event] * chance.randint(1, 3))
        if not queues[key]:
            del queues[key]
    assert interleaved.outcome() == in_order.outcome()


def test_what_a_person_touched_is_not_moved_by_a_better_reading() -> None:
    memory = Memory()
    memory.receive([arrival(1, 1, 1, 1, None)])
    (item,) = memory.items.values()
    claimed = decide(item, Claim("ana"), "ana", NOON, POLICIES.weighing)
    memory.logs[item.id].append(claimed)
    memory.items[item.id] = apply(item, claimed)
    memory.receive([arrival(1, 1, 1, 2, "product/defect")])
    (item,) = memory.items.values()
    assert (item.team, item.domain, item.assignee) == ("triage", None, "ana")
    assert item.worst == memory.links[next(iter(memory.links))].weight
    memory.check()


def test_a_better_reading_can_lighten_an_item_again() -> None:
    memory = Memory()
    heavy, light = (replace(arrival(1, 1, r, 1, "operations/billing"), event_id=f"e{r}") for r in (1, 2))
    plan = memory.receive([heavy, arrival(2, 1, 1, 1, "operations/billing")])
    assert [event.kind for event, _ in plan.events] == ["opened", "feedback_joined"]
    memory.receive([light])
    memory.check()
    (item,) = memory.items.values()
    assert item.feedback_count == 2
