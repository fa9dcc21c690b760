"""Models and comparison records as decisions about models need them."""

import hashlib
import re
from pathlib import Path
from typing import Any

import orjson

from heardback_scoring.domain.comparison import Comparison, digest_of, read_comparison
from heardback_scoring.domain.registry import Registered
from heardback_scoring.models.store import PACKAGED_MANIFEST, read_manifest
from heardback_shared.contracts.score import ModelRef
from tests.support.clock import NOON


def registered(model: str, digit: str) -> Registered:
    """A model whose sha256 is one digit throughout."""
    return Registered(model=model, ref=ModelRef(name=model, revision="1", sha256=digit * 64))


def record_of(baseline: ModelRef, candidate: ModelRef, verdict: str = "pass") -> dict[str, Any]:
    record: dict[str, Any] = {
        "format": "heardback.comparison.v1",
        "baseline": baseline.model_dump(),
        "candidate": candidate.model_dump(),
        "data": [],
        "figures": [{"name": "macro_f1", "baseline": 0.7, "candidate": 0.72}],
        "verdict": verdict,
        "at": NOON.isoformat(),
    }
    return record | {"digest": digest_of(record)}


def comparison(baseline: ModelRef, candidate: ModelRef, verdict: str = "pass") -> Comparison:
    return read_comparison(orjson.dumps(record_of(baseline, candidate, verdict)))


def second_model(folder: Path, name: str = "second") -> Path:
    """The manifest of a model of another name and other bytes that reads as the packaged one does."""
    packaged = read_manifest(PACKAGED_MANIFEST)
    source, target = PACKAGED_MANIFEST.parent / packaged.folder, folder / packaged.folder
    target.mkdir(parents=True)
    for file in packaged.files:
        (target / file).write_bytes((source / file).read_bytes())
    # A second `doc_string` of the ONNX message: protobuf takes the last one, so only the hash is another.
    graph = (source / "model.onnx").read_bytes() + b"\x32\x06" + b"second"
    (target / "model.onnx").write_bytes(graph)
    text = PACKAGED_MANIFEST.read_text("utf-8")
    text = text.replace(packaged.files["model.onnx"], hashlib.sha256(graph).hexdigest())
    text = re.sub(r'(?m)^name = ".*"', f'name = "{name}"', text, count=1)
    path = folder / "manifest.toml"
    path.write_text(text, "utf-8")
    return path
