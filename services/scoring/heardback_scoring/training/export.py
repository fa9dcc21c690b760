"""Encoder and head to one ONNX file, its manifest, and a comparison of precisions.

python -m heardback_scoring.training.export            # write the model from runs/head.npz
python -m heardback_scoring.training.export --compare  # float against the 8-bit ways, on a dev split
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

from heardback_scoring.models.store import PACKAGED_MANIFEST
from heardback_scoring.training.graph import build_model
from heardback_scoring.training.head import load_head
from heardback_scoring.training.quantise import Precision
from heardback_scoring.training.weights import load_encoder, packaged_encoder

SHIPPED: Precision = "int8-rows"
NAME = "minilm-sentiment"
LICENCE = (
    "Encoder sentence-transformers/all-MiniLM-L6-v2: Apache-2.0. Head: Apache-2.0, trained in part on text "
    "whose licence is unclear, see the training sets"
)


def write_model(head_file: Path, target: Path, revision: str) -> Path:
    """Write model.onnx, tokenizer.json and the manifest that names their hashes; the manifest's path."""
    head, facts = load_head(head_file)
    source = packaged_encoder()
    folder = target / NAME
    folder.mkdir(parents=True, exist_ok=True)
    model = build_model(load_encoder(source), SHIPPED, head)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    (folder / "tokenizer.json").chmod(0o644)
    manifest = target / PACKAGED_MANIFEST.name
    manifest.write_text(_manifest(folder, facts, revision), encoding="utf8")
    return manifest


def _manifest(folder: Path, facts: dict[str, object], revision: str) -> str:
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("model.onnx", "tokenizer.json")
    }
    lines = [
        "# Written by `python -m heardback_scoring.training.export`; other hashes are refused.",
        f'name = "{NAME}"',
        f'revision = "{revision}"',
        f'folder = "{NAME}"',
        'labels = ["negative", "neutral", "positive"]',
        "max_tokens = 256",
        f"temperature = {facts['temperature']}",
        f"licence = {json.dumps(LICENCE)}",
        "",
        "[files]",
        *(f'"{name}" = "{digest}"' for name, digest in hashes.items()),
    ]
    sets = facts["training"]
    if not isinstance(sets, list):
        raise TypeError("the head file must list its training sets")
    for entry in sets:
        lines += ["", "[[training]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--head", type=Path, default=Path("runs/head.npz"))
    parser.add_argument("--target", type=Path, default=PACKAGED_MANIFEST.parent)
    parser.add_argument("--revision", default="1")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    chosen = parser.parse_args()
    if chosen.compare:
        from heardback_scoring.training.measure import compare_precisions  # noqa: PLC0415  (slow to import)

        compare_precisions(chosen.head, chosen.data)
    else:
        write_model(chosen.head, chosen.target, chosen.revision)


if __name__ == "__main__":
    main()
