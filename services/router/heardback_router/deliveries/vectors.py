"""Test vectors for receivers: signed messages that must be believed, and some that must not, each with why.

The keys in them are public and sign nothing else.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from heardback_router.deliveries.signing import PRIVATE_PREFIX, SECRET_PREFIX, public_key, signed_headers

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BODY = (
    '{"type":"loop.told","timestamp":"2026-11-23T12:00:00Z",'
    '"data":{"message_id":"msg_vector","note":"Grüße, 東京 ✓"}}'
)


def _bytes(name: str) -> bytes:
    return hashlib.sha256(f"heardback webhook test vector: {name}".encode()).digest()


SECRET = SECRET_PREFIX + base64.b64encode(_bytes("secret")).decode()
NEW_SECRET = SECRET_PREFIX + base64.b64encode(_bytes("secret after rotation")).decode()
OTHER_SECRET = SECRET_PREFIX + base64.b64encode(_bytes("secret of somebody else")).decode()
PRIVATE = PRIVATE_PREFIX + base64.b64encode(_bytes("ed25519 seed")).decode()
OTHER_PRIVATE = PRIVATE_PREFIX + base64.b64encode(_bytes("ed25519 seed of somebody else")).decode()
PUBLIC, OTHER_PUBLIC = public_key(PRIVATE), public_key(OTHER_PRIVATE)


def vectors() -> dict[str, Any]:
    """Always the same. `at` is the receiver's clock, `fault` the name `verify` gives to what is wrong."""
    good = signed_headers("msg_vector", AT, BODY.encode(), [SECRET])
    public = signed_headers("msg_vector", AT, BODY.encode(), [PRIVATE])
    rotated = signed_headers("msg_vector", AT, BODY.encode(), [NEW_SECRET, SECRET])
    both = signed_headers("msg_vector", AT, BODY.encode(), [SECRET, PRIVATE])
    tampered = BODY.replace("msg_vector", "msg_factor")
    later = {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)}
    relabelled = {**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v1a,")}
    without = {name: value for name, value in good.items() if name != "webhook-signature"}
    return {
        "about": "Standard Webhooks 1.0.0 as heardback signs. The body is UTF-8; sign and verify its bytes. "
        "Tolerance is 300 seconds. Made by: heardback webhooks vectors",
        "private_keys": {"whsec": SECRET, "whsk": PRIVATE},
        "vectors": [
            _one("good", "v1 with the secret", [SECRET], good),
            _one("good, v1a", "ed25519 with the public key", [PUBLIC], public),
            _one("rotated, old key", "the old secret still fits", [SECRET], rotated),
            _one("rotated, new key", "the new secret fits already", [NEW_SECRET], rotated),
            _one("both kinds, v1", "a v1 receiver passes over v1a", [SECRET], both),
            _one("both kinds, v1a", "a v1a receiver passes over v1", [PUBLIC], both),
            _one("edge of tolerance", "just in time", [SECRET], good, at=AT + timedelta(seconds=300)),
            _one("tampered body", "one letter changed", [SECRET], good, body=tampered, fault="no_match"),
            _one(
                "tampered body, v1a", "one letter changed", [PUBLIC], public, body=tampered, fault="no_match"
            ),
            _one("tampered time", "one second moved", [SECRET], later, fault="no_match"),
            _one("tampered id", "another id", [SECRET], {**good, "webhook-id": "msg_2"}, fault="no_match"),
            _one("wrong key", "somebody else's secret", [OTHER_SECRET], good, fault="no_match"),
            _one("wrong key, v1a", "somebody else's key", [OTHER_PUBLIC], public, fault="no_match"),
            _one("relabelled", "a v1 signature called v1a", [SECRET, PUBLIC], relabelled, fault="no_match"),
            _one("stale", "read too late", [SECRET], good, at=AT + timedelta(seconds=301), fault="too_old"),
            _one("future", "sent too early", [SECRET], good, at=AT - timedelta(seconds=301), fault="too_new"),
            _one("no signature", "a header is missing", [SECRET], without, fault="missing_header"),
            _one(
                "no time",
                "the time is no number",
                [SECRET],
                {**good, "webhook-timestamp": "noon"},
                fault="bad_timestamp",
            ),
        ],
    }


def _one(
    name: str,
    about: str,
    keys: Sequence[str],
    headers: dict[str, str],
    *,
    body: str = BODY,
    at: datetime = AT,
    fault: str | None = None,
) -> dict[str, Any]:
    return {
        "name": name,
        "about": about,
        "keys": list(keys),
        "at": int(at.timestamp()),
        "headers": headers,
        "body": body,
        "valid": fault is None,
        "fault": fault,
    }
