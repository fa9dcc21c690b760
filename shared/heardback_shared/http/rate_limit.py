"""A token bucket per API key and process. 429 answers say when to come back."""

import math
from collections.abc import Callable
from time import monotonic

from heardback_shared.errors import ProblemError

MOST_KEYS = 10_000
"""From so many buckets on, those that are full are forgotten."""


class RateLimiter:
    """`per_minute` requests a minute, with bursts up to the same number; 0 lets everything through. `who` is
    whom a refusal speaks of."""

    def __init__(
        self, per_minute: int, now: Callable[[], float] = monotonic, *, who: str = "This key"
    ) -> None:
        self._per_minute = per_minute
        self._now = now
        self._who = who
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, key: str) -> None:
        """Takes one token, or raises a 429 problem with Retry-After."""
        if not self._per_minute:
            return
        at = self._now()
        if len(self._buckets) >= MOST_KEYS:
            self._forget_full(at)
        left, since = self._buckets.get(key, (float(self._per_minute), at))
        left = min(left + (at - since) * self._per_minute / 60, float(self._per_minute))
        if left < 1:
            self._buckets[key] = (left, at)
            wait = math.ceil((1 - left) * 60 / self._per_minute)
            raise ProblemError(
                429,
                "too-many-requests",
                "Too many requests",
                f"{self._who} may send {self._per_minute} requests a minute; come back in {wait} s.",
                headers={
                    "Retry-After": str(wait),
                    "RateLimit-Policy": f'"default";q={self._per_minute};w=60',
                    "RateLimit": f'"default";r=0;t={wait}',
                },
            )
        self._buckets[key] = (left - 1, at)

    def _forget_full(self, at: float) -> None:
        """A bucket that is full again is as good as none."""
        self._buckets = {
            key: (left, since)
            for key, (left, since) in self._buckets.items()
            if left + (at - since) * self._per_minute / 60 < self._per_minute
        }
