"""A policy's own tests: what is given, and where it must go. Pure."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from heardback_router.routing.domain import Decision, RoutingPolicy, decide
from heardback_router.routing.sample import UNKNOWN_INPUTS

OPEN = frozenset({"context", "cues"})
"""Whose fields a policy may name freely."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """None: the test does not say."""

    team: str
    rule: str | None = None
    gate: str | None = None
    owner: str | None = None
    processes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    name: str
    given: Mapping[str, Any]
    expect: Expectation


class TrialError(ValueError):
    """What a test gives cannot be an event. The message names the field."""


def failures(policy: RoutingPolicy, trials: Iterable[Trial]) -> list[str]:
    """What each failing test wanted and what came instead; empty when all pass."""
    found = []
    for trial in trials:
        try:
            decision = decide(given(trial.given), policy)
        except (TrialError, TypeError, ValueError, KeyError) as error:
            found.append(f"test {trial.name}: {error}")
            continue
        differences = _differences(decision, trial.expect)
        if differences:
            found.append(f"test {trial.name}: {'; '.join(differences)}. {decision.because}")
    return found


def given(differing: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs of an event about which nothing is known but this. Raises TrialError for an unknown field."""
    inputs = copy.deepcopy(UNKNOWN_INPUTS)
    _lay_over(inputs, differing, "given")
    score = inputs["score"]
    if score["domain"] and not score["root_causes"]:
        score["root_causes"] = [f"{score['domain']}/{score['category']}"]
    if score["domain"] and score["confidence"] is None:
        score["confidence"] = 1.0
    return inputs


def _lay_over(base: dict[str, Any], differing: Mapping[str, Any], place: str) -> None:
    for name, value in differing.items():
        here = f"{place}.{name}"
        if name not in base:
            raise TrialError(f"{here} is no field; there is {', '.join(sorted(base))}")
        if isinstance(base[name], dict) and name not in OPEN:
            if not isinstance(value, Mapping):
                raise TrialError(f"{here} must have fields: {', '.join(sorted(base[name]))}")
            _lay_over(base[name], value, here)
        else:
            base[name] = _value(base[name], value, here)


def _value(known: Any, value: Any, place: str) -> Any:
    """The value as an event would hold it. An unknown number is None, so any may stand in its place."""
    if isinstance(value, bool) != isinstance(known, bool):
        raise TrialError(f"{place} must be {_kind(known)}")
    if known is None and not isinstance(value, int | float | None):
        raise TrialError(f"{place} must be a number")
    if (
        known is not None
        and not isinstance(value, type(known))
        and not (isinstance(known, float) and isinstance(value, int))
    ):
        raise TrialError(f"{place} must be {_kind(known)}")
    return float(value) if isinstance(known, float) else value


def _kind(known: Any) -> str:
    kinds = {str: "text", bool: "true or false", list: "a list", dict: "fields", int: "a number"}
    return kinds.get(type(known), "a number")


def _differences(decision: Decision, wanted: Expectation) -> list[str]:
    gate = next((a["gate"] for a in decision.record["gates"] if a["held"]), None)
    checks = (
        ("team", wanted.team, decision.team),
        ("rule", wanted.rule, decision.record["winner"]["rule"]),
        ("gate", wanted.gate, gate),
        ("owner", wanted.owner, decision.owner),
        ("processes", wanted.processes, decision.processes),
    )
    return [
        f"{what} is {_shown(got)}, not {_shown(want)}"
        for what, want, got in checks
        if want is not None and want != got
    ]


def _shown(value: Any) -> str:
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)
