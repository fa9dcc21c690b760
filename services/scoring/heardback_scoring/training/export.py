"""Encoder and heads to one ONNX file, and its manifest.

python -m heardback_scoring.training.export --revision 2                             # what is shipped
python -m heardback_scoring.training.export --precision float32 --target runs/float   # to compare with it
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from heardback_scoring.models.store import GREEN_MANIFEST, PACKAGED_MANIFEST
from heardback_scoring.training.graph import build_model
from heardback_scoring.training.heads import load_heads
from heardback_scoring.training.quantise import PRECISIONS, Precision
from heardback_scoring.training.weights import Encoder, load_encoder, packaged_encoder

SHIPPED: Precision = "int8-rows"
NAMES = {"any": "minilm-reader", "green": "minilm-reader-green"}
MANIFESTS = {"any": PACKAGED_MANIFEST, "green": GREEN_MANIFEST}
LICENCES = {
    "any": "Encoder from sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), tuned, and heads: Apache-2.0, "
    "trained in part on text whose licence is unclear, see the training sets",
    "green": "Encoder from sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), tuned, and heads: Apache-2.0",
}


def tuned_encoder(folder: Path) -> Encoder:
    """The encoder as training left it in `folder`."""
    base = load_encoder(packaged_encoder())
    with np.load(folder / "encoder.npz") as stored:
        tensors = {name: stored[name] for name in stored.files}
    return Encoder(tensors, base.layers, base.heads, base.hidden, base.epsilon)


def write_model(run: Path, target: Path, licence: str, revision: str, precision: Precision = SHIPPED) -> Path:
    """Write model.onnx, tokenizer.json and the manifest that names their hashes; the manifest's path."""
    heads, facts = load_heads(run / "heads.npz")
    folder = target / NAMES[licence]
    folder.mkdir(parents=True, exist_ok=True)
    model = build_model(tuned_encoder(run), precision, heads)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    shutil.copyfile(packaged_encoder() / "tokenizer.json", folder / "tokenizer.json")
    (folder / "tokenizer.json").chmod(0o644)
    facts |= {"emotions": heads.emotions, "cues": heads.cues}
    manifest = target / MANIFESTS[licence].name
    manifest.write_text(_manifest(folder, facts, licence, revision), encoding="utf8")
    return manifest


def _manifest(folder: Path, facts: dict[str, Any], licence: str, revision: str) -> str:
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("model.onnx", "tokenizer.json")
    }
    lines = [
        "# Written by `python -m heardback_scoring.training.export`; other hashes are refused.",
        f'name = "{folder.name}"',
        f'revision = "{revision}"',
        f'folder = "{folder.name}"',
        'labels = ["negative", "neutral", "positive"]',
        f"emotions = {json.dumps(facts['emotions'])}",
        f"cues = {json.dumps(facts['cues'])}",
        "max_tokens = 256",
        f"temperature = {facts['temperature']}",
        f"licence = {json.dumps(LICENCES[licence])}",
        "",
        "[files]",
        *(f'"{name}" = "{digest}"' for name, digest in hashes.items()),
    ]
    for entry in facts["training"]:
        lines += ["", "[[training]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--licence", choices=("any", "green"), default="any")
    parser.add_argument("--target", type=Path, default=PACKAGED_MANIFEST.parent)
    parser.add_argument("--revision", default="1")
    parser.add_argument("--precision", choices=PRECISIONS, default=SHIPPED)
    chosen = parser.parse_args()
    run = chosen.runs / f"student-{chosen.licence}"
    write_model(run, chosen.target, chosen.licence, chosen.revision, chosen.precision)


if __name__ == "__main__":
    main()
