"""Standard Webhooks 1.0.0: `webhook-id`, `webhook-timestamp`, `webhook-signature` (HMAC-SHA256, `v1,…`)."""

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(message_id: str, at: datetime, body: bytes, secrets_: Sequence[str]) -> dict[str, str]:
    """The three headers of one attempt at `at`: one signature per live secret, newest first.

    `body` is UTF-8 and is signed as the bytes that are sent.
    """
    if not secrets_:
        raise ValueError("a delivery needs at least one secret")
    if "." in message_id:
        raise ValueError("a message id must not contain a full stop")
    text = body.decode()
    moment = at.astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(s).sign(message_id, moment, text) for s in secrets_),
    }
