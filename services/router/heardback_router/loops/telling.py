"""Whether a step is told to a customer: by itself, after a second person has read it, or not at all. Pure.

A cue that calls for a person never leads to an answer that only machines made: where nobody wrote the words,
a person releases them first, whatever the rules say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from heardback_router.messages.domain import Sensitivity, Step

Way = Literal["automatic", "review", "nobody"]

ESCALATION: frozenset[str] = frozenset(
    {"asks_for_human", "legal_or_press_threat", "safety", "wants_to_leave", "loss_or_fraud_urgent"}
)
"""Cues that call for a person. A policy may name more, never fewer."""
SENSITIVE: frozenset[str] = frozenset({"legal_or_press_threat", "safety", "loss_or_fraud_urgent"})
NEVER_ALONE = "never-alone"
UNRECORDED = "promise-not-on-record"
NO_RULE = "no-rule"


@dataclass(frozen=True, slots=True)
class TellingRule:
    """Holds where every condition that is given holds; `cues` where one of them was heard. `critical`: law or
    safety requires that it is told, so that it waits for no hour, cap or wish; a person releases it."""

    name: str
    because: str
    then: Way
    steps: frozenset[Step] = frozenset()
    bands: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    cues: frozenset[str] = frozenset()
    customers_at_least: int = 0
    critical: bool = False


@dataclass(frozen=True, slots=True)
class TellingPolicy:
    """`notice_share` of the time given is left, and at least `notice_at_least` of working time, when a
    customer learns that a promise will not be kept; for `notice_window` its owner can edit or stop that.
    A resolved item is closed when nobody has answered for `close_after`; None: never."""

    name: str
    rules: tuple[TellingRule, ...]
    escalation: frozenset[str] = ESCALATION
    notice_share: float = 0.2
    notice_at_least: timedelta = timedelta(hours=1)
    notice_window: timedelta = timedelta(minutes=30)
    contest_within: timedelta = timedelta(hours=40)
    calendar: str | None = None
    """Of the clock policy; None: that in which breaches are told."""
    close_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Stakes:
    """What is asked about one customer before a step is told. `written`: a person wrote the words for this
    matter, and `promises` that they promise something that is not on record. `cues` are those of this
    customer's own feedback in it."""

    step: Step
    band: str
    domain: str | None
    tier: str | None
    cues: frozenset[str]
    customers: int
    written: bool
    promises: bool = False

    @property
    def record(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "band": self.band,
            "domain": self.domain,
            "tier": self.tier,
            "cues": sorted(self.cues),
            "customers": self.customers,
            "written": self.written,
            "promises": self.promises,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "Stakes":
        """What a decision was made from, so that it can be made again."""
        return cls(**{**record, "cues": frozenset(record["cues"])})


@dataclass(frozen=True, slots=True)
class Decision:
    way: Way
    rule: str
    because: str
    critical: bool = False


def decide(stakes: Stakes, policy: TellingPolicy) -> Decision:
    """The first rule that holds counts; without one nobody is told."""
    rule = next((rule for rule in policy.rules if _holds(rule, stakes)), None)
    if rule is None:
        return Decision("nobody", NO_RULE, f"no rule of {policy.name} tells anybody this")
    calling = sorted(stakes.cues & (policy.escalation | ESCALATION))
    if rule.then == "automatic" and not stakes.written and calling:
        because = f"{', '.join(calling)} calls for a person, and nobody wrote these words"
        return Decision("review", NEVER_ALONE, because)
    if rule.then == "automatic" and stakes.promises:
        return Decision("review", UNRECORDED, "it promises something that is not on record")
    return Decision(rule.then, rule.name, rule.because, rule.critical)


def may_tell(policy: TellingPolicy, step: Step) -> bool:
    """Whether anybody is told this step at all, so that those who are not need not be looked up."""
    for rule in policy.rules:
        if rule.steps and step not in rule.steps:
            continue
        if rule.then != "nobody":
            return True
        if not (rule.bands or rule.tiers or rule.domains or rule.cues or rule.customers_at_least):
            return False
    return False


def sensitivity_of(cues: frozenset[str]) -> Sensitivity:
    return "sensitive" if cues & SENSITIVE else "standard"


def reasons(decisions: Sequence[Decision]) -> str:
    """Why a message waits for a second person, each reason once."""
    return "; ".join(dict.fromkeys(d.because for d in decisions))


def _holds(rule: TellingRule, stakes: Stakes) -> bool:
    asked: tuple[tuple[frozenset[Any], str | None], ...] = (
        (rule.steps, stakes.step),
        (rule.bands, stakes.band),
        (rule.tiers, stakes.tier),
        (rule.domains, stakes.domain),
    )
    if any(wanted and given not in wanted for wanted, given in asked):
        return False
    if rule.cues and not rule.cues & stakes.cues:
        return False
    return stakes.customers >= rule.customers_at_least
