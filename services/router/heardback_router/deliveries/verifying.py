"""A receiver's side of Standard Webhooks: is this message from who has the key, as it was sent, and now?"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from heardback_router.deliveries.signing import PUBLIC_PREFIX, SECRET_PREFIX, signed_content

TOLERANCE = timedelta(minutes=5)

Fault = Literal["missing_header", "bad_timestamp", "too_old", "too_new", "bad_key", "no_match"]


class UnverifiedError(ValueError):
    """Do not believe the message. `fault` says why, for machines."""

    def __init__(self, fault: Fault, because: str) -> None:
        super().__init__(because)
        self.fault = fault


def verify(
    headers: Mapping[str, str],
    body: bytes,
    keys: Sequence[str],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> None:
    """Returns when one signature fits one of the `keys` (`whsec_…` or `whpk_…`); raises UnverifiedError.

    `body` is the raw bytes as they came. Signatures of other versions are passed over. Comparing takes the
    same time whatever differs.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp, given = (
        lower.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature")
    )
    for name, value in (("id", message_id), ("timestamp", timestamp), ("signature", given)):
        if not value:
            raise UnverifiedError("missing_header", f"the header webhook-{name} is missing")
    _check_time(timestamp, now, tolerance)
    content = signed_content(message_id, timestamp, body)
    checks = [_checker(key, content) for key in keys]
    for signature in given.split(" "):
        version, _, encoded = signature.partition(",")
        raw = _decoded(encoded)
        if raw is not None and any(version == v and fits(raw) for v, fits in checks):
            return
    raise UnverifiedError(
        "no_match", "no signature fits: another key signed it, or the body, id or time was changed"
    )


def _check_time(timestamp: str, now: datetime, tolerance: timedelta) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 11):
        raise UnverifiedError("bad_timestamp", "webhook-timestamp is not a whole number of seconds")
    sent = datetime.fromtimestamp(int(timestamp), UTC)
    if sent < now - tolerance:
        raise UnverifiedError("too_old", f"it was sent at {sent:%Y-%m-%dT%H:%M:%SZ}, too long ago")
    if sent > now + tolerance:
        raise UnverifiedError("too_new", f"it says it was sent at {sent:%Y-%m-%dT%H:%M:%SZ}, in the future")


class _Shared:
    def __init__(self, key: bytes, content: bytes) -> None:
        self._expected = hmac.new(key, content, hashlib.sha256).digest()

    def __call__(self, signature: bytes) -> bool:
        return hmac.compare_digest(self._expected, signature)


class _Public:
    def __init__(self, key: bytes, content: bytes) -> None:
        self._key, self._content = Ed25519PublicKey.from_public_bytes(key), content

    def __call__(self, signature: bytes) -> bool:
        try:
            self._key.verify(signature, self._content)
        except InvalidSignature:
            return False
        return True


def _checker(key: str, content: bytes) -> tuple[str, _Shared | _Public]:
    if key.startswith(PUBLIC_PREFIX):
        raw = _decoded(key.removeprefix(PUBLIC_PREFIX))
        if raw is None or len(raw) != 32:
            raise UnverifiedError("bad_key", "a public key is whpk_ and 32 bytes in base64")
        return "v1a", _Public(raw, content)
    raw = _decoded(key.removeprefix(SECRET_PREFIX))
    if not raw or not key.startswith(SECRET_PREFIX):
        raise UnverifiedError("bad_key", "a secret is whsec_ and bytes in base64, a public key whpk_ and 32")
    return "v1", _Shared(raw, content)


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
