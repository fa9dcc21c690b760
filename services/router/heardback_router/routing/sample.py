"""Inputs with every field filled, on which each condition is tried before a policy is taken into use."""

from typing import Any

SAMPLE_INPUTS: dict[str, Any] = {
    "event": {
        "feedback_id": "fb_sample",
        "kind": "survey",
        "source": "sample",
        "revision": 1,
        "channel": "email",
        "touchpoint": "delivery",
        "language": "en",
        "resolution": "unresolved",
        "context": {},
        "metric": {"kind": "nps", "value": 2.0, "min": 0.0, "max": 10.0, "share_of_best": 0.2},
    },
    "score": {
        "status": "scored",
        "sentiment": {"label": "negative", "score": -0.9, "abstained": False},
        "satisfaction": -0.8,
        "cues": {},
        "domain": "operations",
        "category": "billing",
        "confidence": 0.8,
        "root_causes": ["operations/billing"],
        "severity": {"score": 78.0, "band": "P1"},
        "handover": True,
    },
    "customer": {
        "id": "c-sample",
        "tier": "strategic",
        "segment": "retail",
        "region": "EU",
        "language": "en",
        "owner": "sample",
        "currency": "EUR",
        "lifetime_value": 120000.0,
        "days_to_renewal": 28,
        "contacts_30d": 3,
        "open_items": 1,
        "transfers": 2,
        "broken_promises": 1,
    },
    "at": "2026-11-22T12:00:00+00:00",
    "runners_up": [{"domain": "product", "category": "defect", "confidence": 0.1}],
    "models": [],
    "policies": {"severity": "default@1", "taxonomy": "default@1", "scoring": []},
}
