"""Giving out a queue: caps hold, nobody idles, no tier starves whatever arrives, and the record replays."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON

from heardback_router.assignment.domain import (
    Allocation,
    CapacityPolicy,
    Person,
    TeamCapacity,
    Waiting,
    allocate,
    longest_wait,
)
from heardback_router.assignment.policy import read_capacity
from heardback_router.assignment.record import again, inputs_of
from heardback_router.configuration.source import packaged
from heardback_shared.contracts.score import Band
from heardback_shared.policies.reading import PolicyError

SHIPPED = read_capacity(packaged("capacity.yaml"))
ON = replace(SHIPPED, automatic=True)
TIERS = ("strategic", "key", "standard", "unknown")
BANDS: tuple[Band, ...] = ("P1", "P2", "P3", "P4")


def out(
    queue: Sequence[Waiting],
    people: Sequence[Person],
    policy: CapacityPolicy = ON,
    owed: Mapping[str, float] | None = None,
) -> Allocation:
    return allocate(queue, people, policy, NOON, team="operations", owed=owed)


def given_to(allocation: Allocation) -> list[tuple[str, str]]:
    return [(given.item_id, given.person) for given in allocation.given]


waits = st.builds(
    Waiting,
    st.integers(0, 10_000).map(lambda n: f"it_{n}"),
    st.sampled_from(BANDS),
    st.integers(0, 10_000).map(lambda n: NOON - timedelta(minutes=n)),
    st.sampled_from(TIERS),
    st.sampled_from([None, None, None, "ana", "zoe"]),
    st.sampled_from([frozenset(), frozenset({"operations", "operations/billing"}), frozenset({"product"})]),
    st.sampled_from([frozenset(), frozenset({"ben"})]),
)
queues = st.lists(waits, max_size=25, unique_by=lambda w: w.item_id)
crews = st.lists(
    st.builds(
        Person,
        st.sampled_from(["ana", "ben", "cleo", "dan"]),
        st.integers(1, 6),
        st.dictionaries(st.sampled_from(TIERS), st.integers(0, 3), max_size=2),
        st.sampled_from([frozenset(), frozenset({"strategic"}), frozenset({"key", "standard"})]),
        st.sampled_from([frozenset(), frozenset({"operations"})]),
        st.just("UTC"),
        st.sampled_from([None, NOON - timedelta(hours=1), NOON + timedelta(hours=1)]),
        st.sampled_from([True, True, False]),
    ),
    max_size=4,
    unique_by=lambda p: p.name,
)


@settings(deadline=None)
@given(queues, crews, st.booleans())
def test_caps_absences_and_what_people_take_are_respected(
    queue: list[Waiting], people: list[Person], automatic: bool
) -> None:
    allocation = out(queue, people, replace(ON, automatic=automatic))
    by_name = {p.name: p for p in people}
    asked = {w.item_id: w for w in queue}
    load = Counter({p.name: p.total for p in people})
    assert len({g.item_id for g in allocation.given}) == len(allocation.given)
    for one in allocation.given:
        person, waiting = by_name[one.person], asked[one.item_id]
        load[person.name] += 1
        assert load[person.name] <= person.cap
        assert person.here(NOON)
        assert person.takes(waiting)
        assert automatic or waiting.owner == person.name


@settings(deadline=None)
@given(queues, crews)
def test_nobody_idles_while_something_waits_that_they_take(
    queue: list[Waiting], people: list[Person]
) -> None:
    policy = replace(ON, reserved_share=0.0)
    allocation = out(queue, people, policy)
    load = Counter({p.name: p.total for p in people}) + Counter(g.person for g in allocation.given)
    gone = {g.item_id for g in allocation.given}
    for waiting in queue:
        able = [p for p in people if p.here(NOON) and load[p.name] < p.cap and p.takes(waiting)]
        assert waiting.item_id in gone or not able


@settings(deadline=None)
@given(queues, crews, st.dictionaries(st.sampled_from(TIERS), st.floats(0, 3)))
def test_a_giving_out_is_made_again_from_its_record(
    queue: list[Waiting], people: list[Person], owed: dict[str, float]
) -> None:
    kept = orjson.loads(orjson.dumps(inputs_of("operations", queue, people, owed, ON, NOON)))
    assert again(kept, ON) == out(queue, people, owed=owed)


def simulate(
    arrivals: Sequence[Sequence[tuple[str, Band]]], caps: Sequence[int], seed: int, policy: CapacityPolicy
) -> dict[str, int]:
    """Per tier the most turns it ever waited in a row while it could have been served.

    Each step something arrives, somebody finishes something at random, and the queue is given out.
    """
    chance = random.Random(seed)
    queue: list[Waiting] = []
    busy: list[tuple[str, str]] = []
    owed: Mapping[str, float] = {}
    waited: Counter[str] = Counter()
    most: Counter[str] = Counter()
    at, number = NOON, 0
    for step in arrivals:
        at += timedelta(minutes=1)
        for tier, band in step:
            number += 1
            queue.append(Waiting(f"it_{number:06}", band, at, tier))
        if busy:
            busy.pop(chance.randrange(len(busy)))
        people = [
            Person(f"p{n}", cap, Counter(tier for name, tier in busy if name == f"p{n}"))
            for n, cap in enumerate(caps)
        ]
        allocation = allocate(queue, people, policy, at, team="operations", owed=owed)
        owed = allocation.owed
        by_id = {w.item_id: w for w in queue}
        for one in allocation.given:
            tier = by_id[one.item_id].tier
            waiting = {w.tier for w in queue}
            queue.remove(by_id[one.item_id])
            busy.append((one.person, tier))
            for other in waiting - {tier}:
                waited[other] += 1
                most[other] = max(most[other], waited[other])
            waited[tier] = 0
            for gone in set(TIERS) - {w.tier for w in queue}:
                waited[gone] = 0
        load = Counter(name for name, _ in busy)
        assert all(load[f"p{n}"] <= cap for n, cap in enumerate(caps))
        assert len(busy) == sum(caps) or not queue, "somebody idles while something waits"
    return most


mixes = st.lists(
    st.lists(st.tuples(st.sampled_from(TIERS), st.sampled_from(BANDS)), max_size=4),
    min_size=60,
    max_size=150,
)


@settings(deadline=None, max_examples=60)
@given(mixes, st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(0, 2**16))
def test_no_tier_starves_under_any_arrival_mix(
    arrivals: list[list[tuple[str, Band]]], caps: list[int], seed: int
) -> None:
    policy = replace(ON, reserved_share=0.0)
    most = simulate(arrivals, caps, seed, policy)
    for tier, turns in most.items():
        assert turns <= longest_wait(policy.floors[tier], len(TIERS))


@pytest.mark.parametrize("flood", ["strategic", "key", "standard", "unknown"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_tier_starves_under_a_flood_of_urgent_items_of_another(flood: str, seed: int) -> None:
    policy = replace(ON, reserved_share=0.0)
    most = simulate(flooded(flood), [2, 1], seed, policy)
    for tier in set(TIERS) - {flood}:
        assert 0 < most[tier] <= longest_wait(policy.floors[tier], len(TIERS))


def flooded(flood: str) -> list[list[tuple[str, Band]]]:
    """Every place is taken; then two P1 of one tier for each place that frees, and some P4 of the others."""
    others: list[tuple[str, Band]] = [(tier, "P4") for tier in TIERS if tier != flood]
    urgent: list[tuple[str, Band]] = [(flood, "P1"), (flood, "P1")]
    return [urgent * 2, *([*urgent, *(others if n % 20 == 0 else ())] for n in range(300))]


def test_without_floors_the_flood_would_starve_the_others() -> None:
    """That the bound is the floors' doing, not the flood's weakness."""
    policy = replace(ON, reserved_share=0.0, floors=dict.fromkeys(TIERS, 0.0))
    assert simulate(flooded("key"), [2, 1], 1, policy)["standard"] > 250


def test_the_last_places_are_kept_for_reserved_tiers_and_the_rest_have_the_others() -> None:
    people = [Person("ana", 5), Person("ben", 5)]
    policy = replace(ON, reserved_share=0.2)
    many = [Waiting(f"s{n:02}", "P1", NOON, "standard") for n in range(20)]
    allocation = out(many, people, policy)
    assert len(allocation.given) == 8
    late = [Waiting("vip", "P4", NOON, "strategic")]
    full = [replace(p, load={"standard": 4}) for p in people]
    assert given_to(out([*many, *late], full, policy)) == [("vip", "ana")]
    # What reserved tiers have counts against what is kept for them.
    half = [Person("ana", 5, {"strategic": 2, "standard": 2}), Person("ben", 5, {"standard": 5})]
    assert len(out(many, half, policy).given) == 1


def test_the_heaviest_band_first_and_of_one_band_the_oldest() -> None:
    old, new = NOON - timedelta(days=2), NOON - timedelta(days=1)
    queue = [
        Waiting("new-p2", "P2", new, "key"),
        Waiting("old-p2", "P2", old, "key"),
        Waiting("new-p1", "P1", new, "key"),
        Waiting("old-p3", "P3", old, "key"),
    ]
    order = [given.item_id for given in out(queue, [Person("ana", 10)]).given]
    assert order == ["new-p1", "old-p2", "new-p2", "old-p3"]


def test_the_person_with_the_most_room_comes_first_so_that_load_stays_even() -> None:
    queue = [Waiting(f"i{n}", "P2", NOON, "key") for n in range(6)]
    people = [Person("ana", 4, {"key": 2}), Person("ben", 4), Person("cleo", 8)]
    load = Counter(given.person for given in out(queue, people).given)
    assert (load["ana"], load["ben"], load["cleo"]) == (0, 2, 4)


def test_the_account_owner_comes_first_even_where_the_team_is_not_given_out() -> None:
    off = replace(ON, automatic=False)
    queue = [Waiting("his", "P4", NOON, "strategic", owner="olga"), Waiting("other", "P1", NOON, "key")]
    olga = Person("olga", 3, member=False)
    assert given_to(out(queue, [olga, Person("ana", 3)], off)) == [("his", "olga")]
    assert given_to(out(queue, [replace(olga, load={"key": 3})], off)) == []
    away = replace(olga, away_until=NOON + timedelta(days=1))
    assert dict(given_to(out(queue, [away, Person("ana", 3)]))) == {"his": "ana", "other": "ana"}


def test_who_let_it_lie_does_not_get_it_again() -> None:
    queue = [Waiting("i", "P1", NOON, "key", not_to=frozenset({"ana"}))]
    assert given_to(out(queue, [Person("ana", 3), Person("ben", 3, {"key": 2})])) == [("i", "ben")]
    mine = [replace(queue[0], owner="ana")]
    assert given_to(out(mine, [Person("ana", 3)])) == []


def test_a_team_may_differ_from_the_rest() -> None:
    policy = replace(SHIPPED, teams={"operations": TeamCapacity(automatic=True, cap=3)})
    assert (policy.gives("operations"), policy.gives("product")) == (True, False)
    assert [policy.cap_of("operations", own) for own in (None, 7)] == [3, 7]
    assert policy.cap_of("product", None) == SHIPPED.cap


def test_nothing_is_given_out_unless_somebody_asked_for_it() -> None:
    assert not SHIPPED.automatic
    assert out([Waiting("i", "P1", NOON, "key")], [Person("ana", 3)], SHIPPED).given == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("strategic: 0.25", "strategic: 0.95"), "more than 1"),
        (("unknown: 0.1", "unknown: 0"), "might never be served"),
        (("cap: 10", "cap: 0"), "cap: Input should be greater than or equal to 1"),
        (("share: 0.1", "share: 0.95"), "reserved/share"),
        (("automatic: false", "automatc: false"), "automatc: Extra inputs"),
    ],
)
def test_a_capacity_policy_with_faults_is_refused(change: tuple[str, str], says: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_capacity(packaged("capacity.yaml").replace(*change, 1))
    assert says in str(caught.value)


def test_longest_waits_of_the_shipped_policy() -> None:
    assert {tier: longest_wait(floor, 4) for tier, floor in SHIPPED.floors.items()} == {
        "strategic": 13,
        "key": 16,
        "standard": 16,
        "unknown": 31,
    }
