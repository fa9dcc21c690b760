"""The student: six small layers that learn sentiment, emotion and cues, and keep their sentence embedding.

    python -m heardback_scoring.training.student --data DIR

Starts from all-MiniLM-L6-v2. All six layers are tuned, the lower ones slower; the token embeddings stay. What
it learns from: the labels of every set, the teacher's probabilities where there are any, sentences made from
frames, and its own untouched copy, whose sentence embedding it has to go on giving (so that root causes,
found by few examples, do not suffer). Seeded, with checkpoints; on the CPU.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from torch import nn

from heardback_scoring.training.frames import framed_examples
from heardback_scoring.training.losses import (
    cue_loss,
    embedding_loss,
    emotion_loss,
    sentiment_loss,
    soft_loss,
)
from heardback_scoring.training.network import Batcher, Student
from heardback_scoring.training.soft_labels import SoftLabels
from heardback_scoring.training.tasks import SOURCES, Example, Labels, read_examples
from heardback_scoring.training.weights import packaged_encoder

SEED = 20_261_103
SHARE = {
    # (rows at most, times a pass) of each train split.
    "tweeteval_sentiment": (None, 1),
    "sst2": (None, 2),
    "vader_amazon": (None, 2),
    "fabsa": (None, 1),
    "goemotions": (14_000, 1),
    "tweeteval_emotion": (None, 2),
    "derived_cues": (None, 1),
    "tweeteval_irony": (None, 1),
    "tweeteval_offensive": (4_000, 1),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    passes: int = 2
    batch: int = 32
    rate: float = 1.2e-4
    layer_decay: float = 0.85
    head_rate: float = 1e-3
    decay: float = 0.01
    warmup: float = 0.05
    max_tokens: int = 96
    averaged: float = 0.998
    """Of the running mean of the weights, which is what is kept."""
    soft: float = 1.0
    cues: float = 0.5
    keep_embedding: float = 2.0
    embedded_rows: int = 10
    """Rows of each batch whose embedding is compared with the untouched encoder's."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--licence", choices=("any", "green"), default="any")
    parser.add_argument("--passes", type=int, default=Recipe().passes)
    chosen = parser.parse_args()
    recipe = Recipe(passes=chosen.passes)
    console = Console(stderr=True)
    torch.manual_seed(SEED)
    folder = chosen.runs / f"student-{chosen.licence}"
    soft = (
        SoftLabels.load(chosen.runs / "teacher" / "labels") if chosen.licence == "any" else SoftLabels.none()
    )
    examples = plan(chosen.data, chosen.licence, soft, recipe.passes)
    console.print(f"{len(examples)} rows, {len(soft)} texts with the teacher's probabilities")
    student = Student(packaged_encoder())
    batcher = Batcher(packaged_encoder(), recipe.max_tokens)
    with Progress(console=console) as progress:
        train(student, batcher, examples, soft, folder, recipe, progress)


def plan(data: Path, licence: str, soft: SoftLabels, passes: int) -> list[Example]:
    """Every pass in an order of its own; rows of `banking77` are left out, its intents are a benchmark."""
    shuffled = random.Random(SEED)
    gold: list[Example] = []
    for source in SOURCES:
        if source.name not in SHARE or (licence == "green" and source.flag != "green"):
            continue
        most, times = SHARE[source.name]
        found = [e for e in read_examples(data, source, "train") or [] if e.origin != "banking77"]
        shuffled.shuffle(found)
        gold += found[:most] * times
    labelled = {e.text for e in gold}
    gold += framed_examples(SEED)
    gold += [Example("teacher", text, Labels()) for text in soft.texts if text not in labelled]
    order: list[Example] = []
    for _ in range(passes):
        shuffled.shuffle(gold)
        order += gold
    return order


def train(
    student: Student,
    batcher: Batcher,
    examples: Sequence[Example],
    soft: SoftLabels,
    folder: Path,
    recipe: Recipe,
    progress: Progress,
) -> None:
    """Leaves `folder`/student.pt: the averaged weights."""
    untouched = Student(packaged_encoder()).eval().requires_grad_(requires_grad=False)
    steps = batcher.batches(examples, recipe.batch, SEED)
    optimiser = torch.optim.AdamW(student.groups(recipe), weight_decay=recipe.decay, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1.0, (step + 1) / (recipe.warmup * len(steps))) * max(0.01, 1 - step / len(steps)),
    )
    run = Run(student, optimiser, schedule, folder / "checkpoint.pt")
    start = run.restore()
    task = progress.add_task("student", total=len(steps), completed=start)
    student.train()
    for step in range(start, len(steps)):
        torch.manual_seed(SEED + step)  # the same dropout whether interrupted or not
        rows = [examples[i] for i in steps[step]]
        loss = step_loss(student, untouched, batcher, rows, soft, recipe)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(run.trained.values(), 1.0)
        optimiser.step()
        schedule.step()
        run.average(recipe.averaged, step)
        progress.update(task, advance=1)
        if (step + 1) % 500 == 0 or step + 1 == len(steps):
            run.keep(step + 1)
            progress.console.print(f"student: step {step + 1} of {len(steps)}, loss {loss.item():.3f}")
    torch.save(run.averaged, folder / "student.pt")


def step_loss(
    student: Student,
    untouched: Student,
    batcher: Batcher,
    rows: Sequence[Example],
    soft: SoftLabels,
    recipe: Recipe,
) -> torch.Tensor:
    ids, mask = batcher.batch([e.text for e in rows])
    out = student(ids, mask)
    loss = sentiment_loss(out.sentiment, rows, balanced=True) + emotion_loss(out.emotion, rows)
    loss = loss + recipe.cues * cue_loss(out.cues, rows)
    loss = loss + recipe.soft * soft_loss(out, rows, soft)
    few = slice(0, recipe.embedded_rows)
    longest = int(mask[few].sum(1).max())
    with torch.no_grad():
        wanted = untouched(ids[few, :longest], mask[few, :longest]).plain
    total: torch.Tensor = loss + recipe.keep_embedding * embedding_loss(out.embedding[few], wanted)
    return total


@dataclass
class Run:
    """What a training run keeps: trained parameters, their running mean, and a checkpoint of both."""

    student: Student
    optimiser: Any
    schedule: Any
    path: Path

    def __post_init__(self) -> None:
        self.trained = {n: p for n, p in self.student.named_parameters() if p.requires_grad}
        self.averaged = {n: p.detach().clone() for n, p in self.trained.items()}

    def average(self, keep: float, step: int) -> None:
        # Early on the mean follows quickly, so that the start is forgotten.
        share = 1 - min(keep, (step + 1) / (step + 10))
        torch._foreach_lerp_(list(self.averaged.values()), [p.detach() for p in self.trained.values()], share)

    def keep(self, step: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        state = {
            "step": step,
            "model": {n: p.detach() for n, p in self.trained.items()},
            "averaged": self.averaged,
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        torch.save(state, partial)
        partial.replace(self.path)

    def restore(self) -> int:
        """The step to go on with; 0 without a checkpoint."""
        if not self.path.is_file():
            return 0
        found = torch.load(self.path, weights_only=True)
        self.student.load_state_dict(found["model"], strict=False)
        self.averaged = found["averaged"]
        self.optimiser.load_state_dict(found["optimiser"])
        self.schedule.load_state_dict(found["schedule"])
        return int(found["step"])


if __name__ == "__main__":
    main()
