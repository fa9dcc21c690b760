"""docs/severity.md says what severity does: its example comes out, its figures are the policy's."""

import json
import re
from pathlib import Path
from typing import Any

from tests.support.scoring import POLICIES
from tests.support.vignettes import Vignettes

from heardback_scoring.domain.severity import assess

PAGE = (Path(__file__).parents[3] / "docs/severity.md").read_text("utf-8")
POLICY = POLICIES.severity


def test_the_example_comes_out_as_printed() -> None:
    given, printed = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.S))
    heard = given.pop("heard")
    one = Vignettes({"example": given}, {"example": heard}, ())
    found: dict[str, Any] = assess(one.stated("example"), POLICY).model_dump(mode="json")
    assert found == printed


def test_the_weights_of_cues_and_floors_are_those_of_the_policy() -> None:
    weights = re.findall(r"^\| (\w+) \| ([\d.]+) \| (yes)? ?\| ", PAGE, re.M)
    assert {name: (float(points), bool(passes)) for name, points, passes in weights} == {
        name: (weight.points, weight.passes) for name, weight in POLICY.cues.items()
    }
    floors = re.findall(r"^\| (\w+) \| ([\d.]+) \|$", PAGE, re.M)
    assert {name: float(points) for name, points in floors} == {
        name: floor.most for name, floor in POLICY.floors.items()
    }


def test_the_other_figures_are_those_of_the_policy() -> None:
    assert f"`largest_step` = {POLICY.largest_step:g} points" in PAGE
    for name, curve in (
        *((f"| {name} |", curve) for name, curve in POLICY.record.items()),
        ("| lifetime value |", POLICY.lifetime_value),
        ("| days to renewal |", POLICY.renewal),
        ("its age in days:", POLICY.freshness),
    ):
        assert f"{name} {', '.join(f'{at:g} → {value:g}' for at, value in curve.root)}" in PAGE
    tiers = ", ".join(f"{name} {points:g}" for name, points in POLICY.tiers.items())
    assert f"| tier | {tiers} |" in PAGE
    for band in ("p1", "p2", "p3"):
        assert f"| {band.upper()} | {getattr(POLICY.bands, band):g} |" in PAGE
