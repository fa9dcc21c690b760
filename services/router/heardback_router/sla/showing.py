"""The clock policy as the API shows it. Pure."""

from datetime import timedelta
from typing import Any

from heardback_router.sla.domain import Calendar, SlaPolicy, Target, TargetRule

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def shown_policy(policy: SlaPolicy) -> dict[str, Any]:
    return {
        "policy": policy.name,
        "calendars": [_calendar(calendar) for calendar in policy.calendars.values()],
        "tell_in": policy.telling,
        "warn_at": list(policy.warn_at),
        "contract": list(policy.contract_fields),
        "loop_closed_when": policy.loop_closed_when,
        "pauses": [
            {
                "name": pause.name,
                "title": pause.title,
                "stops": list(pause.stops),
                "until_customer_writes": pause.until_customer,
            }
            for pause in policy.pauses.values()
        ],
        "targets": [_rule(rule) for rule in policy.rules],
    }


def _calendar(calendar: Calendar) -> dict[str, Any]:
    if calendar.hours is None:
        return {"name": calendar.name, "hours": "always"}
    hours = {
        day: [f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in open_hours]
        for day, open_hours in zip(WEEKDAYS, calendar.hours, strict=True)
        if open_hours
    }
    return {
        "name": calendar.name,
        "hours": hours,
        "time_zone": calendar.zone,
        "time_zone_of": calendar.whose,
        "teams": dict(calendar.teams),
        "holidays": {
            "country": calendar.country,
            "subdivision": calendar.subdivision,
            "also": sorted(day.isoformat() for day in calendar.also),
            "but_not": sorted(day.isoformat() for day in calendar.but_not),
        },
    }


def _rule(rule: TargetRule) -> dict[str, Any]:
    when = {
        "tier": rule.tiers,
        "band": rule.bands,
        "touchpoint": rule.touchpoints,
        "channel": rule.channels,
        "contract": rule.contracts,
    }
    return {
        "name": rule.name,
        "because": rule.because,
        "when": {name: sorted(wanted) for name, wanted in when.items() if wanted},
        "tell_in": rule.tell_in,
        "targets": {kind: _target(target) for kind, target in rule.targets},
    }


def _target(target: Target | None) -> dict[str, Any] | None:
    if target is None:
        return None
    return {"minutes": target.within // timedelta(minutes=1), "calendar": target.calendar}
