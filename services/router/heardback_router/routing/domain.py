"""The routing decision: ordered rules, then gates, and a record from which it can be made again. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from heardback_router.routing.conditions import (
    TIME,
    Condition,
    context_of,
    mentions_in,
    named_in,
)
from heardback_router.routing.gates import Dedicated, GateAnswer, Gates, ask, owner_of

CATCH_ALL = "catch-all"
GATE = "gate:"
REMEMBERED = 2_000


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    title: str


@dataclass(frozen=True)
class Rule:
    """`team` None: it adds its process or owner, and the next rules are tried too. `gated` False: its team
    does not hang on the root cause, so no gate is asked."""

    name: str
    condition: Condition
    team: str | None
    because: str
    note: str | None = None
    process: str | None = None
    owner: bool = False
    gated: bool = True


@dataclass(frozen=True)
class RoutingPolicy:
    name: str
    teams: tuple[Team, ...]
    catch_all: str
    rules: tuple[Rule, ...]
    gates: Gates = field(default_factory=Gates)
    dedicated: Dedicated | None = None

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
        return any(TIME.search(rule.condition.text) for rule in self.rules)

    @cached_property
    def by_cause(self) -> "RoutingPolicy":
        """Only what hangs on the root cause, without gates: decides about a further cause of an item."""
        rules = tuple(rule for rule in self.rules if rule.gated and rule.team is not None)
        return RoutingPolicy(self.name, self.teams, self.catch_all, rules)

    @cached_property
    def verdicts(self) -> "Verdicts":
        return Verdicts(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say. `winner`, `added` and `losers` are JSON, shared by all decisions they are part of.

    `losers` holds the names of rules by what became of them; under `error`, by why.
    """

    team: str
    rule: str
    because: str
    gated: bool
    owner: bool
    processes: tuple[str, ...]
    winner: Mapping[str, Any]
    added: tuple[Mapping[str, Any], ...]
    losers: Mapping[str, Any]


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
    """`record` is JSON; `decide(record["inputs"], policy)` gives the same decision again.

    `rule` is the rule that won, or `gate:` and the name of the gate that held it back; `owner` the person who
    looks after the customer's account, where the policy wants the item to be theirs.
    """

    team: str
    rule: str
    because: str
    owner: str | None
    processes: tuple[str, ...]
    record: Mapping[str, Any]

    @property
    def by(self) -> Literal["rule", "gate", "catch_all"]:
        if self.rule.startswith(GATE):
            return "gate"
        return "catch_all" if self.rule == CATCH_ALL else "rule"


def decide(inputs: Mapping[str, Any], policy: RoutingPolicy) -> Decision:
    """Which team owns a feedback. `inputs` are those of `routing.inputs.inputs_of`, as JSON."""
    verdict = policy.verdicts.on(inputs)
    answers = ask(policy.gates, inputs) if verdict.gated else ()
    held = next((answer for answer in answers if answer.held), None)
    team, rule, because = (
        (held.team, f"{GATE}{held.gate}", held.because)
        if held
        else (verdict.team, verdict.rule, verdict.because)
    )
    owner = _owner(policy, verdict, inputs, team, held)
    record = {
        "policy": policy.name,
        "inputs": inputs,
        "team": team,
        "winner": verdict.winner,
        "added": list(verdict.added),
        "losers": verdict.losers,
        "default": {"team": policy.catch_all, "taken": verdict.rule == CATCH_ALL},
        "gates": [answer.data for answer in answers],
        "owner": owner,
        "processes": list(verdict.processes),
        "runners_up": inputs["runners_up"],
        "models": inputs["models"],
        "policies": inputs["policies"],
        "reason": _in_words(team, because, inputs["score"], inputs["runners_up"]),
    }
    return Decision(team, rule, because, owner, verdict.processes, record)


def _owner(
    policy: RoutingPolicy,
    verdict: Verdict,
    inputs: Mapping[str, Any],
    team: str,
    held: GateAnswer | None,
) -> str | None:
    """Nobody while a gate holds it back: whose it is, is then still to be decided."""
    if held is not None:
        return None
    if verdict.owner:
        return inputs["customer"]["owner"] or None
    return owner_of(policy.dedicated, inputs, team)


def _judge(policy: RoutingPolicy, variables: Any) -> Verdict:
    false: list[str] = []
    errors: dict[str, list[str]] = {}
    added: list[Rule] = []
    winner: Rule | None = None
    place = 0
    for place, rule in enumerate(policy.rules, 1):  # noqa: B007  (how far it came is used below)
        outcome = rule.condition.outcome(variables)
        if outcome is False:
            false.append(rule.name)
        elif outcome is not True:
            errors.setdefault(f"could not be evaluated, which counts as false: {outcome}", []).append(
                rule.name
            )
        elif rule.team is None:
            added.append(rule)
        else:
            winner = rule
            break
    losers = {
        "false": false,
        "error": errors,
        "not_reached": [rule.name for rule in policy.rules[place:]],
    }
    team, name, because = _outcome(winner, policy)
    matched = [*added, *([winner] if winner else [])]
    return Verdict(
        team,
        name,
        because,
        gated=winner is not None and winner.gated,
        owner=any(rule.owner for rule in matched),
        processes=tuple(dict.fromkeys(rule.process for rule in matched if rule.process)),
        winner=_winner(winner, team, name, because),
        added=tuple(_added(rule) for rule in added),
        losers=losers,
    )


def _winner(winner: Rule | None, team: str, name: str, because: str) -> dict[str, Any]:
    return {
        "rule": name,
        "team": team,
        "condition": winner.condition.text if winner else None,
        "because": because,
        "note": winner.note if winner else None,
    }


def _added(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "condition": rule.condition.text,
        "process": rule.process,
        "owner": rule.owner,
        "because": rule.because,
    }


def _outcome(winner: Rule | None, policy: RoutingPolicy) -> tuple[str, str, str]:
    if winner is None or winner.team is None:
        return policy.catch_all, CATCH_ALL, "No rule matched, so the catch-all team takes it."
    return winner.team, winner.name, winner.because


def _in_words(team: str, because: str, score: Mapping[str, Any], runners_up: list[Mapping[str, Any]]) -> str:
    severity = score["severity"]
    words = [
        f"Goes to {team}. {because}",
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
