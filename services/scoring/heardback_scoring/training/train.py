"""Train the sentiment head on pooled features of the frozen, quantised encoder.

    python -m heardback_scoring.training.train --data DIR

Train splits only; the dev splits choose the epoch and the temperature; test splits are never opened.
Features are cached under runs/, so an interrupted run goes on where it was. The head is trained on what
the shipped 8-bit encoder gives, so that training and service see the same numbers.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from torch import nn

from heardback_scoring.training.data import SOURCES, Samples, Source, read_samples
from heardback_scoring.training.export import SHIPPED
from heardback_scoring.training.graph import build_model
from heardback_scoring.training.head import Head, save_head
from heardback_scoring.training.measure import fit_temperature, macro_recall
from heardback_scoring.training.pools import Features, PoolReader
from heardback_scoring.training.weights import load_encoder, packaged_encoder

POOLS = ("mean_1", "mean_2", "mean_3", "mean_4", "mean_5", "mean_6", "max_6", "first_6")
SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Recipe:
    hidden: int = 256
    dropout: float = 0.4
    epochs: int = 10
    batch: int = 512
    rate: float = 1e-3
    decay: float = 1e-4
    balance: float = 0.5
    """Class weight within a set: (even share ÷ own share) ** balance; 0 as they come, 1 all alike."""


@dataclass(frozen=True, slots=True)
class Table:
    """One split of one set, as features."""

    source: Source
    features: NDArray[np.float32]
    labels: NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    chosen = parser.parse_args()
    console = Console(stderr=True)
    with Progress(console=console) as progress:
        train, dev = _tables(chosen.data, chosen.runs / "pools", console, progress)
        head = train_head(train, dev, Recipe(), progress)
    logits = {table.source.name: _logits(head, table.features) for table in dev}
    temperature = fit_temperature([(logits[table.source.name], table.labels) for table in dev])
    for table in dev:
        recall = macro_recall(logits[table.source.name], table.labels)
        console.print(f"{table.source.name}: dev macro recall {recall:.3f} over {len(table.labels)} texts")
    sets = [
        {"name": t.source.name, "rows": len(t.labels), "licence": t.source.licence, "flag": t.source.flag}
        for t in train
    ]
    save_head(chosen.runs / "head.npz", head, {"temperature": round(temperature, 4), "training": sets})


def _tables(data: Path, cache: Path, console: Console, progress: Progress) -> tuple[list[Table], list[Table]]:
    folder = packaged_encoder()
    model = build_model(load_encoder(folder), SHIPPED).SerializeToString(deterministic=True)
    reader = PoolReader(model, folder / "tokenizer.json", cache)
    found: dict[str, list[Table]] = {"train": [], "dev": []}
    for source in SOURCES:
        train, dev = read_samples(data, source, "train"), read_samples(data, source, "dev")
        if train is None or dev is None:
            console.print(f"[yellow]{source.name}: not under {data}, left out[/yellow]")
            continue
        for split, samples in (("train", train), ("dev", dev)):
            features = reader.read(samples.texts, f"{source.name} {split}", progress)
            found[split].append(_table(source, samples, features))
    if not found["train"]:
        raise SystemExit(f"No training set lies under {data}. Name the folder that holds them with --data.")
    return found["train"], found["dev"]


def _table(source: Source, samples: Samples, features: Features) -> Table:
    joined = np.concatenate([features[name] for name in POOLS], axis=1)
    return Table(source, joined, np.array(samples.labels, np.int64))


def train_head(train: Sequence[Table], dev: Sequence[Table], recipe: Recipe, progress: Progress) -> Head:
    """The head of the epoch with the best mean macro recall over the dev sets. Seeded."""
    torch.manual_seed(SEED)
    features = np.concatenate([table.features for table in train])
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    inputs = torch.from_numpy((features - mean) / spread)
    del features
    labels = torch.from_numpy(np.concatenate([table.labels for table in train]))
    weights = torch.from_numpy(np.concatenate([_weights(table.labels, recipe.balance) for table in train]))
    network: Any = nn.Sequential(
        nn.Dropout(recipe.dropout),
        nn.Linear(inputs.shape[1], recipe.hidden),
        nn.GELU(),
        nn.Dropout(recipe.dropout),
        nn.Linear(recipe.hidden, 3),
    )
    steps = len(labels) // recipe.batch
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=recipe.epochs * steps)
    task = progress.add_task("head", total=recipe.epochs)
    best, best_recall = _folded(network, mean, spread), -1.0
    for _ in range(recipe.epochs):
        network.train()
        order: Any = torch.randperm(len(labels))
        for rows in order[: steps * recipe.batch].split(recipe.batch):
            losses: Any = nn.functional.cross_entropy(network(inputs[rows]), labels[rows], reduction="none")
            optimiser.zero_grad()
            (losses * weights[rows]).mean().backward()
            optimiser.step()
            schedule.step()
        head = _folded(network, mean, spread)
        recall = float(np.mean([macro_recall(_logits(head, table.features), table.labels) for table in dev]))
        if recall > best_recall:
            best, best_recall = head, recall
        progress.advance(task)
    return best


def _weights(labels: NDArray[np.int64], balance: float) -> NDArray[np.float32]:
    counts = np.bincount(labels, minlength=3)
    even = len(labels) / np.count_nonzero(counts)
    weight: NDArray[np.float32] = ((even / np.maximum(counts, 1)) ** balance)[labels].astype(np.float32)
    return weight


def _folded(network: Any, mean: NDArray[np.float32], spread: NDArray[np.float32]) -> Head:
    """The network's arrays, with the standardising of the features folded into the first layer."""
    wide, narrow = network[1], network[4]
    first = wide.weight.detach().numpy().T.astype(np.float32) / spread[:, None]
    return Head(
        pools=POOLS,
        wide=first.astype(np.float32),
        wide_bias=(wide.bias.detach().numpy() - mean @ first).astype(np.float32),
        weight=narrow.weight.detach().numpy().T.copy(),
        bias=narrow.bias.detach().numpy().copy(),
    )


def _logits(head: Head, features: NDArray[np.float32]) -> NDArray[np.float32]:
    wide = torch.from_numpy(features @ head.wide + head.wide_bias)
    logits: NDArray[np.float32] = nn.functional.gelu(wide).numpy() @ head.weight + head.bias
    return logits


if __name__ == "__main__":
    main()
