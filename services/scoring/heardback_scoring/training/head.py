"""The trained sentiment head, and the file between training and export."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from heardback_scoring.training.weights import Array


@dataclass(frozen=True, slots=True)
class Head:
    """Logits = gelu(features · wide + wide_bias) · weight + bias; features: the pools, side by side."""

    pools: tuple[str, ...]
    wide: Array
    wide_bias: Array
    weight: Array
    bias: Array


def save_head(path: Path, head: Head, facts: dict[str, Any]) -> None:
    """The head's arrays and what is known about its training, in one npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        wide=head.wide,
        wide_bias=head.wide_bias,
        weight=head.weight,
        bias=head.bias,
        facts=np.array(json.dumps({"pools": list(head.pools), **facts})),
    )


def load_head(path: Path) -> tuple[Head, dict[str, Any]]:
    with np.load(path) as stored:
        facts = json.loads(str(stored["facts"]))
        head = Head(
            pools=tuple(facts.pop("pools")),
            wide=stored["wide"],
            wide_bias=stored["wide_bias"],
            weight=stored["weight"],
            bias=stored["bias"],
        )
    return head, facts
