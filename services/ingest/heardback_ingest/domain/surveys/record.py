"""A decision as it is written down, so that it can be made again from what was written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from heardback_ingest.domain.surveys.engine import decide
from heardback_ingest.domain.surveys.facts import Decision, Facts, Request
from heardback_ingest.domain.surveys.policy import SurveysPolicy

_REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
_FACTS: TypeAdapter[Facts] = TypeAdapter(Facts)
_AT: TypeAdapter[datetime] = TypeAdapter(datetime)


def spelled_at(at: datetime) -> str:
    """As every moment is spelled: RFC 3339, in UTC as it comes."""
    spelled: str = _AT.dump_python(at, mode="json")
    return spelled


def inputs_of(request: Request, facts: Facts, now: datetime) -> dict[str, Any]:
    """As JSON values."""
    return {
        "request": _REQUEST.dump_python(request, mode="json"),
        "facts": _FACTS.dump_python(facts, mode="json"),
        "at": spelled_at(now),
    }


def answer_of(decision: Decision) -> dict[str, Any]:
    """As JSON values: allowed, reasons, next_eligible_at."""
    reasons = []
    for reason in decision.reasons:
        told: dict[str, Any] = {"code": reason.code, "detail": reason.detail, "ends": reason.ends}
        if reason.rule is not None:
            told["rule"] = reason.rule
        if reason.until is not None:
            told["until"] = spelled_at(reason.until)
        reasons.append(told)
    at = decision.next_eligible_at
    return {
        "allowed": decision.allowed,
        "reasons": reasons,
        "next_eligible_at": None if at is None else spelled_at(at),
    }


def replayed(inputs: Mapping[str, Any], policy: SurveysPolicy) -> dict[str, Any]:
    """The answer made again from what was written down."""
    request = _REQUEST.validate_python(inputs["request"])
    facts = _FACTS.validate_python(inputs["facts"])
    return answer_of(decide(request, facts, policy, _AT.validate_python(inputs["at"])))
