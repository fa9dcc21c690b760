"""What users of other products complain of in routing and assignment, as tests."""

import copy
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.unit.router.test_assignment import ON, SHIPPED, flooded, given_to, out, simulate
from tests.unit.router.test_ladder import MONDAY, Life, on

from heardback_router.assignment.domain import Person, Waiting
from heardback_router.configuration.source import packaged
from heardback_router.routing.domain import RoutingPolicy, decide
from heardback_router.routing.policy import read_routing
from heardback_router.routing.trials import given as event

CONDITIONS = (
    'score.domain == "operations"',
    'customer.tier == "key"',
    "score.severity.score >= 50.0",
    '"press" in score.cues',
    "customer.open_items > 2",
)
events = st.builds(
    lambda domain, tier, severity, press, items: event(
        {
            "score": {
                "domain": domain,
                "severity": {"score": severity, "band": "P2"},
                "cues": {"press": 0.9} if press else {},
            },
            "customer": {"tier": tier, "open_items": items},
        }
    ),
    st.sampled_from(["", "operations", "product"]),
    st.sampled_from(["", "key"]),
    st.sampled_from([10.0, 50.0, 90.0]),
    st.booleans(),
    st.sampled_from([None, 1, 5]),
)


def ordered(order: list[int]) -> RoutingPolicy:
    rules = "".join(
        f"  - {{name: rule-{n}, when: '{CONDITIONS[n]}', team: team-{n}, because: It says so.}}\n"
        for n in order
    )
    teams = ", ".join(f"{{id: team-{n}, title: T}}" for n in range(len(CONDITIONS)))
    return read_routing(f"policy: t@1\nteams: [{teams}, {{id: z, title: Z}}]\ncatch_all: z\nrules:\n{rules}")


def true_of(inputs: dict[str, Any]) -> set[int]:
    score, customer = inputs["score"], inputs["customer"]
    holds = (
        score["domain"] == "operations",
        customer["tier"] == "key",
        score["severity"]["score"] >= 50,
        "press" in score["cues"],
        (customer["open_items"] or 0) > 2,
    )
    return {n for n, held in enumerate(holds) if held}


@settings(deadline=None)
@given(st.permutations(range(len(CONDITIONS))), events)
def test_complaint_the_order_of_the_rules_is_the_order_that_counts(
    order: list[int], inputs: dict[str, Any]
) -> None:
    decision = decide(inputs, ordered(order))
    first = next((n for n in order if n in true_of(inputs)), None)
    assert decision.team == ("z" if first is None else f"team-{first}")
    losers = decision.record["losers"]
    told = [*losers["false"], *(name for names in losers["error"].values() for name in names)]
    assert losers["not_reached"] == [f"rule-{n}" for n in order[len(told) + 1 :]]


@settings(deadline=None)
@given(st.lists(events, min_size=1, max_size=10))
def test_complaint_the_same_feedback_always_goes_to_the_same_team(seen: list[dict[str, Any]]) -> None:
    order = list(range(len(CONDITIONS)))
    rules = ordered(order)
    first = [decide(inputs, rules).record for inputs in seen]
    later = [decide(copy.deepcopy(inputs), rules).record for inputs in reversed(seen)][::-1]
    afresh = [decide(inputs, ordered(order)).record for inputs in seen]
    assert first == later == afresh


def test_complaint_inaccurate_guesses_are_not_assigned() -> None:
    policy = read_routing(packaged("routing.yaml"))
    unsure = event({"score": {"domain": "product", "category": "defect", "confidence": 0.27}})
    decision = decide(unsure, policy)
    assert (decision.team, decision.owner) == ("triage", None)
    assert "too uncertain to guess" in decision.because
    # And nobody is given anything unless the team asked for that.
    assert out([Waiting("i", "P1", NOON, "key")], [Person("ana", 5)], SHIPPED).given == ()


def test_complaint_a_rule_that_gives_way_says_to_which() -> None:
    decision = decide(
        event({"score": {"domain": "operations"}, "customer": {"tier": "key"}}), ordered([1, 0])
    )
    assert decision.record["winner"]["rule"] == "rule-1"
    assert decision.record["losers"] == {"false": [], "error": {}, "not_reached": ["rule-0"]}
    assert decision.record["default"] == {"team": "z", "taken": False}


def test_complaint_assigned_but_nobody_acts_goes_back_and_then_up() -> None:
    life = Life(band="P1").given("ben")
    assert [what for what, _ in life.until(on(0, 17))] == ["released", "lead", "manager"]
    assert (life.item.team, life.item.assignee) == ("operations", None)


def test_complaint_nobody_is_escalated_past_who_has_acted() -> None:
    life = Life(band="P1").given("ben")
    life.until(MONDAY + timedelta(minutes=29))
    life.does("responded", "ben", note="on it")
    assert life.until(MONDAY + timedelta(minutes=58)) == []


def test_complaint_a_rule_works_on_items_that_were_open_before_it() -> None:
    """And as often as it applies, not once per item."""
    life = Life(band="P1")
    assert [what for what, _ in life.until(on(0, 12))] == ["lead", "manager"]
    life.does("commented", "ana", text="hm")
    assert [what for what, _ in life.until(on(0, 17))] == ["lead", "manager"]


def test_complaint_load_is_even() -> None:
    queue = [Waiting(f"i{n:02}", "P2", NOON + timedelta(minutes=n), "key") for n in range(30)]
    people = [Person(name, 20, {"key": busy}) for name, busy in (("ana", 9), ("ben", 0), ("cleo", 3))]
    load = Counter(given.person for given in out(queue, people, replace(ON, reserved_share=0)).given)
    totals = {"ana": 9 + load["ana"], "ben": load["ben"], "cleo": 3 + load["cleo"]}
    assert max(totals.values()) - min(totals.values()) <= 1


def test_complaint_important_customers_do_not_push_out_everybody_else() -> None:
    most = simulate(flooded("strategic"), [3, 3], 7, replace(ON, reserved_share=0))
    assert 0 < most["standard"] <= 16


def test_complaint_a_wait_in_the_queue_is_not_jumped_by_a_later_one_of_the_same_weight() -> None:
    queue = [Waiting(f"i{n}", "P2", NOON + timedelta(minutes=n), "key") for n in (3, 1, 2)]
    assert [item for item, _ in given_to(out(queue, [Person("ana", 2)]))] == ["i1", "i2"]
