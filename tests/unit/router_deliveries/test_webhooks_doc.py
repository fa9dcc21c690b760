"""docs/webhooks.md says what the code does: its snippet verifies, its numbers are those in force."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from heardback_router.deliveries.breaker import BreakerPolicy
from heardback_router.deliveries.domain import RetryPolicy
from heardback_router.deliveries.endpoint import FIELDS, SUBSCRIBABLE
from heardback_router.deliveries.settings import WebhookSettings

DOC = Path("docs/webhooks.md").read_text("utf-8")
VECTORS = json.loads(Path("docs/webhooks-vectors.json").read_text("utf-8"))["vectors"]


def snippet() -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", DOC, re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/webhooks.md", "exec"), names)
    return names["genuine"]


@pytest.mark.parametrize("vector", VECTORS, ids=[v["name"] for v in VECTORS])
def test_the_snippet_judges_the_vectors_of_v1_rightly(
    vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (key, *_), headers = vector["keys"], vector["headers"]
    if key.startswith("whpk_") or vector["fault"] in {"missing_header", "bad_timestamp"}:
        return
    monkeypatch.setattr(time, "time", lambda: float(vector["at"]))
    assert snippet()(headers, vector["body"].encode(), key) is vector["valid"]


def seconds(text: str) -> float:
    number, unit = text.split(" ")
    return float(number) * {"s": 1, "min": 60, "h": 3_600}[unit]


def test_the_schedule_is_the_one_in_force() -> None:
    (said,) = re.findall(r"again after (.*?), ± 20 %; then `failed`", DOC)
    retry, breaker = RetryPolicy(), BreakerPolicy()
    assert tuple(seconds(part) for part in said.split(", ")) == retry.delays_seconds[1:]
    assert (retry.jitter, retry.retry_after_cap_seconds, retry.overload_seconds) == (0.2, 6 * 3_600, 30)
    assert "After five failures in a row, or when half of at least 20 attempts within ten minutes" in DOC
    assert (breaker.failures_in_row, breaker.window_attempts, breaker.window_share) == (5, 20, 0.5)
    assert breaker.window_seconds == 600
    assert "After 1, 2, 5, 10, 30, then every 60 minutes" in DOC
    assert [s / 60 for s in breaker.backoff_seconds] == [1, 2, 5, 10, 30, 60]
    assert "pinged after 1,\n3, 6, and every 12 hours" in DOC
    assert [s / 3_600 for s in breaker.probe_seconds] == [1, 3, 6, 12]
    assert breaker.disable_after.days == 5


def test_every_event_and_field_is_named() -> None:
    for name in (*SUBSCRIBABLE, *FIELDS):
        assert f"`{name}`" in DOC


def test_the_defaults_of_the_settings_are_those_in_force() -> None:
    settings = WebhookSettings()
    assert f"| `TIMEOUT_SECONDS` | {settings.timeout_seconds:g} |" in DOC
    assert f"| {settings.concurrency}, {settings.concurrency_per_endpoint} |" in DOC
    assert f"| `HOLD_HOURS` | {settings.hold_hours:g} |" in DOC
    assert f"| `REPLAY_LIMIT` | {settings.replay_limit} |" in DOC
    assert f"| `PORTAL_HOURS` | {settings.portal_hours:g} |" in DOC
    assert json.loads("[443,8443]") == list(settings.ports)
