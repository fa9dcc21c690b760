"""From the trained student to heads that can be shipped: cues learned on what the 8-bit encoder gives, then
calibration, folded into the weights.

    python -m heardback_scoring.training.finish --data DIR

The cue head alone also learns from the rows whose intents are a benchmark: it changes no embedding.
Calibration is fitted on dev splits: a temperature for sentiment (three-class sets counting alike), one for
emotions, and per cue a slope and a shift (Platt 1999).
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from torch import nn

from heardback_scoring.inference.onnx import probabilities, sigmoid
from heardback_scoring.training.export import SHIPPED
from heardback_scoring.training.graph import build_model
from heardback_scoring.training.heads import Heads, save_heads
from heardback_scoring.training.measure import abstain_below, average_precision, fit_temperature, macro_recall
from heardback_scoring.training.network import EMBEDDED, POOLED, Student
from heardback_scoring.training.pools import PoolReader
from heardback_scoring.training.tasks import (
    CUES,
    EMOTIONS,
    SENTIMENTS,
    SOURCES,
    UNLABELLED,
    Example,
    Split,
    read_examples,
    rows_of,
)
from heardback_scoring.training.weights import Array, Encoder, load_encoder, packaged_encoder

SEED = 20_261_104
EPOCHS, BATCH, RATE, DECAY = 6, 256, 1e-3, 0.05
MOST = 25_000
"""Rows of one set that the cue head learns from."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--licence", choices=("any", "green"), default="any")
    chosen = parser.parse_args()
    folder = chosen.runs / f"student-{chosen.licence}"
    encoder, heads = trained(folder / "student.pt")
    console = Console(stderr=True)
    with Progress(console=console) as progress:
        headless = build_model(encoder, SHIPPED).SerializeToString(deterministic=True)
        reader = PoolReader(headless, packaged_encoder() / "tokenizer.json", chosen.runs / "pools")
        train = features_of(chosen.data, chosen.licence, "train", reader, progress)
        heads = with_cues(heads, train, progress)
        dev = features_of(chosen.data, chosen.licence, "dev", reader, progress)
    heads = calibrated(heads, dev, console).keeping(
        *learned([e for _, rows, _ in (*train, *dev) for e in rows])
    )
    sets = training_sets(chosen.data, chosen.licence)
    save_heads(folder / "heads.npz", heads, {"temperature": 1.0, "training": sets})
    np.savez(folder / "encoder.npz", **encoder.tensors)  # type: ignore[arg-type]


def training_sets(data: Path, licence: str) -> list[dict[str, Any]]:
    """What the manifest says of every set that was learned from."""
    used = (*SOURCES, *UNLABELLED) if licence == "any" else [s for s in SOURCES if s.flag == "green"]
    return [
        {"name": s.name, "rows": sum(1 for _ in rows_of(path)), "licence": s.licence, "flag": s.flag}
        for s in used
        if (path := data / s.name / "train.jsonl.gz").is_file()
    ]


def trained(path: Path) -> tuple[Encoder, Heads]:
    """The packaged encoder with the student's layers in place of its own, and the student's heads."""
    student = Student(packaged_encoder())
    student.load_state_dict(torch.load(path, weights_only=True), strict=False)
    base = load_encoder(packaged_encoder())
    state = {n.removeprefix("encoder."): p.detach().numpy() for n, p in student.named_parameters()}
    tensors = {name: state.get(name, array).astype(np.float32) for name, array in base.tensors.items()}
    encoder = Encoder(tensors, base.layers, base.heads, base.hidden, base.epsilon)
    return encoder, heads_of([student.moods, student.feelings, student.signs], student.embed)


def heads_of(parts: Sequence[Any], embed: Any) -> Heads:
    """Heads that share their input, as one: side by side, each with its own part of the hidden layer."""
    wide = np.concatenate([p[1].weight.detach().numpy().T for p in parts], axis=1)
    sizes = [p[4].weight.shape for p in parts]  # outputs × hidden
    weight = np.zeros((sum(s[1] for s in sizes), sum(s[0] for s in sizes)), np.float32)
    row = column = 0
    for part, (outputs, hidden) in zip(parts, sizes, strict=True):
        weight[row : row + hidden, column : column + outputs] = part[4].weight.detach().numpy().T
        row, column = row + hidden, column + outputs
    return Heads(
        pools=POOLED,
        wide=np.ascontiguousarray(wide),
        wide_bias=np.concatenate([p[1].bias.detach().numpy() for p in parts]),
        weight=weight,
        bias=np.concatenate([p[4].bias.detach().numpy() for p in parts]),
        embedded=EMBEDDED,
        embed=np.ascontiguousarray(embed.weight.detach().numpy().T),
        emotions=EMOTIONS,
        cues=CUES,
    )


Table = tuple[str, list[Example], Array]


def features_of(
    data: Path, licence: str, split: Split, reader: PoolReader, progress: Progress
) -> list[Table]:
    """(set, its rows, features of the heads) of every set needed; training only needs those with cues."""
    found: list[Table] = []
    for source in SOURCES:
        rows = read_examples(data, source, split) or []
        if split == "train":
            rows = [e for e in rows if e.labels.cues][:MOST]
        if not rows or (licence == "green" and source.flag != "green"):
            continue
        pools = reader.read([e.text for e in rows], f"{source.name} {split}", progress)
        found.append((source.name, rows, np.concatenate([pools[name] for name in POOLED], axis=1)))
    return found


def with_cues(heads: Heads, train: Sequence[Table], progress: Progress) -> Heads:
    """The same heads, with the part for cues learned further on these features."""
    torch.manual_seed(SEED)
    features = torch.from_numpy(np.concatenate([f for _, _, f in train]))
    rows = [e for _, examples, _ in train for e in examples]
    truth, known = cue_truth(rows)
    others = len(SENTIMENTS) + len(EMOTIONS)
    hidden = heads.wide.shape[1] // 3
    network: Any = nn.Sequential(
        nn.Dropout(0.1),
        nn.Linear(features.shape[1], hidden),
        nn.GELU(),
        nn.Dropout(0.2),
        nn.Linear(hidden, len(CUES)),
    )
    with torch.no_grad():
        network[1].weight.copy_(torch.from_numpy(heads.wide[:, -hidden:].T))
        network[1].bias.copy_(torch.from_numpy(heads.wide_bias[-hidden:]))
        network[4].weight.copy_(torch.from_numpy(heads.weight[-hidden:, others:].T))
        network[4].bias.copy_(torch.from_numpy(heads.bias[others:]))
    # Every cue counts alike, however many rows a set has.
    weights = torch.from_numpy(known / np.maximum(known.sum(0), 1) * len(rows))
    answers = torch.from_numpy(truth)
    steps = EPOCHS * (len(rows) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    task = progress.add_task("cues", total=steps)
    network.train()
    for _ in range(EPOCHS):
        order: Any = torch.randperm(len(rows))
        for batch in order[: len(rows) // BATCH * BATCH].split(BATCH):
            losses: Any = nn.functional.binary_cross_entropy_with_logits(
                network(features[batch]), answers[batch], reduction="none"
            )
            optimiser.zero_grad()
            (losses * weights[batch]).mean().backward()
            optimiser.step()
            schedule.step()
            progress.advance(task)
    wide, bias = heads.wide.copy(), heads.wide_bias.copy()
    weight, last = heads.weight.copy(), heads.bias.copy()
    wide[:, -hidden:] = network[1].weight.detach().numpy().T
    bias[-hidden:] = network[1].bias.detach().numpy()
    weight[-hidden:, others:] = network[4].weight.detach().numpy().T
    last[others:] = network[4].bias.detach().numpy()
    return replace(heads, wide=wide, wide_bias=bias, weight=weight, bias=last)


def learned(rows: Sequence[Example]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(emotions, cues) that some row knows of; what nothing was learned of is not shipped."""
    emotions = EMOTIONS if any(e.labels.emotion is not None for e in rows) else ()
    told = {cue for e in rows for cue in e.labels.cues}
    return emotions, tuple(cue for cue in CUES if cue in told)


def cue_truth(rows: Sequence[Example]) -> tuple[Array, Array]:
    """(what is so, what is known), rows × cues of 0 and 1."""
    truth = np.array([[e.labels.cues.get(c, False) for c in CUES] for e in rows], np.float32)
    known = np.array([[c in e.labels.cues for c in CUES] for e in rows], np.float32)
    return truth, known


def outputs_of(heads: Heads, features: Array) -> Array:
    """What the graph computes from features, for calibration."""
    wide = torch.from_numpy(features @ heads.wide + heads.wide_bias)
    logits: Array = nn.functional.gelu(wide).numpy() @ heads.weight + heads.bias
    return logits


def calibrated(heads: Heads, dev: Sequence[Table], console: Console) -> Heads:
    """The heads with calibration folded in; what was found is printed."""
    factors = np.ones(len(heads.bias), np.float32)
    shifts = np.zeros(len(heads.bias), np.float32)
    outputs = {name: (rows, outputs_of(heads, features)) for name, rows, features in dev}
    moods, feelings = slice(0, 3), slice(3, 3 + len(EMOTIONS))
    pairs = []
    for name, (rows, found) in outputs.items():
        said = [i for i, e in enumerate(rows) if e.labels.sentiment is not None]
        labels = np.array([rows[i].labels.sentiment for i in said])
        if said:
            pairs.append((found[said][:, moods], labels))
            console.print(f"{name}: dev macro recall {macro_recall(pairs[-1][0], labels):.4f}")
    temperature = fit_temperature(pairs)
    factors[moods] = 1 / temperature
    least = abstain_below([(probabilities(logits, temperature), labels) for logits, labels in pairs])
    console.print(f"temperature {temperature:.2f}; right nine times in ten from a confidence of {least}")
    if "tweeteval_emotion" in outputs:
        rows, found = outputs["tweeteval_emotion"]
        labels = np.array([e.labels.emotion for e in rows])
        factors[feelings] = 1 / fit_temperature([(found[:, feelings], labels)])
        console.print(f"emotion: dev accuracy {(found[:, feelings].argmax(1) == labels).mean():.4f}")
    truth, known = cue_truth([e for rows, _ in outputs.values() for e in rows])
    logits = np.concatenate([found for _, found in outputs.values()])[:, 3 + len(EMOTIONS) :]
    for i, cue in enumerate(CUES):
        rows_known = known[:, i] > 0
        slope, shift = platt(logits[rows_known, i], truth[rows_known, i])
        factors[7 + i], shifts[7 + i] = slope, shift
        precision = average_precision(logits[rows_known, i], truth[rows_known, i])
        console.print(
            f"{cue}: dev average precision {precision:.3f} over {int(truth[rows_known, i].sum())} rows"
        )
    return heads.rescaled(factors, shifts)


def platt(logits: NDArray[np.float32], truth: NDArray[np.float32]) -> tuple[float, float]:
    """Slope (> 0) and shift of the logistic curve through the labels: Newton steps, weak prior at (1, 0)."""
    slope, shift, prior = 1.0, 0.0, 1.0
    x = logits.astype(np.float64)
    for _ in range(50):
        p = sigmoid((slope * x + shift).astype(np.float32))
        off = p - truth
        gradient = np.array([(off * x).sum() + prior * (slope - 1), off.sum() + prior * shift])
        w = p * (1 - p)
        curvature = np.array([[(w * x * x).sum() + prior, (w * x).sum()], [(w * x).sum(), w.sum() + prior]])
        step = np.linalg.solve(curvature, gradient)
        slope, shift = max(0.05, slope - step[0]), shift - step[1]
        if np.abs(step).max() < 1e-6:
            break
    return float(slope), float(shift)


if __name__ == "__main__":
    main()
