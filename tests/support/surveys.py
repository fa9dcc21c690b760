"""Surveys policies, requests and invitations to test with."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from heardback_ingest.domain.surveys.facts import Facts, Invitation, Person, Request, State
from heardback_ingest.domain.surveys.policy import SurveysPolicy
from heardback_ingest.domain.surveys.reading import read_surveys
from tests.support.clock import NOON

DAY = timedelta(days=1)
OPEN = {"open_complaint": False, "agent_started": False, "unknown_customer": False}
"""No suppression but those nobody can turn off."""

ADA = Facts(Person("c-1"))
ASK = Request("c-1", "relation", "nps", "email")


def policy_text(*rules: Mapping[str, Any], suppress: Mapping[str, Any] = OPEN, **fields: Any) -> str:
    head: dict[str, Any] = {"policy": "test@1", "zone": "UTC", "reservation": "15m"}
    return json.dumps({**head, "rules": list(rules), "suppress": dict(suppress), **fields})  # YAML too


def contact_text(day: int, week: int, quiet: Mapping[str, str] | None = None) -> str:
    """A policy `contact` with these caps."""
    head = {"policy": "test@1", "time_zone": "UTC", "digest": {"at": "09:00", "weekday": "monday"}}
    return json.dumps({**head, "refresh_days": 365, "quiet_hours": quiet, "caps": {"day": day, "week": week}})


def policy(*rules: Mapping[str, Any], suppress: Mapping[str, Any] = OPEN, **fields: Any) -> SurveysPolicy:
    return read_surveys(policy_text(*rules, suppress=suppress, **fields))


def cap(most: int, window: Mapping[str, Any], name: str = "cap", **fields: Any) -> dict[str, Any]:
    return {"name": name, "most": most, "window": dict(window), **fields}


def gap(window: Mapping[str, Any], name: str = "gap", **fields: Any) -> dict[str, Any]:
    return {"name": name, "gap": dict(window), **fields}


def days(count: int) -> dict[str, str]:
    return {"rolling": f"{count}d"}


def sent(at: datetime, survey: str = "relation", type: str = "nps", **fields: Any) -> Invitation:  # noqa: A002
    """An invitation that was sent at this moment."""
    made = Invitation(
        f"si_{survey}_{at.isoformat()}", survey, type, "email", None, "invitation", "sent", at, at, at
    )
    return replace(made, **fields)


def reserved(
    at: datetime, until: datetime, survey: str = "relation", state: State = "reserved"
) -> Invitation:
    return Invitation(f"si_{at.isoformat()}", survey, "nps", "email", None, "invitation", state, at, until)


def past(*invitations: Invitation, account: tuple[Invitation, ...] = (), zone: str | None = None) -> Facts:
    """Facts of a person with these invitations; `account` are those of colleagues besides."""
    person = Person("c-1", "acme", zone)
    return Facts(person, invitations, (*invitations, *account))


def ago(**by: float) -> datetime:
    return NOON - timedelta(**by)


def wanted(customer: str = "c-1", **fields: Any) -> dict[str, Any]:
    """A request as posted."""
    return {"customer": customer, "survey": "relation", "type": "nps", "channel": "email"} | fields
