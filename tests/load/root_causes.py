"""How long root causes take to learn and to read, without corrections and with the most there can be.

    python -m tests.load.root_causes [--json]

* learning all corrections at once, and one more after them: processor seconds of one thread
* reading a batch of 256 texts and a single text that are embedded already: milliseconds a text
* scoring whole feedback in batches, the reading by the model with it: texts a second, in alternating rounds

Vectors and texts are made up (seeded) around the packaged examples: times do not depend on what is said.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.adapters.inline_reader import InlineReader
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.score_rows import ScoreRow, feedback_of
from heardback_scoring.app.understanding import Understanding, understanding_of
from heardback_scoring.domain.corrections import MOST, Correction, Corrections
from heardback_scoring.domain.root_cause import EmbeddedTaxonomy, nearest_causes
from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.models.store import ModelChoice, load_scorer
from tests.support.clock import NOON

Vectors = NDArray[np.float32]
ROUNDS = 5
BATCH = 256


def around(embedded: EmbeddedTaxonomy, count: int, random: np.random.Generator) -> tuple[Vectors, list[str]]:
    """Unit vectors a little beside those of examples, and the examples' words in another order."""
    rows = random.integers(0, len(embedded.taxonomy.examples), count)
    beside = embedded.vectors[rows] + 0.04 * random.standard_normal((count, embedded.vectors.shape[1]))
    vectors = np.asarray(beside / np.linalg.norm(beside, axis=1, keepdims=True), dtype=np.float32)
    words = (embedded.taxonomy.examples[row].split() for row in rows)
    return vectors, [" ".join(random.permutation(one)) for one in words]


def seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = clock()
        work()
        taken.append(clock() - start)
    return statistics.median(taken)


def reading(
    embedded: EmbeddedTaxonomy, vectors: Vectors, texts: Sequence[str], name: str
) -> dict[str, float]:
    def batches() -> None:
        for start in range(0, len(texts), BATCH):
            nearest_causes(vectors[start : start + BATCH], texts[start : start + BATCH], embedded)

    def singles() -> None:
        for row in range(BATCH):
            nearest_causes(vectors[row : row + 1], texts[row : row + 1], embedded)

    return {
        f"{name}_batched_ms_a_text": 1000 * seconds(batches, perf_counter) / len(texts),
        f"{name}_single_ms": 1000 * seconds(singles, perf_counter) / BATCH,
    }


def scoring(plain: Understanding, taught: EmbeddedTaxonomy, texts: Sequence[str]) -> dict[str, float]:
    async def once(by: Understanding) -> float:
        start = perf_counter()
        await score_batch([feedback_of(ScoreRow(text=text), NOON) for text in texts], by)
        return len(texts) / (perf_counter() - start)

    async def rounds() -> list[tuple[float, float]]:
        both = (plain, replace(plain, embedded=taught))
        return [(await once(both[0]), await once(both[1])) for _ in range(ROUNDS)]

    bare, corrected = zip(*asyncio.run(rounds()), strict=True)
    return {
        "bare_scored_texts_a_second": statistics.median(bare),
        "taught_scored_texts_a_second": statistics.median(corrected),
    }


def measure() -> dict[str, float]:
    reader = InlineReader(load_scorer(ModelChoice(threads=1)))
    plain = understanding_of(load_policies(), Py3langidGuesser(), reader, LexiconScorer())
    embedded = plain.embedded
    if embedded is None:
        raise SystemExit("the shipped model has no embeddings")
    random = np.random.default_rng(20_261_122)
    vectors, _ = around(embedded, MOST + 1, random)
    causes = [
        path
        for path, (_, _, c) in zip(embedded.taxonomy.paths, embedded.taxonomy.categories, strict=True)
        if c.cause
    ]
    every = [
        Correction(f"fb_{i}", vector, frozenset({causes[i % len(causes)]}))
        for i, vector in enumerate(vectors)
    ]
    most = Corrections.of(every[:MOST])
    taught = embedded.corrected(most)
    texts = around(embedded, 8 * BATCH, random)
    found = {
        "corrections": float(len(most)),
        "learn_all_seconds": seconds(lambda: embedded.corrected(most), process_time),
        "learn_one_more_seconds": seconds(lambda: taught.corrected(most.with_one(every[MOST])), process_time),
        **reading(embedded, *texts, "bare"),
        **reading(taught, *texts, "taught"),
        **scoring(plain, taught, texts[1][: 2 * BATCH]),
    }
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = measure()
    if chosen.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for name, value in found.items():
            sys.stdout.write(f"{name.replace('_', ' '):40} {value:10.3f}\n")


if __name__ == "__main__":
    main()
