"""When a webhook is sent again, and when no more. Pure: time and jitter are arguments."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

DeliveryState = Literal["pending", "delivered", "failed"]
EXCERPT_BYTES = 1_024


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The schedule of the Standard Webhooks specification: 10 attempts over about three days.

    `delays_seconds[n]` is the wait before attempt n + 1, spread by ± `jitter`. A Retry-After lengthens the
    wait up to its cap and never shortens it. An overloaded receiver gets no delivery at all for a while.
    """

    version: str = "standard@1"
    delays_seconds: tuple[float, ...] = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    jitter: float = 0.2
    retry_after_cap_seconds: float = 21_600
    overload_statuses: frozenset[int] = frozenset({429, 502, 504})
    overload_seconds: float = 30


@dataclass(frozen=True, slots=True)
class Response:
    """What came of one request: a status, or the reason why there was none; and the headers that count."""

    status: int | None
    error: str | None = None
    excerpt: str = ""
    retry_after: str | None = None
    abort: bool = False
    allowed_origin: str | None = None
    allowed_rate: str | None = None
    ours: bool = False
    """The fault is on our side and says nothing about the receiver."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver answered 2xx."""


@dataclass(frozen=True, slots=True)
class Retry:
    at: datetime
    throttle_until: datetime | None
    because: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    because: str


@dataclass(frozen=True, slots=True)
class Disable:
    """The receiver said 410: it wants nothing more."""

    because: str


Decision = Delivered | Retry | GiveUp | Disable


def next_attempt(
    policy: RetryPolicy, attempt: int, response: Response, now: datetime, jitter: float
) -> Decision:
    """What to do after attempt number `attempt` (1 is the first); `jitter` lies in −1…1.

    Only 2xx is success: a redirect is a failure, since following it would leave the checked address.
    """
    if response.status is not None and 200 <= response.status < 300:
        return Delivered()
    because = response.error or f"the receiver answered {response.status}"
    if response.status == 410:
        return Disable("the receiver answered 410 Gone")
    if response.abort:
        return GiveUp("the receiver asked to stop (webhook-delivery: abort-message)")
    if attempt >= len(policy.delays_seconds):
        return GiveUp(f"{attempt} attempts failed; the last: {because}")
    delay = policy.delays_seconds[attempt] * (1 + policy.jitter * jitter)
    asked = retry_after_seconds(response.retry_after, now)
    if asked is not None:
        delay = max(delay, min(asked, policy.retry_after_cap_seconds))
    throttle_until = None
    if response.status in policy.overload_statuses:
        pause = policy.overload_seconds if asked is None else min(asked, policy.retry_after_cap_seconds)
        throttle_until = now + timedelta(seconds=pause)
        delay = max(delay, pause)
    return Retry(now + timedelta(seconds=delay), throttle_until, because)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110: seconds or a date); None if it says nothing."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - now).total_seconds(), 0.0)


def excerpt(body: bytes) -> str:
    """The beginning of an answer, as text a database takes, at most 1 kB in UTF-8."""
    text = body[:EXCERPT_BYTES].decode(errors="ignore").replace("\x00", "")
    return text.encode()[:EXCERPT_BYTES].decode(errors="ignore")
