"""Gates: named parts of the policy that hold a decision back for a person. Pure.

A gate is asked after the rules, about the team that won. It never changes which rule won; it only says that a
person reads first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

GateName = Literal["confidence", "stakes"]


@dataclass(frozen=True, slots=True)
class ConfidenceGate:
    """Holds back a root cause that is less probable than `least` of its domain, or `otherwise`. The minutes
    are what these follow from."""

    team: str
    because: str
    otherwise: float
    least: Mapping[str, float]
    triage_minutes: float
    misroute_minutes: float

    def least_for(self, domain: str) -> float:
        return self.least.get(domain, self.otherwise)

    def trusts(self, domain: str, confidence: float) -> bool:
        return confidence >= self.least_for(domain)


@dataclass(frozen=True, slots=True)
class StakesGate:
    """Holds back what has a lot at stake and is in doubt.

    At stake: severity from `severity_at_least` on, one of the `tiers`, or one of the `cues`. In doubt: the
    root cause less probable than `confidence_below`, or (where `mismatch`) scale and words contradict.
    """

    team: str
    because: str
    severity_at_least: float
    tiers: frozenset[str]
    cues: tuple[str, ...]
    confidence_below: float
    mismatch: bool


@dataclass(frozen=True, slots=True)
class Gates:
    """None: the policy has no such gate."""

    confidence: ConfidenceGate | None = None
    stakes: StakesGate | None = None


@dataclass(frozen=True, slots=True)
class Dedicated:
    """The owner of a customer's account takes its items, where one of these teams owns them."""

    tiers: frozenset[str]
    teams: frozenset[str]


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What one gate said. `held` puts the item before `team` instead."""

    gate: GateName
    held: bool
    team: str
    because: str

    @property
    def data(self) -> dict[str, Any]:
        return {"gate": self.gate, "held": self.held, "team": self.team, "because": self.because}


def ask(gates: Gates, inputs: Mapping[str, Any]) -> tuple[GateAnswer, ...]:
    """Every gate's answer; of those that hold, the first counts."""
    score, tier = inputs["score"], inputs["customer"]["tier"]
    answers = []
    if gates.stakes is not None:
        answers.append(_stakes(gates.stakes, score, tier))
    if gates.confidence is not None:
        answers.append(_confidence(gates.confidence, score))
    return tuple(answers)


def owner_of(dedicated: Dedicated | None, inputs: Mapping[str, Any], team: str) -> str | None:
    """Who looks after this customer's account, where the policy gives the item to that person."""
    customer = inputs["customer"]
    if dedicated is None or team not in dedicated.teams or customer["tier"] not in dedicated.tiers:
        return None
    return customer["owner"] or None


def _confidence(gate: ConfidenceGate, score: Mapping[str, Any]) -> GateAnswer:
    domain, confidence = score["domain"], score["confidence"]
    if not domain or confidence is None:
        return GateAnswer("confidence", False, gate.team, "No root cause is claimed, so nothing is doubted.")
    least = gate.least_for(domain)
    if gate.trusts(domain, confidence):
        said = f"Confidence {confidence:.2f} reaches the {least:.2f} that {domain} needs."
        return GateAnswer("confidence", False, gate.team, said)
    said = f"{gate.because} Confidence {confidence:.2f} is below the {least:.2f} that {domain} needs."
    return GateAnswer("confidence", True, gate.team, said)


def _stakes(gate: StakesGate, score: Mapping[str, Any], tier: str) -> GateAnswer:
    stakes, doubts = _at_stake(gate, score, tier), _in_doubt(gate, score)
    if stakes and doubts:
        said = f"{gate.because} At stake: {', '.join(stakes)}. In doubt: {', '.join(doubts)}."
        return GateAnswer("stakes", True, gate.team, said)
    if not stakes:
        return GateAnswer("stakes", False, gate.team, "Not much is at stake.")
    return GateAnswer(
        "stakes", False, gate.team, f"At stake: {', '.join(stakes)}; but nothing about it is in doubt."
    )


def _at_stake(gate: StakesGate, score: Mapping[str, Any], tier: str) -> list[str]:
    stakes = []
    severity = score["severity"]["score"]
    if severity >= gate.severity_at_least:
        stakes.append(f"severity {severity:g}")
    if tier in gate.tiers:
        stakes.append(f"a {tier} customer")
    stakes += [f"the cue {cue}" for cue in gate.cues if cue in score["cues"]]
    return stakes


def _in_doubt(gate: StakesGate, score: Mapping[str, Any]) -> list[str]:
    doubts = []
    confidence = score["confidence"]
    if confidence is not None and confidence < gate.confidence_below:
        doubts.append(f"the root cause, confidence {confidence:.2f} below {gate.confidence_below:.2f}")
    if gate.mismatch and score["mismatch"]:
        doubts.append("the answer on the scale and the words contradict each other")
    return doubts
