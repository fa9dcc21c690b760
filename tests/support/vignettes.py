"""Vignettes and the order in which a head of operations would put them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from heardback_scoring.app.score_rows import ScoreRow
from heardback_scoring.domain.severity import SeverityInputs
from heardback_shared.contracts.score import Cue

_NPS = {"min": 0, "max": 10, "direction": "higher_is_better"}


@dataclass(frozen=True)
class Vignettes:
    """`pairs` are (worse, less bad, why), by name."""

    rows: Mapping[str, dict[str, Any]]
    heard: Mapping[str, dict[str, Any]]
    pairs: Sequence[tuple[str, str, str]]

    @classmethod
    def of(cls, name: str) -> Self:
        """Those in the file of this name beside this module."""
        data = yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))
        rows = {
            key: _row(one["row"], data["customers"], data["at"]) for key, one in data["vignettes"].items()
        }
        heard = {key: one["heard"] for key, one in data["vignettes"].items() if "heard" in one}
        pairs = [(worse, less, why) for worse, less, why in data["pairs"]]
        return cls(rows, heard, pairs)

    @cached_property
    def parsed(self) -> Mapping[str, ScoreRow]:
        return {name: ScoreRow.model_validate(row) for name, row in self.rows.items()}

    def stated(self, name: str) -> SeverityInputs:
        """What severity gets when the text is read as `heard` says."""
        row, heard = self.parsed[name], self.heard[name]
        cues = tuple(
            Cue(name=cue, probability=sure, turn=0, by="model") for cue, sure in heard.get("cues", {}).items()
        )
        assert row.at is not None
        return SeverityInputs(
            lowest=heard.get("lowest"),
            end=heard.get("end"),
            silent=heard.get("silent", False),
            intensity=heard.get("intensity", 0.0),
            wish=heard.get("wish", False),
            cues=cues,
            metric=row.metric,
            customer=row.customer,
            touchpoint=row.touchpoint,
            conversation=row.turns is not None,
            resolution=row.resolution,
            today=row.at.date(),
        )

    def wrong(self, scores: Mapping[str, float]) -> list[str]:
        """The pairs that these scores put in the wrong order, or level."""
        return [
            f"{worse} {scores[worse]:g} should be above {less} {scores[less]:g}: {why}"
            for worse, less, why in self.pairs
            if scores[worse] <= scores[less]
        ]


def _row(given: Mapping[str, Any], customers: Mapping[str, dict[str, Any]], at: str) -> dict[str, Any]:
    row = {"at": at, **given}
    customer = dict(customers[row.pop("customer")])
    for name in ("history", "profile_at", "renewal_date"):
        if name in row:
            customer[name] = row.pop(name)
    if "metric" in row:
        row["metric"] = {**_NPS, **row["metric"]}
    return {**row, "customer": customer}
