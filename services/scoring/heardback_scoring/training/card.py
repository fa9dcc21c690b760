"""Writes docs/model-card.md from figures measured now, on dev splits.

python -m heardback_scoring.training.card --data DIR
"""

import argparse
import platform
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.inference.onnx import available_cores
from heardback_scoring.inference.ports import Scorer
from heardback_scoring.models.store import PACKAGED_MANIFEST, Manifest, load_scorer, read_manifest
from heardback_scoring.training.data import Samples
from heardback_scoring.training.measure import COMPARED, chances_of, dev_samples, precision_figures, quality

ABOUT = """\
# Model card: {name}, revision {revision}

Written by `python -m heardback_scoring.training.card`; every figure was measured, on dev splits only. No test
split was opened, for training, choosing or reporting.

## What it is
Sentiment of one English text, as calibrated probabilities of negative, neutral and positive, and a 384-wide
unit-length embedding (the encoder's mean pool) by which root causes are compared. The encoder is
sentence-transformers/all-MiniLM-L6-v2 (6 layers), frozen; the head is one hidden layer on pools of all its
layers. One ONNX file of {size:.1f} MB, 8-bit weights; onnxruntime, tokenizers and numpy run it. A text of
more than {max_tokens} tokens is read by its first and last {half}.

Not for: languages other than English (scoring leaves those `unscored`), judging people, or deciding alone
about anything that cannot be undone. It reads words, not facts; irony is often read literally.

## Quality
Sets without neutral are judged between negative and positive. ECE is over 15 bins of the three-way
probability, so on those sets it also counts what the model gives to neutral. Temperature {temperature},
fitted on the dev sets that have neutral; the same dev sets chose the epoch and the size of the head,
so expect a little less on new text.

"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--head", type=Path, default=Path("runs/head.npz"))
    parser.add_argument("--out", type=Path, default=Path("docs/model-card.md"))
    chosen = parser.parse_args()
    manifest = read_manifest(PACKAGED_MANIFEST)
    scorer = load_scorer()
    size = (PACKAGED_MANIFEST.parent / manifest.folder / "model.onnx").stat().st_size / 1e6
    sets = dev_samples(chosen.data)
    parts = [
        ABOUT.format(**manifest.model_dump(), size=size, half=manifest.max_tokens // 2),
        *_quality(scorer, sets),
        *_precisions(chosen.head, chosen.data),
        *_speed(scorer, sets),
        *_sets(manifest),
    ]
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text("".join(parts), encoding="utf8")


def _quality(scorer: Scorer, sets: Sequence[Samples]) -> list[str]:
    lines = ["| dev set | texts | macro recall | accuracy | ECE | lexicon fallback, macro recall |\n"]
    lines.append("|---|---|---|---|---|---|\n")
    lexicon = LexiconScorer()
    for samples in sets:
        labels = np.array(samples.labels)
        found = quality(chances_of(scorer, samples.texts), labels)
        fallback = quality(chances_of(lexicon, samples.texts), labels)
        lines.append(
            f"| {samples.source} | {found.texts} | {found.macro_recall:.3f} | {found.accuracy:.3f} "
            f"| {found.calibration_error:.3f} | {fallback.macro_recall:.3f} |\n"
        )
    return lines


def _precisions(head: Path, data: Path) -> list[str]:
    lines = [
        "\n## 8 bits against float\n"
        "`int8-rows` is shipped: its activations are quantised per token, so a text is read the same\n"
        "whatever else is in its batch. The last column is the largest change of a probability between\n"
        "reading 100 texts together and one by one; the usual dynamic quantisation has one scale per batch\n"
        "and does not hold that. The cosine is between the embedding and the float one, over fabsa dev.\n"
        f"Macro recall over the first {COMPARED} texts of each dev set; texts/s on cores shared with other\n"
        "work.\n\n"
        "| precision | MB | tweeteval | sst2 | fabsa | texts/s | cosine mean | cosine lowest | shift |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    ]
    for row in precision_figures(head, data):
        recalls = " | ".join(f"{value:.3f}" for value in row.macro_recall.values())
        lines.append(
            f"| {row.precision} | {row.megabytes:.1f} | {recalls} | {row.texts_per_second:.0f} "
            f"| {row.cosine_mean:.4f} | {row.cosine_lowest:.4f} | {row.shift:.4f} |\n"
        )
    return lines


def _speed(scorer: Scorer, sets: Sequence[Samples]) -> list[str]:
    texts = next((samples.texts for samples in sets if samples.source == "fabsa"), sets[0].texts)
    start = time.perf_counter()
    scorer.read(texts)
    batched = len(texts) / (time.perf_counter() - start)
    start = time.perf_counter()
    for text in texts[:300]:
        scorer.read([text])
    alone = 300 / (time.perf_counter() - start)
    short = []
    for _ in range(50):
        start = time.perf_counter()
        scorer.read(["The parcel arrived two days late."])
        short.append(time.perf_counter() - start)
    tokens = sum(scorer.lengths(texts)) / len(texts)
    cores = available_cores()
    return [
        f"\n## Speed\nOn {cores} cores ({platform.machine()}, not kept free of other work), over the "
        f"{len(texts)} fabsa dev texts of {tokens:.0f} tokens on average: {batched:.0f} texts/s "
        f"({batched * tokens:.0f} tokens/s) batched by length, {alone:.0f} texts/s one by one. "
        f"One short text: median {np.median(short) * 1000:.1f} ms.\n"
    ]


def _sets(manifest: Manifest) -> list[str]:
    lines = [
        "\n## Trained on\n"
        "Train splits only. Green: a model trained on it may be sold and passed on; amber: the\n"
        "licence of the text is unclear, so decide before you ship a product on it, or train the head again\n"
        "without those sets. goemotions is taken in part, by file order; fabsa where all aspects agree.\n\n"
        "| set | rows | flag | licence |\n|---|---|---|---|\n"
    ]
    lines += [f"| {t.name} | {t.rows} | {t.flag} | {t.licence} |\n" for t in manifest.training]
    lines.append(f"\nLicence: {manifest.licence}.\n")
    return lines


if __name__ == "__main__":
    main()
