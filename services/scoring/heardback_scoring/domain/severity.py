"""How much a feedback hurts the relationship: points that add up, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from heardback_scoring.domain.severity_policy import SeverityPolicy, Step
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.feedback import Metric
from heardback_shared.contracts.score import Band, Contribution, Cue, Severity


@dataclass(frozen=True, slots=True)
class SeverityInputs:
    """All that severity looks at. `lowest` and `end` are sentiment scores, None where nothing was readable.

    `silent`: the customer said nothing (no comment, "n/a"); that is known, and not a missing text.
    `today` is the day the score is for; without it a renewal date counts nothing.
    """

    lowest: float | None = None
    end: float | None = None
    silent: bool = False
    mismatch: bool = False
    cues: tuple[Cue, ...] = ()
    metric: Metric | None = None
    customer: CustomerSnapshot | None = None
    touchpoint: str | None = None
    today: date | None = None


def assess(inputs: SeverityInputs, policy: SeverityPolicy) -> Severity:
    """The severity of one feedback.

    1. What the feedback itself says: sentiment (lowest and end), cues, the metric, its fall against earlier
       answers. The sum of these points is the hurt.
    2. Who says it and what went before: tier, value, renewal, contacts, open items, transfers, broken
       promises, touchpoint. These points count in the proportion hurt / `full_hurt` (at most 1), so that a
       content customer stays at zero whoever they are. Where neither text nor metric is known, the
       proportion is `unknown_hurt`.
    3. Floors of grave cues lift the sum; `cap` takes off what exceeds 100.

    Points are whole numbers and add up to the score exactly. Every step is non-decreasing in every worsening
    input: lower sentiment, lower metric, a deeper fall, one more or surer cue, higher tier or value, nearer
    renewal, larger counts.
    """
    own = [*_feeling(inputs, policy), *_cues(inputs, policy), *_metric(inputs, policy)]
    hurt = _points(own)
    known = inputs.lowest is not None or inputs.silent or inputs.metric is not None
    share = min(1.0, hurt / policy.full_hurt) if known else policy.unknown_hurt
    contributions = [*own, *_context(inputs, policy, share)]
    contributions.sort(key=lambda c: -c.points)
    total = _points(contributions)
    if floor := _floor(inputs, policy, total):
        contributions.append(floor)
        total += int(floor.points)
    if total > 100:
        contributions.append(_says("cap", 100 - total, "A score ends at 100."))
        total = 100
    return Severity(
        score=float(total),
        band=band_of(total, policy),
        contributions=tuple(contributions),
        missing=_missing(inputs),
        policy=policy.policy,
    )


def band_of(score: float, policy: SeverityPolicy) -> Band:
    bands = policy.bands
    return "P1" if score >= bands.p1 else "P2" if score >= bands.p2 else "P3" if score >= bands.p3 else "P4"


def _points(contributions: list[Contribution]) -> int:
    return int(sum([c.points for c in contributions]))


@lru_cache(maxsize=4096)  # the same reasons come up over and over, and a contribution never changes
def _says(factor: str, points: int, because: str) -> Contribution:
    return Contribution(factor=factor, points=float(points), because=because)


def _feeling(inputs: SeverityInputs, policy: SeverityPolicy) -> list[Contribution]:
    found = []
    for factor, score, where in (
        ("sentiment_lowest", inputs.lowest, "at its lowest point"),
        ("sentiment_end", inputs.end, "at the end"),
    ):
        most = policy.sentiment[factor]
        if score is not None and (points := round(most * policy.sentiment_shape.share(score))):
            found.append(_says(factor, points, f"The customer's words read {score:+.2f} {where} (−1 to 1)."))
    if inputs.mismatch:
        because = "The answer on the scale is good, the words are not; the words were believed."
        found.append(_says("score_text_mismatch", 0, because))
    return found


def _cues(inputs: SeverityInputs, policy: SeverityPolicy) -> list[Contribution]:
    found = []
    for name, cue in surest(inputs.cues).items():
        weight = policy.cues.get(name)
        if weight and (points := round(weight.points * cue.probability)):
            found.append(_says(name, points, f"{weight.because} (turn {cue.turn})."))
    return found


def surest(cues: tuple[Cue, ...]) -> Mapping[str, Cue]:
    """One cue of each name: the most probable, the first among equals."""
    best: dict[str, Cue] = {}
    for cue in cues:
        known = best.get(cue.name)
        if known is None or cue.probability > known.probability:
            best[cue.name] = cue
    return best


def _metric(inputs: SeverityInputs, policy: SeverityPolicy) -> list[Contribution]:
    metric = inputs.metric
    if metric is None:
        return []
    found = []
    share = metric.share_of_best
    said = f"{metric.kind} {metric.value:g} on {metric.min:g} to {metric.max:g}"
    most = policy.metric_points if inputs.lowest is not None else policy.metric_points_alone
    if points := round(most * policy.metric_shape.share(share)):
        found.append(_says("metric", points, f"The answer was {said}, {metric.direction.replace('_', ' ')}."))
    fall = fall_below_usual(metric, inputs.customer)
    if fall is not None and (points := round(policy.fall_points * policy.fall_shape.share(fall))):
        because = f"That is {fall:.0%} of the scale below this customer's earlier answers."
        found.append(_says("metric_fall", points, because))
    return found


def fall_below_usual(metric: Metric, customer: CustomerSnapshot | None) -> float | None:
    """How far the answer lies below the mean of the customer's earlier ones, as a share of the scale.

    Earlier answers come as raw values: those outside this scale were given on another one and are left out.
    None when none is left.
    """
    if customer is None:
        return None
    earlier = [v for v in customer.history.last_scores if metric.min <= v <= metric.max]
    if not earlier:
        return None
    fall = (sum(earlier) / len(earlier) - metric.value) / (metric.max - metric.min)
    return fall if metric.direction == "higher_is_better" else -fall


def _context(inputs: SeverityInputs, policy: SeverityPolicy, share: float) -> list[Contribution]:
    if share <= 0:
        return []
    found = []
    for factor, full, because in _context_facts(inputs, policy):
        if points := round(full * share):
            weighed = "" if share >= 1 else f" Counted at {share:.0%}, as the feedback itself hurts."
            found.append(_says(factor, points, f"{because}{weighed}"))
    return found


def _context_facts(inputs: SeverityInputs, policy: SeverityPolicy) -> list[tuple[str, int, str]]:
    facts: list[tuple[str, int, str]] = []
    touchpoint = (inputs.touchpoint or "").strip().lower().replace(" ", "_")
    if points := policy.touchpoints.get(touchpoint, 0):
        facts.append(("touchpoint", points, f"It happened at {touchpoint}, where relationships are decided."))
    customer = inputs.customer
    if customer is None:
        return facts
    if customer.tier and (points := policy.tiers[customer.tier]):
        facts.append(("tier", points, f"The customer is {customer.tier}."))
    value = customer.lifetime_value
    if value is not None and (points := reached(policy.lifetime_value, value)):
        facts.append(
            (
                "lifetime_value",
                points,
                f"The lifetime value is {value:,.0f} {customer.currency or ''}".strip() + ".",
            )
        )
    if customer.renewal_date and inputs.today:
        days = (customer.renewal_date - inputs.today).days
        if days >= 0 and (points := reached(policy.renewal, -days)):
            facts.append(("renewal", points, f"The contract is up for renewal in {days} days."))
    history = customer.history
    for factor, count, steps, says in (
        ("repeat_contact", history.contacts_30d, policy.contacts_30d, "contacts in the last 30 days"),
        ("open_items", history.open_items, policy.open_items, "other matters still open"),
        ("transfers", history.transfers, policy.transfers, "transfers from one person to the next"),
        ("broken_promises", history.broken_promises, policy.broken_promises, "promises broken before"),
    ):
        if count and (points := reached(steps, count)):
            facts.append((factor, points, f"{count} {says}."))
    return facts


def reached(steps: tuple[Step, ...], value: float) -> int:
    """The points of the highest step at or below the value."""
    return max((step.points for step in steps if value >= step.at_least), default=0)


def _floor(inputs: SeverityInputs, policy: SeverityPolicy, total: int) -> Contribution | None:
    names = {cue.name for cue in inputs.cues}
    floors = [(policy.floors[name], name) for name in sorted(names) if name in policy.floors]
    if not floors or max(floors)[0] <= total:
        return None
    floor, name = max(floors)
    because = f"No feedback with the cue {name} is below {floor}, whatever else is known."
    return _says("floor", floor - total, because)


_CUSTOMER = ("tier", "lifetime_value", "renewal_date")
_HISTORY = ("contacts_30d", "open_items", "transfers", "broken_promises")


def _missing(inputs: SeverityInputs) -> tuple[str, ...]:
    missing = []
    if inputs.lowest is None and not inputs.silent:
        missing.append("text")
    if inputs.metric is None:
        missing.append("metric")
    if not inputs.touchpoint:
        missing.append("touchpoint")
    customer = inputs.customer
    if customer is None:
        return (*missing, "customer")
    missing += [f"customer.{name}" for name in _CUSTOMER if getattr(customer, name) is None]
    missing += [f"customer.history.{name}" for name in _HISTORY if getattr(customer.history, name) is None]
    if not customer.history.last_scores:
        missing.append("customer.history.last_scores")
    if customer.renewal_date is not None and inputs.today is None:
        missing.append("at")
    return tuple(missing)
