"""A larger teacher, made here, and what it says of the texts the student learns from.

    python -m heardback_scoring.training.teacher --data DIR

all-mpnet-base-v2 (12 layers of 768), with all but its upper layers kept as they are, is fine-tuned on
sentiment and emotion, train splits only. It then gives its probabilities for texts that the student is
trained on: labelled ones it has not seen much of, parts of sentences, and customer texts without labels.
Interrupted, it goes on where it was: training by checkpoints, labels by chunks.
"""

import argparse
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from heardback_scoring.training.losses import emotion_loss, sentiment_loss
from heardback_scoring.training.network import Batcher
from heardback_scoring.training.tasks import EMOTIONS, SENTIMENTS, SOURCES, Example, read_examples
from heardback_scoring.training.transfer import transfer_texts
from heardback_scoring.training.weights import packaged_teacher

SEED = 20_261_101
CHUNK = 512
COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
SHARE = {
    # (rows at most, times) of each train split: large sets once, small ones twice.
    "sst2": (None, 2),
    "tweeteval_emotion": (None, 2),
    "vader_amazon": (None, 1),
    "fabsa": (4_000, 1),
    "goemotions": (5_000, 1),
    "tweeteval_sentiment": (15_000, 1),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    tuned_layers: int = 4
    batch: int = 32
    rate: float = 5e-5
    head_rate: float = 1e-3
    decay: float = 0.01
    warmup: float = 0.06
    max_tokens: int = 80


class Teacher(nn.Module):
    """MPNet with a sentiment and an emotion head on the mean of its last layer."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        super().__init__()
        from transformers import MPNetModel  # noqa: PLC0415  (training extra)

        self.encoder: Any = MPNetModel.from_pretrained(
            folder,
            attn_implementation="eager",
            add_pooling_layer=False,
            attention_probs_dropout_prob=0.0,
            hidden_dropout_prob=0.0,
        )
        layers = self.encoder.encoder.layer
        self.kept = len(layers) - recipe.tuned_layers
        self.dropout = nn.Dropout(0.1)
        self.sentiment = nn.Linear(768, len(SENTIMENTS))
        self.emotion = nn.Linear(768, len(EMOTIONS))
        frozen = [self.encoder.embeddings, *layers[: self.kept]]
        for module in frozen:
            module.requires_grad_(requires_grad=False).to(torch.bfloat16)
        self.encoder.encoder.relative_attention_bias.requires_grad_(requires_grad=False)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        encoder = self.encoder.encoder
        with torch.autocast("cpu", dtype=torch.bfloat16):
            with torch.no_grad():
                state = self.encoder.embeddings(input_ids=ids)
                away = (1.0 - mask[:, None, None, :].to(torch.bfloat16)) * -1e4
                places = encoder.compute_position_bias(state).to(torch.bfloat16)
                for layer in encoder.layer[: self.kept]:
                    state = layer(state, away, position_bias=places)[0]
            for layer in encoder.layer[self.kept :]:
                state = layer(state, away, position_bias=places)[0]
        weights = mask[:, :, None].float()
        pooled = (state.float() * weights).sum(1) / weights.sum(1)
        pooled = self.dropout(pooled)
        return self.sentiment(pooled), self.emotion(pooled)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    chosen = parser.parse_args()
    console = Console(stderr=True)
    folder = chosen.runs / "teacher"
    recipe = Recipe()
    torch.manual_seed(SEED)
    base = packaged_teacher(chosen.runs / "mpnet")
    batcher = Batcher(base, recipe.max_tokens, padding=1)
    teacher = Teacher(base, recipe)
    with Progress(*COLUMNS, console=console) as progress:
        train_teacher(teacher, batcher, plan(chosen.data), folder, recipe, progress)
        report(teacher, batcher, chosen.data, console)
        label(teacher, batcher, transfer_texts(chosen.data), folder, progress)


def plan(data: Path) -> list[Example]:
    """What the teacher reads, in a seeded order."""
    shuffled = random.Random(SEED)
    chosen: list[Example] = []
    for source in SOURCES:
        if source.name not in SHARE:
            continue
        most, times = SHARE[source.name]
        found = [
            e
            for e in read_examples(data, source, "train") or []
            if e.labels.sentiment is not None or e.labels.emotion is not None
        ]
        shuffled.shuffle(found)
        for _ in range(times):
            chosen += found[:most]
    shuffled.shuffle(chosen)
    return chosen


def train_teacher(
    teacher: Teacher,
    batcher: Batcher,
    examples: Sequence[Example],
    folder: Path,
    recipe: Recipe,
    progress: Progress,
) -> None:
    steps = batcher.batches(examples, recipe.batch, SEED)
    heads = [*teacher.sentiment.parameters(), *teacher.emotion.parameters()]
    body = [p for p in teacher.encoder.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": recipe.rate}, {"params": heads, "lr": recipe.head_rate}],
        weight_decay=recipe.decay,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(1.0, (step + 1) / (recipe.warmup * len(steps))) * max(0.02, 1 - step / len(steps)),
    )
    start = restore(folder / "checkpoint.pt", teacher, optimiser, schedule)
    task = progress.add_task("teacher", total=len(steps), completed=start)
    teacher.train()
    running = 0.0
    for step in range(start, len(steps)):
        torch.manual_seed(SEED + step)  # the same dropout whether interrupted or not
        rows = [examples[i] for i in steps[step]]
        sentiment, emotion = teacher(*batcher.batch([e.text for e in rows]))
        loss = sentiment_loss(sentiment, rows) + emotion_loss(emotion, rows)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in teacher.parameters() if p.requires_grad], 1.0)
        optimiser.step()
        schedule.step()
        running = 0.98 * running + 0.02 * loss.item() if step else loss.item()
        progress.update(task, advance=1, description=f"teacher, loss {running:.3f}")
        if (step + 1) % 250 == 0 or step + 1 == len(steps):
            keep(folder / "checkpoint.pt", teacher, optimiser, schedule, step + 1)
    teacher.eval()


def keep(path: Path, model: nn.Module, optimiser: Any, schedule: Any, step: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "step": step,
            "model": trained,
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
        },
        partial,
    )
    partial.replace(path)


def restore(path: Path, model: nn.Module, optimiser: Any, schedule: Any) -> int:
    """The step to go on with; 0 without a checkpoint."""
    if not path.is_file():
        return 0
    found = torch.load(path, weights_only=True)
    model.load_state_dict(found["model"], strict=False)
    optimiser.load_state_dict(found["optimiser"])
    schedule.load_state_dict(found["schedule"])
    return int(found["step"])


def report(teacher: Teacher, batcher: Batcher, data: Path, console: Console) -> None:
    """Figures on the first 600 rows of the dev splits, to know that the teacher is worth its name."""
    for source in SOURCES:
        if source.name not in ("tweeteval_sentiment", "sst2", "tweeteval_emotion", "fabsa"):
            continue
        rows = (read_examples(data, source, "dev") or [])[:600]
        if not rows:
            continue
        sentiment, emotion = read(teacher, batcher, [e.text for e in rows])
        truth = np.array(
            [e.labels.emotion if source.name == "tweeteval_emotion" else e.labels.sentiment for e in rows]
        )
        chances = emotion if source.name == "tweeteval_emotion" else sentiment.copy()
        if rows[0].labels.binary:
            chances[:, 1] = 0
        said = chances.argmax(1)
        recall = np.mean([(said[truth == c] == c).mean() for c in np.unique(truth)])
        console.print(
            f"teacher on {source.name} dev: accuracy {(said == truth).mean():.3f}, macro recall {recall:.3f}"
        )


@torch.inference_mode()
def read(
    teacher: Teacher, batcher: Batcher, texts: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(sentiment, emotion) probabilities, one row per text."""
    teacher.eval()
    order = batcher.by_length(texts)
    sentiment = np.empty((len(texts), len(SENTIMENTS)), np.float32)
    emotion = np.empty((len(texts), len(EMOTIONS)), np.float32)
    for start in range(0, len(order), 16):
        rows = order[start : start + 16]
        moods, feelings = teacher(*batcher.batch([texts[i] for i in rows]))
        sentiment[rows] = moods.float().softmax(-1).numpy()
        emotion[rows] = feelings.float().softmax(-1).numpy()
    return sentiment, emotion


def label(teacher: Teacher, batcher: Batcher, texts: Sequence[str], folder: Path, progress: Progress) -> None:
    """The teacher's probabilities, chunk by chunk under `folder`; chunks already there are not read again."""
    teacher.encoder.to(torch.bfloat16)
    task = progress.add_task("soft labels", total=len(texts))
    for start in range(0, len(texts), CHUNK):
        chunk = list(texts[start : start + CHUNK])
        path = folder / "labels" / f"{hashlib.sha256(chr(0).join(chunk).encode()).hexdigest()[:24]}.npz"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            sentiment, emotion = read(teacher, batcher, chunk)
            partial = path.with_suffix(".partial.npz")
            np.savez(
                partial, texts=np.array(chunk, dtype=object).astype(str), sentiment=sentiment, emotion=emotion
            )
            partial.replace(path)
        progress.advance(task, len(chunk))


if __name__ == "__main__":
    main()
