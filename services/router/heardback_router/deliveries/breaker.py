"""Whether an endpoint is spared for a while, and when it is given up. Pure: time is an argument.

closed → open (too many failures) → half_open (one probe flies) → closed, or open again for longer.
While it is open nothing is sent and deliveries keep their attempts.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Circuit = Literal["closed", "open", "half_open"]

Outcome = Literal["ok", "failed", "busy"]
"""`busy`: the receiver asked for time (429). It is alive: it is throttled, the circuit stays as it is."""

Event = Literal["opened", "closed", "disabled"]


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """It opens after `failures_in_row`, or when of at least `window_attempts` within `window_seconds` the
    share `window_share` failed. It waits `backoff_seconds[n]` before probe n + 1; the last one repeats.

    Disabled for good: failing since `disable_after` without one success, at least `disable_failures` times.
    After that `probe_seconds[n]` is the wait before ping n + 1.
    """

    version: str = "standard@1"
    failures_in_row: int = 5
    window_seconds: float = 600
    window_attempts: int = 20
    window_share: float = 0.5
    backoff_seconds: tuple[float, ...] = (60, 120, 300, 600, 1_800, 3_600)
    disable_after: timedelta = timedelta(days=5)
    disable_failures: int = 5
    probe_seconds: tuple[float, ...] = (3_600, 10_800, 21_600, 43_200)


@dataclass(frozen=True, slots=True)
class Health:
    """`until`: when an open circuit may be probed, or when the probe that flies counts as lost.

    `failures` and `failing_since` are since the last success; `opened` is how often it opened in a row.
    """

    circuit: Circuit = "closed"
    until: datetime | None = None
    opened: int = 0
    failures: int = 0
    failing_since: datetime | None = None
    window_started: datetime | None = None
    window_made: int = 0
    window_failed: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """`event` is what people want to know about, if anything changed; `because` in plain words."""

    health: Health
    event: Event | None = None
    because: str | None = None


def may_send(health: Health, now: datetime) -> Literal["all", "probe", "nothing"]:
    """`probe`: one delivery, by whoever marks the health with `probing` first."""
    if health.circuit == "closed":
        return "all"
    return "probe" if health.until is None or health.until <= now else "nothing"


def probing(health: Health, lost_at: datetime) -> Health:
    """One probe flies; should nothing be heard of it, the next may fly at `lost_at`."""
    return replace(health, circuit="half_open", until=lost_at)


def hastened(health: Health, now: datetime) -> Health:
    """A person asked for something to be sent: an open circuit may be probed at once."""
    return replace(health, until=now) if health.circuit == "open" else health


def after_attempt(policy: BreakerPolicy, health: Health, outcome: Outcome, at: datetime) -> Judged:
    """What an attempt that ended at `at` means for its endpoint."""
    if outcome == "ok":
        return _after_success(policy, health, at)
    if outcome == "busy":
        health = replace(health, failing_since=health.failing_since or at)
        return Judged(_opened(policy, health, health.opened, at) if health.circuit == "half_open" else health)
    return _after_failure(policy, health, at)


def _after_success(policy: BreakerPolicy, health: Health, at: datetime) -> Judged:
    if health.circuit != "closed":
        return Judged(Health(), "closed", "the receiver answers again")
    if health.window_started is None:
        return Judged(Health())
    counted = _counted(policy, health, at, failed=0)
    return Judged(replace(counted, failures=0, failing_since=None))


def _after_failure(policy: BreakerPolicy, health: Health, at: datetime) -> Judged:
    health = _counted(policy, health, at, failed=1)
    since = health.failing_since or at
    health = replace(health, failures=health.failures + 1, failing_since=since)
    if at - since >= policy.disable_after and health.failures >= policy.disable_failures:
        return Judged(health, "disabled", _given_up(policy, health))
    if health.circuit == "half_open":
        return Judged(_opened(policy, health, health.opened + 1, at))
    because = _too_many(policy, health)
    if health.circuit == "open" or because is None:
        return Judged(health)
    return Judged(_opened(policy, health, 1, at), "opened", because)


def _counted(policy: BreakerPolicy, health: Health, at: datetime, *, failed: int) -> Health:
    """The window starts with a failure, so that an endpoint that never fails is never written to."""
    started = health.window_started
    if started is not None and at - started < timedelta(seconds=policy.window_seconds):
        return replace(
            health, window_made=health.window_made + 1, window_failed=health.window_failed + failed
        )
    fresh = (at, 1, 1) if failed else (None, 0, 0)
    return replace(health, window_started=fresh[0], window_made=fresh[1], window_failed=fresh[2])


def _too_many(policy: BreakerPolicy, health: Health) -> str | None:
    if health.failures >= policy.failures_in_row:
        return f"{health.failures} attempts in a row failed"
    made, failed = health.window_made, health.window_failed
    if made >= policy.window_attempts and failed >= policy.window_share * made:
        return f"{failed} of {made} attempts within {policy.window_seconds / 60:g} minutes failed"
    return None


def _opened(policy: BreakerPolicy, health: Health, opened: int, at: datetime) -> Health:
    wait = policy.backoff_seconds[min(max(opened, 1), len(policy.backoff_seconds)) - 1]
    return replace(health, circuit="open", until=at + timedelta(seconds=wait), opened=max(opened, 1))


def _given_up(policy: BreakerPolicy, health: Health) -> str:
    days = policy.disable_after / timedelta(days=1)
    return f"no attempt succeeded for {days:g} days ({health.failures} failed)"


def next_probe(policy: BreakerPolicy, probes: int, now: datetime) -> datetime:
    """When a disabled endpoint is pinged again, after so many pings failed."""
    return now + timedelta(seconds=policy.probe_seconds[min(probes, len(policy.probe_seconds) - 1)])
