# ruff: noqa: T201  (a command prints)
"""Figures for docs/languages.md and docs/listening.md: `python -m tests.support.listening_figures FOLDER`.

FOLDER holds one folder per labelled set, each with dev.jsonl.gz. A set that is not there is named and left
out.
"""

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.domain.cue_table import CUES
from heardback_scoring.domain.cues import CueFinder
from heardback_scoring.domain.language import decide
from heardback_scoring.domain.words import Text

ENGLISH = ("fabsa", "tweeteval_sentiment", "derived_cues", "sst2", "goemotions")
MOST = 3000
LABELS = {
    "wants_to_leave": "churn",
    "asks_for_human": "human_handoff",
    "money_dispute": "money_dispute",
    "loss_or_fraud_urgent": "loss_or_fraud_urgent",
    "not_working": "not_working",
}


def rows(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    path = folder / name / "dev.jsonl.gz"
    if not path.is_file():
        print(f"not there, left out: {path}", file=sys.stderr)
        return
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number >= MOST:
                return
            yield json.loads(line)


def languages(folder: Path) -> None:
    """Of each language: how many texts are read, called by their right name, or called unknown."""
    policy, guesser = load_policies().language, Py3langidGuesser()
    texts = [(f"{r['lang']} (tweets)", r["lang"], r["text"]) for r in rows(folder, "xlmt_multilingual")]
    texts += [(f"en ({name})", "en", str(r["text"])) for name in ENGLISH for r in rows(folder, name)]
    found: dict[str, Counter[str]] = {}
    for group, code, text in texts:
        language = decide(Text.of(text), None, guesser.guess, policy)
        counts = found.setdefault(group, Counter())
        counts["texts"] += 1
        counts["read"] += language.readable
        counts["right"] += language.code == code
        counts["unknown"] += language.code == "und"
    print("| language | texts | read as English | right code | `und` |\n|---|---|---|---|---|")
    for group, counts in sorted(found.items()):
        shares = " | ".join(f"{counts[k] / counts['texts']:.1%}" for k in ("read", "right", "unknown"))
        print(f"| {group} | {counts['texts']} | {shares} |")


def cues(folder: Path) -> None:
    """Recall and precision of the patterns against weak labels made from intents."""
    finder = CueFinder(CUES)
    heard = [
        (set(r["cues"]), {c.name for c in finder.find(0, Text.of(r["text"]))})
        for r in rows(folder, "derived_cues")
    ]
    print("\n| cue | labelled | recall | precision |\n|---|---|---|---|")
    for name, label in LABELS.items():
        both = sum(label in labels and name in names for labels, names in heard)
        labelled = sum(label in labels for labels, _ in heard)
        fired = sum(name in names for _, names in heard)
        if labelled and fired:
            print(f"| {name} | {labelled} | {both / labelled:.2f} | {both / fired:.2f} |")


if __name__ == "__main__":
    languages(Path(sys.argv[1]))
    cues(Path(sys.argv[1]))
