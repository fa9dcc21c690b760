"""What many rules add to a decision: python -m tests.load.routing_speed [--rules 500] [--json]

Each event is decided by the shipped policy, and by the same with so many rules put before its own. Cold: no
verdict is remembered, as when every event looks different to the rules. Warm: every event was seen before.
The record is serialised each time, as when it is stored. Rounds alternate; told are medians of the
process's CPU time, so that what else runs on the machine counts little.
Plain: rules of three tests on text and numbers. Calls: rules that call functions. Failing: rules that none of
the events can be asked, as they compare a number that is not known.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import orjson

from heardback_router.configuration.source import packaged
from heardback_router.routing.domain import RoutingPolicy, decide
from heardback_router.routing.lint import lint
from heardback_router.routing.policy import read_routing
from heardback_router.routing.trials import given

ROUNDS, EVENTS = 7, 300


def plain(number: int) -> str:
    return (
        f'customer.segment == "segment-{number % 60}" && customer.region == "region-{number}" '
        f"&& score.severity.score >= {number % 90}.5"
    )


def calls(number: int) -> str:
    return (
        f'customer.segment.startsWith("segment-{number}-") '
        f'|| (has(event.context.plan) && string(event.context.plan).contains("plan-{number}-"))'
    )


def failing(number: int) -> str:
    return f"customer.lifetime_value > {number}.5"


def policy(rules: int, condition: Callable[[int], str]) -> RoutingPolicy:
    """The shipped policy with so many rules before its own, none of which any event fulfils."""
    before = "".join(
        f"  - name: rule-{n}\n    when: {json.dumps(condition(n))}\n    team: product\n    because: x\n"
        for n in range(rules)
    )
    return read_routing(packaged("routing.yaml").replace("\nrules:\n", f"\nrules:\n{before}", 1))


def event(number: int) -> dict[str, Any]:
    """No two look the same to the rules."""
    return given(
        {
            "event": {"feedback_id": f"fb_{number}", "context": {"plan": f"p{number}"}},
            "score": {
                "domain": "product",
                "category": "defect",
                "confidence": 0.8,
                "severity": {"score": 40 + number / 100, "band": "P2"},
            },
            "customer": {"id": f"c-{number}", "segment": f"s{number}", "region": f"r{number}"},
        }
    )


def microseconds(policy: RoutingPolicy, events: Sequence[dict[str, Any]]) -> float:
    started = process_time()
    for inputs in events:
        orjson.dumps(decide(inputs, policy).record)
    return (process_time() - started) / len(events) * 1e6


def measure(rules: int) -> dict[str, Any]:
    cases: dict[str, Callable[[], RoutingPolicy]] = {
        "shipped": lambda: policy(0, plain),
        "plain": lambda: policy(rules, plain),
        "calls": lambda: policy(rules, calls),
        "failing": lambda: policy(rules, failing),
    }
    told: dict[str, list[float]] = {f"{name}_{heat}": [] for name in cases for heat in ("cold", "warm")}
    for turn in range(ROUNDS):
        events = [event(turn * EVENTS + n) for n in range(EVENTS)]
        for name, make in cases.items():
            made = make()
            told[f"{name}_cold"].append(microseconds(made, events))
            told[f"{name}_warm"].append(microseconds(made, events))
    medians = {name: statistics.median(times) for name, times in told.items()}
    linted = policy(rules, plain)
    started = process_time()
    lint(linted)
    seconds = process_time() - started
    return {
        "rules": rules,
        "microseconds": {name: round(time, 1) for name, time in medians.items()},
        "added_microseconds": {
            f"{kind}_{heat}": round(medians[f"{kind}_{heat}"] - medians[f"shipped_{heat}"], 1)
            for kind in ("plain", "calls", "failing")
            for heat in ("cold", "warm")
        },
        "record_bytes": len(orjson.dumps(decide(event(0), linted).record)),
        "lint_seconds": round(seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.rules)
    print(json.dumps(result) if options.json else json.dumps(result, indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
