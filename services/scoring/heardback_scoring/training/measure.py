"""Figures for the model card, from dev splits only: quality, calibration, 8-bit against float, speed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from heardback_scoring.inference.onnx import OnnxScorer, probabilities
from heardback_scoring.inference.ports import Scorer
from heardback_scoring.training.data import SOURCES, Samples, read_samples
from heardback_scoring.training.graph import build_model
from heardback_scoring.training.heads import load_heads
from heardback_scoring.training.quantise import Precision
from heardback_scoring.training.weights import load_encoder, packaged_encoder
from heardback_shared.contracts.score import ModelRef

PRECISIONS: tuple[Precision, ...] = ("float32", "int8-rows", "int8-dynamic-channel", "int8-dynamic")
COMPARED = 500
"""Texts of each dev set that precisions are compared on; enough to see a loss, little enough to wait for."""
Logits = NDArray[np.float32]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Quality:
    texts: int
    macro_recall: float
    accuracy: float
    calibration_error: float
    """Expected calibration error over 15 even bins of the top probability."""


def macro_recall(values: NDArray[np.floating], labels: Labels) -> float:
    """Mean over the classes present of the share found. Sets without neutral are judged without it."""
    chosen = _chosen(values, labels)
    return float(np.mean([(chosen[labels == label] == label).mean() for label in np.unique(labels)]))


def quality(chances: NDArray[np.float64], labels: Labels) -> Quality:
    return Quality(
        texts=len(labels),
        macro_recall=macro_recall(chances, labels),
        accuracy=float((_chosen(chances, labels) == labels).mean()),
        calibration_error=calibration_error(chances, labels),
    )


def calibration_error(chances: NDArray[np.float64], labels: Labels, bins: int = 15) -> float:
    """Expected calibration error (Guo et al. 2017): mean gap between confidence and accuracy per bin."""
    top = chances.max(axis=1)
    hit = chances.argmax(axis=1) == labels
    slots = np.minimum((top * bins).astype(int), bins - 1)
    gaps = [
        abs(hit[slots == b].mean() - top[slots == b].mean()) * (slots == b).mean() for b in np.unique(slots)
    ]
    return float(np.sum(gaps))


def fit_temperature(pairs: Sequence[tuple[Logits, Labels]]) -> float:
    """The temperature with the least mean loss, every three-class set counting alike.

    Sets without neutral are left out: the label space they were judged in is not the model's.
    """
    full = [(logits, labels) for logits, labels in pairs if len(np.unique(labels)) == 3]

    def loss(temperature: float) -> float:
        losses = [
            -np.log(probabilities(logits, temperature)[np.arange(len(labels)), labels] + 1e-12).mean()
            for logits, labels in full or pairs
        ]
        return float(np.mean(losses))

    return float(min(np.arange(0.5, 3.0, 0.01), key=loss))


def average_precision(scores: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Mean precision over the places of the right ones, best score first; 0 when none is right."""
    ranked = truth[np.argsort(-scores, kind="stable")]
    if not ranked.any():
        return 0.0
    return float((np.cumsum(ranked) / np.arange(1, len(ranked) + 1))[ranked > 0].mean())


def chances_of(scorer: Scorer, texts: Sequence[str]) -> NDArray[np.float64]:
    return np.array([(r.negative, r.neutral, r.positive) for r in scorer.read(texts)])


def dev_samples(data: Path) -> list[Samples]:
    found = [read_samples(data, source, "dev") for source in SOURCES]
    return [samples for samples in found if samples is not None]


def _first(samples: Samples, count: int) -> Samples:
    return Samples(samples.source, samples.texts[:count], samples.labels[:count])


def compare_precisions(head_file: Path, data: Path) -> None:
    """Print what `precision_figures` finds, one line each."""
    console = Console()
    for figures in precision_figures(head_file, data):
        console.print(figures)


@dataclass(frozen=True, slots=True)
class PrecisionFigures:
    precision: str
    megabytes: float
    macro_recall: dict[str, float]
    texts_per_second: float
    cosine_mean: float
    cosine_lowest: float
    """Of the embedding with the float one, over fabsa dev."""
    shift: float
    """Largest change of a probability between reading texts together and one by one."""


def precision_figures(head_file: Path, data: Path) -> list[PrecisionFigures]:
    """Size, speed, quality and agreement with float for every precision; needs tweeteval, sst2 and fabsa."""
    rows = []
    sets = {samples.source: _first(samples, COMPARED) for samples in dev_samples(data)}
    reference: NDArray[np.float32] | None = None
    for precision in PRECISIONS:
        scorer, size = built_scorer(head_file, precision)
        texts = sets["fabsa"].texts
        recalls = {
            name: macro_recall(chances_of(scorer, sets[name].texts), np.array(sets[name].labels))
            for name in ("tweeteval_sentiment", "sst2", "fabsa")
        }
        start = time.perf_counter()
        readings = scorer.read(texts)
        speed = len(texts) / (time.perf_counter() - start)
        embeddings = np.stack([r.embedding for r in readings if r.embedding is not None])
        reference = embeddings if reference is None else reference
        cosines = (embeddings * reference).sum(axis=1)
        rows.append(
            PrecisionFigures(
                precision=precision,
                megabytes=size / 1e6,
                macro_recall=recalls,
                texts_per_second=speed,
                cosine_mean=float(cosines.mean()),
                cosine_lowest=float(cosines.min()),
                shift=_shift(scorer, texts[:100]),
            )
        )
    return rows


def built_scorer(head_file: Path, precision: Precision) -> tuple[OnnxScorer, int]:
    """A scorer of the trained head at any precision, and the size of its file in bytes."""
    head, facts = load_head(head_file)
    source = packaged_encoder()
    graph = build_model(load_encoder(source), precision, head).SerializeToString()
    scorer = OnnxScorer(
        graph,
        (source / "tokenizer.json").read_bytes(),
        model=ModelRef(name="measured", revision=precision, sha256="0" * 64),
        max_tokens=256,
        temperature=float(str(facts["temperature"])),
    )
    scorer.warm_up()
    return scorer, len(graph)


def _shift(scorer: Scorer, texts: Sequence[str]) -> float:
    """Largest change of a probability between reading texts together and one by one."""
    together = chances_of(scorer, texts)
    alone = np.concatenate([chances_of(scorer, [text]) for text in texts])
    return float(np.abs(together - alone).max())


def _chosen(values: NDArray[np.floating], labels: Labels) -> Labels:
    if len(np.unique(labels)) == 3:
        best: Labels = values.argmax(axis=1).astype(np.int64)
    else:
        best = np.where(values[:, 2] >= values[:, 0], 2, 0).astype(np.int64)
    return best
