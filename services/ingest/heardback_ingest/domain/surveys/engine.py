"""May this customer be asked now; if not, why, and when. Facts, policy and time decide, nothing else."""

from datetime import datetime
from zoneinfo import ZoneInfo

from heardback_ingest.domain.surveys.facts import Decision, Facts, Reason, Request
from heardback_ingest.domain.surveys.limits import against
from heardback_ingest.domain.surveys.policy import AttributeValue, SurveysPolicy
from heardback_ingest.domain.surveys.suppression import suppressed

MOST_LOOKS = 1_000


def decide(request: Request, facts: Facts, policy: SurveysPolicy, now: datetime) -> Decision:
    """Every reason against it, not only the first."""
    reasons = reasons_against(request, facts, policy, now)
    return Decision(reasons, None if not reasons else _next(request, facts, policy, reasons))


def reasons_against(
    request: Request, facts: Facts, policy: SurveysPolicy, now: datetime
) -> tuple[Reason, ...]:
    """Suppressions first, then the rules in the policy's order."""
    found = list(suppressed(request, facts, policy, now))
    zone = zone_of(facts, policy)
    attributes: dict[str, AttributeValue] = {**request.attributes, **facts.person.attributes}
    for rule in policy.rules:
        found += against(rule, request, facts, attributes, zone, now)
    return tuple(found)


def zone_of(facts: Facts, policy: SurveysPolicy) -> ZoneInfo:
    """The person's own time zone, else the policy's."""
    return ZoneInfo(facts.person.time_zone) if facts.person.time_zone else policy.zone


def _next(
    request: Request, facts: Facts, policy: SurveysPolicy, reasons: tuple[Reason, ...]
) -> datetime | None:
    """Until a reason's own moment it stands, so nothing before the latest of them can be allowed. What stands
    then (a conversation may have grown too old by that time) is asked in turn."""
    for _ in range(MOST_LOOKS):
        moments = [reason.until for reason in reasons]
        if any(moment is None for moment in moments):
            return None
        at = max(moment for moment in moments if moment is not None)
        reasons = reasons_against(request, facts, policy, at)
        if not reasons:
            return at
    return None
