"""The routing decision: ordered rules, first match wins, and a record from which it can be made again."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import cel

CATCH_ALL = "catch-all"
ROOTS = ("event", "score", "customer")
REMEMBERED = 2_000
_TIME = re.compile(r"\bat\b")
_MENTION = re.compile(r"\b(event|score|customer)\b(?:\s*\.\s*([A-Za-z_]\w*))?")


class ConditionError(ValueError):
    """A rule's condition cannot be used. The message says why and what to write instead."""


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    title: str


class Condition:
    """A CEL expression that answers true or false, compiled once."""

    def __init__(self, text: str) -> None:
        try:
            self._program = cel.compile(text)
        except ValueError as error:
            raise ConditionError(f"is not a CEL expression: {error}") from error
        self.text = text

    def holds(self, variables: Any) -> bool:
        """Raises ConditionError when it cannot be evaluated, or answers neither true nor false."""
        try:
            answer = self._program.execute(variables)
        except KeyError as error:
            raise ConditionError(f"the field {error} is missing; ask has(…) before using it") from error
        except (RuntimeError, TypeError, ValueError, IndexError, ArithmeticError) as error:
            raise ConditionError(f"{str(error).split('.')[0]}") from error
        if not isinstance(answer, bool):
            raise ConditionError(f"answers {type(answer).__name__}, not true or false")
        return answer


@dataclass(frozen=True)
class Rule:
    name: str
    condition: Condition
    team: str
    because: str
    note: str | None = None


@dataclass(frozen=True)
class RoutingPolicy:
    name: str
    teams: tuple[Team, ...]
    catch_all: str
    rules: tuple[Rule, ...]

    @property
    def titles(self) -> dict[str, str]:
        """Team id → title, in the policy's order."""
        return {team.id: team.title for team in self.teams}

    @cached_property
    def mentions(self) -> Mapping[str, frozenset[str] | None]:
        """Per variable the fields that some condition names; None where one uses the variable as a whole."""
        return mentions_in(rule.condition.text for rule in self.rules)

    @cached_property
    def asks_the_time(self) -> bool:
        return any(_TIME.search(rule.condition.text) for rule in self.rules)

    @cached_property
    def verdicts(self) -> "Verdicts":
        return Verdicts(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say. `winner` and `losers` are JSON, shared by all decisions they are part of."""

    team: str
    rule: str
    because: str
    winner: Mapping[str, str | None]
    losers: list[dict[str, str]]


class Verdicts:
    """The verdict on any inputs. Equal values of the fields that conditions name give the same one.

    Trying the conditions is most of what a decision costs, and most feedback looks the same to them, so
    verdicts are remembered.
    """

    def __init__(self, policy: RoutingPolicy) -> None:
        self._policy = policy
        self._known: dict[str, Verdict] = {}

    def __len__(self) -> int:
        """How many are remembered; at most REMEMBERED."""
        return len(self._known)

    def on(self, inputs: Mapping[str, Any]) -> Verdict:
        named = named_in(inputs, self._policy.mentions)
        # As text, because 1, 1.0 and true are equal to Python but not to a condition.
        look = repr((named, inputs["at"] if self._policy.asks_the_time else None))
        verdict = self._known.get(look)
        if verdict is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            verdict = self._known[look] = _judge(self._policy, context_of(named, inputs["at"]))
        return verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """`record` is JSON; `decide(record["inputs"], policy)` gives the same decision again."""

    team: str
    rule: str
    because: str
    record: Mapping[str, Any]


def decide(inputs: Mapping[str, Any], policy: RoutingPolicy) -> Decision:
    """Which team owns a feedback. `inputs` are those of `routing.inputs.inputs_of`, as JSON."""
    verdict = policy.verdicts.on(inputs)
    record = {
        "policy": policy.name,
        "inputs": inputs,
        "winner": verdict.winner,
        "losers": verdict.losers,
        "runners_up": inputs["runners_up"],
        "models": inputs["models"],
        "policies": inputs["policies"],
        "reason": _in_words(verdict, inputs["score"], inputs["runners_up"]),
    }
    return Decision(verdict.team, verdict.rule, verdict.because, record)


def mentions_in(conditions: Iterable[str]) -> dict[str, frozenset[str] | None]:
    found: dict[str, frozenset[str] | None] = {root: frozenset() for root in ROOTS}
    for text in conditions:
        for root, name in _MENTION.findall(text):
            fields = found[root]
            found[root] = None if fields is None or not name else fields | {name}
    return found


def named_in(
    inputs: Mapping[str, Any], mentions: Mapping[str, frozenset[str] | None]
) -> dict[str, Mapping[str, Any]]:
    """The part of the inputs that some condition names."""
    named = {}
    for root in ROOTS:
        fields, values = mentions[root], inputs[root]
        named[root] = values if fields is None else {k: values[k] for k in fields if k in values}
    return named


def context_of(named: Mapping[str, Mapping[str, Any]], at: str) -> Any:
    """What conditions see, converted once for all rules."""
    return cel.Context(variables={**named, "at": datetime.fromisoformat(at)})


def _judge(policy: RoutingPolicy, variables: Any) -> Verdict:
    losers: list[dict[str, str]] = []
    winner: Rule | None = None
    for rule in policy.rules:
        outcome = "not reached" if winner else _outcome(rule, variables)
        if outcome == "true":
            winner = rule
        else:
            losers.append(_loser(rule, outcome, winner))
    team, name, because = _owner(winner, policy)
    won = {
        "rule": name,
        "team": team,
        "condition": winner.condition.text if winner else None,
        "because": because,
        "note": winner.note if winner else None,
    }
    return Verdict(team, name, because, won, losers)


def _outcome(rule: Rule, variables: Any) -> str:
    try:
        return "true" if rule.condition.holds(variables) else "false"
    except ConditionError as error:
        return f"error: {error}"


def _loser(rule: Rule, outcome: str, winner: Rule | None) -> dict[str, str]:
    if winner is not None:
        because = f"not reached: {winner.name} won before it"
    elif outcome == "false":
        because = "its condition is false"
    else:
        because = f"its condition could not be evaluated, which counts as false: {outcome[7:]}"
        outcome = "error"
    return {"rule": rule.name, "condition": rule.condition.text, "outcome": outcome, "because": because}


def _owner(winner: Rule | None, policy: RoutingPolicy) -> tuple[str, str, str]:
    if winner is None:
        return policy.catch_all, CATCH_ALL, "No rule matched, so the catch-all team takes it."
    return winner.team, winner.name, winner.because


def _in_words(verdict: Verdict, score: Mapping[str, Any], runners_up: list[Mapping[str, Any]]) -> str:
    severity = score["severity"]
    words = [
        f"Goes to {verdict.team}. {verdict.because}",
        f"Severity {severity['score']:g} ({severity['band']}).",
    ]
    if score["domain"]:
        cause = f"{score['domain']}/{score['category']}"
        words.append(f"Root cause {cause}, confidence {score['confidence']:.2f}.")
    if runners_up:
        nearest = runners_up[0]
        words.append(
            f"Runner-up {nearest['domain']}/{nearest['category']}, confidence {nearest['confidence']:.2f}."
        )
    return " ".join(words)
