"""What is said about decisions, rules and stops."""

from collections.abc import Sequence
from typing import Any

from heardback_ingest.app.surveys.explain import Explained
from heardback_ingest.app.surveys.ports import Crisis, Held, Logged
from heardback_ingest.domain.surveys.lint import Finding
from heardback_ingest.domain.surveys.policy import Filter, Rule, SurveysPolicy
from heardback_ingest.domain.surveys.record import spelled_at
from heardback_ingest.domain.surveys.windows import Rolling, spelled
from heardback_ingest.http.survey_shapes import spell_cursor


def page(found: Sequence[tuple[Logged, Held | None]], limit: int) -> dict[str, Any]:
    shown = found[:limit]
    last = shown[-1][0] if len(found) > limit else None
    return {
        "decisions": [_line(logged) | _became(held) for logged, held in shown],
        "next_cursor": spell_cursor(last.at, last.id) if last else None,
    }


def explained(found: Explained) -> dict[str, Any]:
    """`replayed.same`: made again from what was written down, the answer is the same."""
    again = {"same": found.same, "answer": found.again, "because": found.missing}
    return _line(found.logged) | {"inputs": found.logged.inputs, "replayed": again}


def _line(one: Logged) -> dict[str, Any]:
    return {
        "decision": one.id,
        "at": spelled_at(one.at),
        "act": one.act,
        "asked_by": one.asked_by,
        "customer": one.request.customer_id,
        "survey": one.request.survey,
        "channel": one.request.channel,
        "kind": one.request.kind,
        "rules": f"surveys:{one.policy}",
        **one.answer,
    }


def _became(held: Held | None) -> dict[str, Any]:
    if held is None:
        return {"invitation": None}
    of = held.invitation
    times = {
        "reserved_at": of.reserved_at,
        "expires_at": of.expires_at,
        "sent_at": of.sent_at,
        "seen_at": of.seen_at,
        "answered_at": of.answered_at,
    }
    said = {name: None if at is None else spelled_at(at) for name, at in times.items()}
    about = {"reservation": of.id, "state": of.state, "late": held.late, "feedback": held.feedback_id}
    return {"invitation": about | said}


def rules(name: str, policy: SurveysPolicy, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "rules": f"surveys:{name}",
        "zone": policy.zone.key,
        "surveys": dict(policy.surveys),
        "quiet_hours_kept_by": policy.suppress.quiet_hours,
        "in_words": [{"rule": rule.name, "says": in_words(rule)} for rule in policy.rules],
        "findings": [
            {"level": f.level, "kind": f.kind, "pointer": f.pointer, "detail": f.detail} for f in findings
        ],
    }


_WHOSE = {
    "contact": "to one person",
    "account": "to one account",
    "both": "to one person, and to one account",
}


def in_words(rule: Rule) -> str:
    """The rule as somebody reads it who never saw the policy."""
    what = _filtered(rule.applies)
    alike = f" with the same {' and '.join(sorted(rule.same))}" if rule.same else ""
    count = "one" if rule.gap else str(rule.most)
    most = f"at most {count}{alike} in {rule.window}"
    said = f"{what} {_WHOSE[rule.scope]}: {most}; what was {rule.counts} counts"
    said += ", reminders too." if rule.reminders else ", reminders neither count nor are held back."
    for kept in rule.reserved:
        said += f" {kept.slots} of them kept for {', '.join(sorted(kept.surveys))}."
    for shorter in rule.shorter:
        only = shorter.window
        distance = spelled(only.length) if isinstance(only, Rolling) else str(only)
        said += f" For {', '.join(sorted(shorter.surveys))} only {distance}."
    if rule.when:
        said += f" Only where {' and '.join(sorted(c.attribute for c in rule.when))} is as the policy says."
    return said


def _filtered(of: Filter) -> str:
    parts = [sorted(of.surveys), sorted(of.types), sorted(of.channels), sorted(of.touchpoints)]
    said = " / ".join(" or ".join(part) for part in parts if part)
    return f"Invitations ({said})" if said else "Invitations of any kind"


def crisis(of: Crisis) -> dict[str, Any]:
    return {
        "id": of.id,
        "because": of.because,
        "called_at": spelled_at(of.called_at),
        "called_by": of.called_by,
        "ends_at": spelled_at(of.ends_at),
        "lifted_at": None if of.lifted_at is None else spelled_at(of.lifted_at),
        "lifted_by": of.lifted_by,
    }
