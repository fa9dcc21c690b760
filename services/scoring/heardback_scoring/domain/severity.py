"""How much a feedback hurts the relationship: points that add up, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from math import floor

from heardback_scoring.domain.severity_customer import Part, fall_below_usual, record, standing
from heardback_scoring.domain.severity_policy import QUANTUM, RECORD, Counts, SeverityPolicy
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.feedback import Metric, Resolution
from heardback_shared.contracts.score import Band, Contribution, Cue, Severity


@dataclass(frozen=True, slots=True)
class SeverityInputs:
    """All that severity looks at. `lowest` and `end` are sentiment scores, None where nothing was readable.

    `silent`: the customer said nothing (no comment, "n/a"); that is known, and not a missing text.
    `intensity` says how strongly it is put, −1 (played down) to 1 (see `domain/intensity.py`).
    `wish`: something is wished for. `consequence`: what it has led to is told (see `domain/intensity.py`).
    `resolution` is asked for only where there was a `conversation`.
    `today` is the day the score is for; without it a renewal date counts nothing, and no profile is stale.
    """

    lowest: float | None = None
    end: float | None = None
    silent: bool = False
    intensity: float = 0.0
    wish: bool = False
    consequence: bool = False
    cues: tuple[Cue, ...] = ()
    metric: Metric | None = None
    customer: CustomerSnapshot | None = None
    touchpoint: str | None = None
    conversation: bool = False
    resolution: Resolution | None = None
    today: date | None = None


def assess(inputs: SeverityInputs, policy: SeverityPolicy) -> Severity:
    """The severity of one feedback.

    1. What the feedback itself says: sentiment (lowest, end, how strongly), resolution, cues, the answer on
       the scale, its fall against earlier ones.
    2. The record: contacts, open items, transfers, promises and agreed times of this customer. It counts
       more the worse 1. is, so that it does not turn praise into a complaint. 1. and 2. are the hurt.
    3. The standing: tier, value, renewal date, touchpoint. It counts more the greater the hurt, so that a
       content customer stays at zero whoever they are.
    4. `cap`: high sums are bent so that they end at 100 and keep their order. `floor`: a grave cue lifts what
       is below its floor; there too the rest keeps its order.

    The sum is rounded to quarters once and the parts so that they add up to it exactly. It never falls in
    any worsening input (lower sentiment, stronger words, a worse resolution, one more or surer cue, lower
    answer, deeper fall, larger count, higher tier or value, nearer renewal, fresher profile), and a small
    change moves it by `policy.largest_step` at most.
    """
    cues = surest(inputs.cues) if inputs.cues else {}
    parts = _said(inputs, cues, policy)
    parts += _answer(inputs, policy)
    hurt = _sum(parts)
    if before := _weighed(record(inputs.customer, policy), _record_share(inputs, hurt, policy)):
        parts += before
        hurt = _sum(parts)
    who = standing(inputs.customer, inputs.touchpoint, inputs.today, policy)
    parts += _weighed(who, _standing_share(inputs, cues, hurt, policy))
    weighed, total = _in_quarters(parts)
    total += _add_cap_and_floor(weighed, total, cues, policy)
    weighed.sort()
    score = total * QUANTUM
    return Severity(
        score=score,
        band=band_of(score, policy),
        contributions=tuple(
            [_says(factor, -quarters * QUANTUM, because) for quarters, factor, because in weighed]
        ),
        missing=_missing(inputs),
        policy=policy.policy,
    )


def band_of(score: float, policy: SeverityPolicy) -> Band:
    bands = policy.bands
    return "P1" if score >= bands.p1 else "P2" if score >= bands.p2 else "P3" if score >= bands.p3 else "P4"


def _sum(parts: Sequence[Part]) -> float:
    """To nine decimals, so that the last bit of a sum cannot turn the order of two scores round."""
    return round(sum([points for _, points, _ in parts]), 9)


def _quarters(points: float) -> int:
    return floor(round(points / QUANTUM, 6) + 0.5)


_Weighed = tuple[int, str, str]
"""Quarters below zero (so that the most come first), factor, reason."""


def _in_quarters(parts: Sequence[Part]) -> tuple[list[_Weighed], int]:
    """The parts in whole quarters, and the quarters of their sum.

    Each part is rounded down, then those that lost most get a quarter more, until the sum is met.
    """
    exact = [points / QUANTUM for _, points, _ in parts]
    whole = [floor(quarters + 1e-7) for quarters in exact]
    total = floor(round(sum(exact), 6) + 0.5)
    if missing := total - sum(whole):
        lost = [quarters - before for quarters, before in zip(whole, exact, strict=True)]
        for i in sorted(range(len(parts)), key=lost.__getitem__)[:missing]:
            whole[i] += 1
    return [(-q, factor, because) for q, (factor, _, because) in zip(whole, parts, strict=True) if q], total


@lru_cache(maxsize=8192)  # the same reasons come up over and over, and a contribution never changes
def _says(factor: str, points: float, because: str) -> Contribution:
    return Contribution(factor=factor, points=points, because=because)


def _said(inputs: SeverityInputs, cues: Mapping[str, Cue], policy: SeverityPolicy) -> list[Part]:
    """Words and cues, and what a good end and a small customer take off them again."""
    feeling = policy.feeling
    low, words = _feeling(inputs, policy)
    parts, passing, moods = _cues(cues, policy)
    parts += words
    if inputs.wish:
        parts.append(("wish", feeling.wish, "A wish is left open."))
    if inputs.consequence and feeling.consequence:
        parts.append(("consequence", feeling.consequence, "The customer says what it has led to."))
    if inputs.resolution == "unresolved" and feeling.unresolved:
        parts.append(("resolution", feeling.unresolved, "The conversation ended unresolved."))
    recovered = _recovered(inputs, policy)
    if taken_off := recovered * (low + passing):
        because = f"The conversation ended better: {recovered:.0%} of what was said on the way is taken off."
        parts.append(("recovery", -taken_off, because))
    spoken = _sum(words) - recovered * low
    if small := _small_value(inputs, policy):
        mood = spoken + moods * (1.0 - recovered)
        because = f"The lifetime value is small, so {small:.0%} of the mood is taken off."
        parts.append(("small_value", -small * mood, because))
    if cues and (points := feeling.sarcasm * _sarcasm(inputs.cues) - spoken * (1.0 - small)) > 0:
        parts.append(("praise_not_believed", points, "The praise may be sarcastic and is not believed."))
    return parts


def _small_value(inputs: SeverityInputs, policy: SeverityPolicy) -> float:
    value = inputs.customer.lifetime_value if inputs.customer is not None else None
    return 0.0 if value is None else policy.feeling.small_value.at(value)


def _sarcasm(cues: Sequence[Cue]) -> float:
    """How sure it is where the words themselves show it: alone, a model suspects too much plain praise."""
    sure = [cue.probability for cue in cues if cue.name == "sarcasm_suspected" and cue.by != "model"]
    return max(sure, default=0.0)


def _feeling(inputs: SeverityInputs, policy: SeverityPolicy) -> tuple[float, list[Part]]:
    """The points of the lowest, and all points of the words."""
    feeling, lowest, end = policy.feeling, inputs.lowest, inputs.end
    low, parts = 0.0, []
    if lowest is not None and (share := feeling.share.at(lowest)):
        because = f"The customer's words read {lowest:+.2f} at their lowest (−1 to 1)."
        parts.append(("sentiment_lowest", low := feeling.lowest * share, because))
        if inputs.intensity:
            strong = feeling.by_intensity(inputs.intensity) * share
            low += strong
            parts.append(("intensity", strong, _STRONGLY if strong > 0 else _MILDLY))
    if end is not None and (share := feeling.share.at(end)):
        because = f"The customer's words read {end:+.2f} at the end (−1 to 1)."
        parts.append(("sentiment_end", feeling.end * share, because))
    return low, parts


_STRONGLY = "It is put strongly."
_MILDLY = "It is put mildly, which takes points off."


def _recovered(inputs: SeverityInputs, policy: SeverityPolicy) -> float:
    """The share of what was said on the way that a good end takes off."""
    if not inputs.conversation:
        return 0.0
    by_end = policy.feeling.recovered.at(inputs.end) if inputs.end is not None else 0.0
    resolved = policy.feeling.resolved if inputs.resolution == "resolved" else 0.0
    return 1.0 - (1.0 - by_end) * (1.0 - resolved)


def _cues(cues: Mapping[str, Cue], policy: SeverityPolicy) -> tuple[list[Part], float, float]:
    """The parts, in the order of their names; the points of those that pass, and of passing moods."""
    parts: list[Part] = []
    passing = moods = 0.0
    for name in sorted(cues):
        weight, cue = policy.cues.get(name), cues[name]
        if weight and (points := weight.points * cue.probability):
            because = f"{weight.because} (turn {cue.turn}, probability {cue.probability:.2f})."
            parts.append((name, points, because))
            passing += points if weight.passes else 0.0
            moods += points if weight.mood else 0.0
    return parts, passing, moods


def surest(cues: tuple[Cue, ...]) -> Mapping[str, Cue]:
    """One cue of each name: the most probable, the earliest turn among equals."""
    best: dict[str, Cue] = {}
    for cue in cues:
        known = best.get(cue.name)
        if known is None or (cue.probability, -cue.turn) > (known.probability, -known.turn):
            best[cue.name] = cue
    return best


def _answer(inputs: SeverityInputs, policy: SeverityPolicy) -> list[Part]:
    metric, answer, lowest = inputs.metric, policy.answer, inputs.lowest
    if metric is None:
        return []
    parts: list[Part] = []
    most = answer.points if lowest is not None else answer.alone
    if points := most * answer.share.at(metric.share_of_best):
        said = f"{metric.kind} {metric.value:g} on {metric.min:g} to {metric.max:g}"
        direction = metric.direction.replace("_", " ")
        parts.append(("metric", points, f"The answer was {said}, {direction}."))
    if lowest is not None:
        believed = max(points * answer.doubted.at(lowest), most * answer.not_believed.at(lowest))
        if disagree := believed - points:
            parts.append(("score_text_mismatch", disagree, _WORSE if disagree > 0 else _BETTER))
    fall = fall_below_usual(metric, inputs.customer)
    if fall is not None and (points := answer.fall_points * answer.fall.at(fall)):
        because = f"That is {fall:.0%} of the scale below this customer's earlier answers."
        parts.append(("metric_fall", points, because))
    return parts


_WORSE = "The words are worse than the answer on the scale, so the answer counts more."
_BETTER = "The words are better than the answer on the scale, so the answer counts less."


def _known(inputs: SeverityInputs) -> bool:
    return inputs.lowest is not None or inputs.silent or inputs.metric is not None


def _share(counts: Counts, inputs: SeverityInputs, hurt: float) -> float:
    share = counts.by_hurt.at(hurt)
    return share if _known(inputs) else max(counts.unknown, share)


def _record_share(inputs: SeverityInputs, hurt: float, policy: SeverityPolicy) -> float:
    share = _share(policy.record_counts, inputs, hurt)
    if inputs.lowest is None or inputs.end is None:
        return share
    return max(share, policy.record_counts.by_mood.at((inputs.lowest + inputs.end) / 2))


def _standing_share(
    inputs: SeverityInputs, cues: Mapping[str, Cue], hurt: float, policy: SeverityPolicy
) -> float:
    """Whoever speaks of leaving puts the whole standing at stake."""
    share = _share(policy.standing_counts, inputs, hurt)
    leaving = cues.get("wants_to_leave")
    return share if leaving is None else max(share, policy.standing_by_leaving.at(leaving.probability))


def _weighed(parts: list[Part], share: float) -> list[Part]:
    if share >= 1 or not parts:
        return parts
    if share <= 0:
        return []
    weighed = f" Counted at {share:.0%}, as the feedback itself hurts."
    return [(factor, points * share, because + weighed) for factor, points, because in parts]


def _add_cap_and_floor(
    weighed: list[_Weighed], total: int, cues: Mapping[str, Cue], policy: SeverityPolicy
) -> int:
    """How many quarters they change the total by."""
    score = policy.ceiling.at(total * QUANTUM)
    if (capped := _quarters(score)) != total:
        weighed.append((total - capped, "cap", _CAPPED))
    floors = [
        (floor_of.at(cues[name].probability), name)
        for name, floor_of in policy.floors.items()
        if name in cues
    ]
    least, name = max(floors, default=(0.0, ""))
    if least > 0 and (lifted := _quarters(least + policy.floor_keeps * score)) > capped:
        because = f"With the cue {name} this sure, no feedback is below {least:.0f}."
        weighed.append((capped - lifted, "floor", because))
        return lifted - total
    return capped - total


_CAPPED = "High sums count less, so that a score ends at 100."
_CUSTOMER = tuple(
    (name, f"customer.{name}") for name in ("tier", "lifetime_value", "renewal_date", "profile_at")
)
_HISTORY = tuple((name, f"customer.history.{name}") for name in RECORD)


def _missing(inputs: SeverityInputs) -> tuple[str, ...]:
    missing = []
    if inputs.lowest is None and not inputs.silent:
        missing.append("text")
    if inputs.metric is None:
        missing.append("metric")
    if not inputs.touchpoint:
        missing.append("touchpoint")
    if inputs.conversation and inputs.resolution in (None, "unknown"):
        missing.append("resolution")
    customer = inputs.customer
    if customer is None:
        return (*missing, "customer")
    history = customer.history
    missing += [said for name, said in _CUSTOMER if getattr(customer, name) is None]
    missing += [said for name, said in _HISTORY if getattr(history, name) is None]
    if not history.last_scores:
        missing.append("customer.history.last_scores")
    if inputs.today is None and (customer.renewal_date is not None or customer.profile_at is not None):
        missing.append("at")
    return tuple(missing)
