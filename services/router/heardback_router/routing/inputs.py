"""What a routing decision looks at, as JSON: every field always present, so that no condition meets a gap."""

from datetime import datetime
from typing import Any

from heardback_shared.contracts.customer import CustomerHistory, CustomerSnapshot
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.contracts.feedback import FeedbackContent, Metric
from heardback_shared.contracts.score import RootCause, Score

_NOBODY = CustomerSnapshot()


def inputs_of(scored: FeedbackScored, at: datetime) -> dict[str, Any]:
    """Unknown text is "", an unknown number is None. Holds no customer text."""
    accepted, score = scored.accepted, scored.score
    return {
        "event": _event(accepted.feedback_id, accepted.content),
        "score": _score(score),
        "customer": _customer(accepted.customer or _NOBODY, at),
        "at": at.isoformat(),
        "runners_up": [_cause(cause) for cause in (*score.root_causes[1:], *score.runners_up)],
        "models": [{"name": m.name, "revision": m.revision, "sha256": m.sha256} for m in score.models],
        "policies": {
            "severity": score.severity.policy,
            "taxonomy": score.taxonomy,
            "scoring": list(score.policies),
        },
    }


def _event(feedback_id: str, content: FeedbackContent) -> dict[str, Any]:
    return {
        "feedback_id": feedback_id,
        "kind": content.kind,
        "source": content.source,
        "revision": content.revision,
        "channel": content.channel or "",
        "touchpoint": content.touchpoint or "",
        "language": content.language or "",
        "resolution": content.resolution or "",
        "context": {name: portable(value) for name, value in content.context.items()},
        "metric": _metric(content.metric),
    }


def portable(value: Any) -> Any:
    """Conditions and stored JSON count in 64 bits; a longer number, such as an order number, is text."""
    return str(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _metric(metric: Metric | None) -> dict[str, Any]:
    if metric is None:
        return {"kind": "", "value": None, "min": None, "max": None, "share_of_best": None}
    return {
        "kind": metric.kind,
        "value": metric.value,
        "min": metric.min,
        "max": metric.max,
        "share_of_best": metric.share_of_best,
    }


def _score(score: Score) -> dict[str, Any]:
    first = score.root_causes[0] if score.root_causes else None
    sentiment = score.sentiment
    cues: dict[str, float] = {}
    for cue in score.cues:
        cues[cue.name] = max(cue.probability, cues.get(cue.name, 0.0))
    return {
        "status": score.status,
        "sentiment": {
            "label": sentiment.label if sentiment else "",
            "score": sentiment.score if sentiment else None,
            "abstained": sentiment.abstained if sentiment else True,
        },
        "satisfaction": score.satisfaction,
        "mismatch": score.mismatch or "",
        "cues": cues,
        "domain": first.domain if first else "",
        "category": first.category if first else "",
        "confidence": first.confidence if first else None,
        "root_causes": [cause.path for cause in score.root_causes],
        "severity": {"score": score.severity.score, "band": score.severity.band},
        "handover": score.handover.now,
    }


def _customer(customer: CustomerSnapshot, at: datetime) -> dict[str, Any]:
    history: CustomerHistory = customer.history
    renewal = customer.renewal_date
    return {
        "id": customer.id or "",
        "tier": customer.tier or "",
        "segment": customer.segment or "",
        "region": customer.region or "",
        "language": customer.language or "",
        "owner": customer.owner or "",
        "currency": customer.currency or "",
        "lifetime_value": customer.lifetime_value,
        "days_to_renewal": (renewal - at.date()).days if renewal else None,
        "contacts_30d": history.contacts_30d,
        "open_items": history.open_items,
        "transfers": history.transfers,
        "broken_promises": history.broken_promises,
        "taken_at": customer.taken_at.isoformat() if customer.taken_at else "",
    }


def _cause(cause: RootCause) -> dict[str, Any]:
    return {"domain": cause.domain, "category": cause.category, "confidence": cause.confidence}
