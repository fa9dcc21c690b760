"""What stands on the encoder: heads, the map to the embedding, and the file between training and export."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from heardback_scoring.training.weights import Array


@dataclass(frozen=True, slots=True)
class Heads:
    """Outputs = gelu(features · wide + wide_bias) · weight + bias; features: the `pools`, side by side.

    The outputs are the logits of sentiment (first three), of emotions and of cues, in this order; calibration
    is folded into `weight` and `bias`. Embedding = the pools named in `embedded`, side by side, · `embed`.
    """

    pools: tuple[str, ...]
    wide: Array
    wide_bias: Array
    weight: Array
    bias: Array
    embedded: tuple[str, ...]
    embed: Array
    emotions: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Every pool that is needed, once."""
        return tuple(dict.fromkeys([*self.pools, *self.embedded]))

    def keeping(self, emotions: tuple[str, ...], cues: tuple[str, ...]) -> "Heads":
        """Without the outputs of other emotions and cues."""
        names = [*(("logits", i) for i in range(3)), *(("emotion", e) for e in self.emotions)]
        names += [("cue", c) for c in self.cues]
        kept = {*names[:3], *(("emotion", e) for e in emotions), *(("cue", c) for c in cues)}
        columns = [place for place, name in enumerate(names) if name in kept]
        weight, bias = self.weight[:, columns], self.bias[columns]
        return replace(self, weight=weight, bias=bias, emotions=emotions, cues=cues)

    def rescaled(self, factors: Array, shifts: Array) -> "Heads":
        """Every output o becomes o × factor + shift: how a calibration is folded in."""
        weight, bias = self.weight * factors, self.bias * factors + shifts
        return replace(self, weight=weight.astype(np.float32), bias=bias.astype(np.float32))


def save_heads(path: Path, heads: Heads, facts: dict[str, Any]) -> None:
    """The arrays and what is known about their training, in one npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = {
        "pools": heads.pools,
        "embedded": heads.embedded,
        "emotions": heads.emotions,
        "cues": heads.cues,
    }
    np.savez(
        path,
        wide=heads.wide,
        wide_bias=heads.wide_bias,
        weight=heads.weight,
        bias=heads.bias,
        embed=heads.embed,
        facts=np.array(json.dumps({**{k: list(v) for k, v in names.items()}, **facts})),
    )


def load_heads(path: Path) -> tuple[Heads, dict[str, Any]]:
    with np.load(path) as stored:
        facts = json.loads(str(stored["facts"]))
        heads = Heads(
            pools=tuple(facts.pop("pools")),
            wide=stored["wide"],
            wide_bias=stored["wide_bias"],
            weight=stored["weight"],
            bias=stored["bias"],
            embedded=tuple(facts.pop("embedded")),
            embed=stored["embed"],
            emotions=tuple(facts.pop("emotions")),
            cues=tuple(facts.pop("cues")),
        )
    return heads, facts
