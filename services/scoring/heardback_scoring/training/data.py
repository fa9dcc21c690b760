"""The labelled text the shipped head is trained and tuned on. Test splits are never opened here."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

LABELS = ("negative", "neutral", "positive")
Split = Literal["train", "dev"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """One set: where it lies, what its licence flag is, and how a row becomes a label (or None: left out)."""

    name: str
    flag: Literal["green", "amber"]
    licence: str
    label: Callable[[Row], str | None]
    limit: int | None = None
    """Rows taken of the train split, in file order; None for all."""


@dataclass(frozen=True, slots=True)
class Samples:
    source: str
    texts: tuple[str, ...]
    labels: tuple[int, ...]


def _own_label(row: Row) -> str | None:
    return str(row["label"])


def _grouped(row: Row) -> str | None:
    # Rows of two groups, or of "ambiguous", say nothing clear about sentiment.
    groups = set(row["sentiment"])
    return groups.pop() if len(groups) == 1 and groups <= set(LABELS) else None


def _one_polarity(row: Row) -> str | None:
    # A review that praises one aspect and blames another has no single label here.
    polarities = {entry["polarity"] for entry in row["labels"]}
    return polarities.pop() if polarities in ({"negative"}, {"positive"}) else None


SOURCES = (
    Source("tweeteval_sentiment", "amber", "unclear, platform terms apply to the text", _own_label),
    Source("sst2", "amber", "unclear", _own_label),
    Source("vader_amazon", "green", "MIT", _own_label),
    Source("goemotions", "green", "Apache-2.0", _grouped, limit=14_000),
    Source("fabsa", "amber", "unclear", _one_polarity),
)


def read_samples(folder: Path, source: Source, split: Split) -> Samples | None:
    """The split's labelled rows, in file order; None if the set is not there."""
    path = folder / source.name / f"{split}.jsonl.gz"
    if not path.is_file():
        return None
    pairs = [(str(row["text"]), label) for row in _rows(path) if (label := source.label(row)) in LABELS]
    if split == "train" and source.limit is not None:
        pairs = pairs[: source.limit]
    return Samples(
        source=source.name,
        texts=tuple(text for text, _ in pairs),
        labels=tuple(LABELS.index(str(label)) for _, label in pairs),
    )


def _rows(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf8") as lines:
        for line in lines:
            yield json.loads(line)
