"""Does whoever answers at a URL want our webhooks? Pure.

Two ways. The handshake of CloudEvents webhooks (OPTIONS with WebHook-Request-Origin): WebHook-Allowed-Origin
in the answer is consent, the status is not. Or a signed ping whose challenge comes back in the answer.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from heardback_router.deliveries.domain import Response
from heardback_router.deliveries.endpoint import ENDPOINT_PING, ProofMethod

REQUEST_ORIGIN, REQUEST_RATE = "webhook-request-origin", "webhook-request-rate"
CHALLENGE_BYTES = 24


@dataclass(frozen=True, slots=True)
class Proven:
    """`rate_per_minute`: as many requests the receiver allows; None is no limit."""

    method: ProofMethod
    rate_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Unproven:
    because: str


def judge_handshake(response: Response, origin: str) -> Proven | Unproven:
    if response.status is None:
        return Unproven(f"handshake: {response.error}")
    allowed = (response.allowed_origin or "").strip().lower()
    if allowed not in {"*", origin.lower()}:
        said = f"allowed {allowed[:100]!r}" if allowed else "named no WebHook-Allowed-Origin"
        return Unproven(f"handshake: the receiver {said}; {origin!r} or '*' is consent")
    rate = (response.allowed_rate or "").strip()
    if rate in {"", "*"}:
        return Proven("handshake")
    if not (rate.isascii() and rate.isdigit() and int(rate[:9]) > 0):
        return Unproven("handshake: WebHook-Allowed-Rate is neither '*' nor a whole number above 0")
    return Proven("handshake", int(rate[:9]))


def ping_body(endpoint_id: str, challenge: str, at: datetime) -> bytes:
    return orjson.dumps(
        {
            "type": ENDPOINT_PING,
            "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": {"endpoint_id": endpoint_id, "challenge": challenge},
        }
    )


def judge_ping(response: Response, challenge: str) -> Proven | Unproven:
    """The answer must be 2xx, and its body the challenge, or a JSON object with it as `challenge`."""
    if response.status is None:
        return Unproven(f"ping: {response.error}")
    if not 200 <= response.status < 300:
        return Unproven(f"ping: the receiver answered {response.status}")
    if not hmac.compare_digest(_said(response.excerpt).encode(), challenge.encode()):
        return Unproven("ping: the answer does not hold the challenge")
    return Proven("ping")


def _said(body: str) -> str:
    text = body.strip()
    if not text.startswith("{"):
        return text
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ""
    challenge = found.get("challenge") if isinstance(found, dict) else None
    return challenge if isinstance(challenge, str) else ""
