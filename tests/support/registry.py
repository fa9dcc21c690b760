"""Models and comparison records as decisions about models need them."""

import hashlib
import re
from pathlib import Path

from heardback_scoring.domain.registry import Registered
from heardback_scoring.evaluation.record import ComparedData, ComparedFigure, ComparisonRecord, make_record
from heardback_scoring.models.store import PACKAGED_MANIFEST, read_manifest
from heardback_shared.contracts.score import ModelRef
from tests.support.clock import NOON


def registered(model: str, digit: str) -> Registered:
    """A model whose sha256 is one digit throughout."""
    return Registered(model=model, ref=ModelRef(name=model, revision="1", sha256=digit * 64))


def comparison(baseline: ModelRef, candidate: ModelRef, verdict: str = "pass") -> ComparisonRecord:
    """Of one figure, which decides the verdict."""
    better = verdict == "pass"
    figure = ComparedFigure(
        set="reviews",
        slice="all",
        figure="macro_f1",
        baseline=0.7,
        candidate=0.72 if better else 0.6,
        difference=0.02 if better else -0.1,
        low=0.01 if better else -0.12,
        high=0.03 if better else -0.08,
        bound=0.01,
        verdict="holds" if better else "worse",
    )
    data = [ComparedData(name="reviews", split="dev", rows=1000, sha256="d" * 64)]
    return make_record(
        baseline=baseline, candidate=candidate, policy="release@1", data=data, figures=[figure], at=NOON
    )


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
