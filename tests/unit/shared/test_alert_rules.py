"""The alerts we ship ask for metrics that exist, with labels that they have."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter

from heardback_shared.metrics import Metrics

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "heardback.rules.yaml"
KNOWN = {
    f"{metric._name}{'_total' if isinstance(metric, Counter) else ''}": set(metric._labelnames)
    for metric in vars(Metrics()).values()
    if hasattr(metric, "_labelnames")
}


def rules() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_what_exists(rule: dict[str, Any]) -> None:
    asked = re.findall(r"(heardback_\w+)(?:\{([^}]*)\})?", rule["expr"])
    assert asked
    for metric, matchers in asked:
        assert metric in KNOWN
        assert set(re.findall(r"(\w+)=", matchers)) <= KNOWN[metric]
    for labels in re.findall(r"by \(([^)]*)\)", rule["expr"]):
        assert all(set(labels.split(", ")) <= KNOWN[metric] for metric, _ in asked)
    assert rule["annotations"]["summary"]
