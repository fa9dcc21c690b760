"""What is known of the customer: the record, the standing, and the answers they usually give."""

from datetime import date

from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.feedback import Metric

Part = tuple[str, float, str]
"""Factor, points not yet in quarters, reason. A bare tuple: a dozen are made for each event."""

_RECORD_SAYS = {
    "contacts_30d": ("repeat_contact", "in the last 30 days", "contact", "contacts"),
    "open_items": ("open_items", "still open", "other matter", "other matters"),
    "transfers": ("transfers", "from one person to the next", "transfer", "transfers"),
    "broken_promises": ("broken_promises", "broken before", "promise", "promises"),
    "open_promises": ("open_promises", "not yet kept", "promise", "promises"),
    "breaches": ("breaches", "missed before", "agreed time", "agreed times"),
}


def record(customer: CustomerSnapshot | None, policy: SeverityPolicy) -> list[Part]:
    """What went before, in full."""
    if customer is None:
        return []
    parts: list[Part] = []
    history = customer.history
    for name, (factor, rest, one, many) in _RECORD_SAYS.items():
        count = getattr(history, name)
        if count and (points := policy.record[name].at(count)):
            parts.append((factor, points, f"{count} {one if count == 1 else many} {rest}."))
    return parts


def standing(
    customer: CustomerSnapshot | None, touchpoint: str | None, today: date | None, policy: SeverityPolicy
) -> list[Part]:
    """Who says it and where, in full. Without `today` no renewal date counts, and no profile is stale."""
    parts: list[Part] = []
    if touchpoint:
        touchpoint = touchpoint.strip().lower().replace(" ", "_")
        if points := policy.touchpoints.get(touchpoint, 0.0):
            because = f"It happened at {touchpoint}, where relationships are decided."
            parts.append(("touchpoint", points, because))
    if customer is None:
        return parts
    share, stale = _freshness(customer, today, policy)
    for factor, full, because in _profile(customer, today, policy):
        if points := full * share:
            parts.append((factor, points, because + stale))
    return parts


def _profile(customer: CustomerSnapshot, today: date | None, policy: SeverityPolicy) -> list[Part]:
    parts: list[Part] = []
    if customer.tier:
        parts.append(("tier", policy.tiers[customer.tier], f"The customer is {customer.tier}."))
    value = customer.lifetime_value
    if value is not None:
        currency = f" {customer.currency}" if customer.currency else ""
        points = policy.lifetime_value.at(value)
        parts.append(("lifetime_value", points, f"The lifetime value is {value:,.0f}{currency}."))
    if customer.renewal_date and today:
        days = (customer.renewal_date - today).days
        when = f"is up for renewal in {days} days" if days >= 0 else f"was up for renewal {-days} days ago"
        parts.append(("renewal", policy.renewal.at(days), f"The contract {when}."))
    return parts


def _freshness(customer: CustomerSnapshot, today: date | None, policy: SeverityPolicy) -> tuple[float, str]:
    """The share that the profile counts at, and the sentence that says so where it is less than all."""
    if customer.profile_at is None or today is None:
        return 1.0, ""
    age = (today - customer.profile_at.date()).days
    share = policy.freshness.at(age)
    if share >= 1:
        return 1.0, ""
    return share, f" The profile was last confirmed {age} days ago and counts at {share:.0%}."


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
