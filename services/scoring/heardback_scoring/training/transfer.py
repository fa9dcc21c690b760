"""Texts that a teacher reads for the student: labelled ones, parts of sentences, and customer texts.

Only train splits. Where the labels of a set would give away a benchmark (intents of `banking77`), none of
its texts are here.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from heardback_scoring.training.tasks import rows_of

SEED = 20_261_102
_LINK = r"(?:but|and|although|though|while|because|which|who|--|-)"
_BREAK = re.compile(rf"\s*[,;:.!?]\s+(?:{_LINK}\s+)?|\s+{_LINK}\s+")
_LEAST_WORDS, _MOST_WORDS = 2, 16
# (set, texts at most)
PLAIN = (
    ("sst2", None),
    ("tweeteval_emotion", None),
    ("vader_amazon", None),
    ("fabsa", 5_000),
    ("tweeteval_sentiment", 10_000),
    ("goemotions", 4_000),
    ("nlupp", 1_500),
    ("natcs_intents", None),
    ("shopzilla_remarks", 3_000),
)
TURNS = (
    ("multidogo_customer_turns", 2_500),
    ("stc3_helpdesk_en", 2_500),
    ("uss_sgd", 1_000),
)
PARTS = (("sst2", 13_000), ("fabsa", 3_000))


def transfer_texts(data: Path) -> list[str]:
    """Every text once, in a seeded order; sets that are absent are left out."""
    shuffled = random.Random(SEED)
    found: dict[str, None] = {}
    for names, reader in ((PLAIN, _texts), (TURNS, _turns), (PARTS, _parts)):
        for name, most in names:
            texts = sorted(set(reader(data, name)))
            shuffled.shuffle(texts)
            found.update(dict.fromkeys(texts[:most]))
    return list(found)


def parts_of(sentence: str) -> list[str]:
    """Clauses of a sentence that stand for themselves: 2–16 words each, without the whole sentence."""
    parts = [part.strip() for part in _BREAK.split(sentence)]
    return [p for p in parts if p != sentence and _LEAST_WORDS <= len(p.split()) <= _MOST_WORDS]


def _texts(data: Path, name: str) -> Iterator[str]:
    path = data / name / "train.jsonl.gz"
    if path.is_file():
        for row in rows_of(path):
            yield str(row["text"])


def _turns(data: Path, name: str) -> Iterator[str]:
    path = data / name / "train.jsonl.gz"
    if path.is_file():
        for row in rows_of(path):
            yield from (
                str(t["text"]) for t in row["turns"] if t["role"] == "customer" and str(t["text"]).strip()
            )


def _parts(data: Path, name: str) -> Iterator[str]:
    for text in _texts(data, name):
        yield from parts_of(text)
