"""Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

`v1,…` is HMAC-SHA256 by a shared secret (`whsec_`), `v1a,…` is ed25519 by a private key (`whsk_`) whose
public key (`whpk_`) anybody may know.
"""

import base64
import binascii
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

SECRET_BYTES = 32
SECRET_PREFIX, PRIVATE_PREFIX, PUBLIC_PREFIX = "whsec_", "whsk_", "whpk_"


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def new_private_key() -> str:
    """The 32-byte seed of an ed25519 key."""
    return PRIVATE_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def public_key(private_key: str) -> str:
    """The `whpk_` of a `whsk_`."""
    return PUBLIC_PREFIX + base64.b64encode(_private(private_key).public_key().public_bytes_raw()).decode()


def signed_content(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def signed_headers(message_id: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The three headers of one attempt at `at`: one signature per live key, in the order given.

    `body` is UTF-8 and is signed as the bytes that are sent.
    """
    if not keys:
        raise ValueError("a delivery needs at least one secret")
    if "." in message_id:
        raise ValueError("a message id must not contain a full stop")
    moment = at.astimezone(UTC)
    timestamp = str(int(moment.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_sign(key, message_id, moment, timestamp, body) for key in keys),
    }


def _sign(key: str, message_id: str, moment: datetime, timestamp: str, body: bytes) -> str:
    if key.startswith(PRIVATE_PREFIX):
        signature = _private(key).sign(signed_content(message_id, timestamp, body))
        return "v1a," + base64.b64encode(signature).decode()
    return Webhook(key).sign(message_id, moment, body.decode())


def _private(key: str) -> Ed25519PrivateKey:
    try:
        raw = base64.b64decode(key.removeprefix(PRIVATE_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a private key is whsk_ and base64") from error
    if len(raw) == 2 * SECRET_BYTES:
        raw = raw[:SECRET_BYTES]  # some write the public key behind the seed
    return Ed25519PrivateKey.from_private_bytes(raw)
