"""The worked example and the figures of docs/routing.md are what the code does."""

import json
import re
from pathlib import Path

from heardback_router.assignment.domain import longest_wait
from heardback_router.assignment.policy import read_capacity
from heardback_router.configuration.source import packaged
from heardback_router.routing.children import parts_of
from heardback_router.routing.domain import decide
from heardback_router.routing.lint import MOST_OVERLAPS
from heardback_router.routing.logic import MOST_ALTERNATIVES, MOST_CUBES
from heardback_router.routing.policy import read_routing
from heardback_router.routing.trials import given
from heardback_router.routing.tries import RECORDED

TEXT = (Path(__file__).parents[3] / "docs" / "routing.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL))


def test_the_worked_example_goes_where_it_says() -> None:
    policy = read_routing(BLOCKS["yaml"])
    told = json.loads(BLOCKS["json"])
    inputs = {**given({k: told[k] for k in ("score", "customer")}), "runners_up": told["runners_up"]}
    decision = decide(inputs, policy)
    (child,) = parts_of(inputs, decision, policy)
    assert BLOCKS["text"].splitlines() == [
        decision.record["reason"],
        "added: " + ", ".join(rule["rule"] for rule in decision.record["added"]),
        "not reached: " + ", ".join(decision.record["losers"]["not_reached"]),
        f"owner: {decision.owner}",
        f"child: {child.domain}/{child.category} to {child.decision.team}",
    ]
    gate = policy.gates.confidence
    assert gate is not None
    assert f"the {gate.otherwise} that five against ten minutes" in TEXT


def test_the_limits_and_waits_it_names_are_those_of_the_code() -> None:
    text = " ".join(TEXT.split())
    assert f"{MOST_ALTERNATIVES} alternatives of a condition, {MOST_CUBES} open cases" in text
    assert f"and {MOST_OVERLAPS} overlaps are looked at" in text
    assert f"of the {RECORDED} heaviest items" in TEXT
    floors = read_capacity(packaged("capacity.yaml")).floors
    waits = {tier: longest_wait(floor, len(floors)) for tier, floor in floors.items()}
    assert waits["key"] == waits["standard"]
    for words in (f"{waits['strategic']} (strategic)", f"{waits['key']} (key, standard)"):
        assert words in text
    assert f"or {waits['unknown']} (no tier) turns" in text
