"""The labelled text of every training set, put on common tasks. Test splits are never opened here.

A set says what it knows and nothing else: a row of `tweeteval_irony` tells of sarcasm only, and the other
outputs learn nothing from it.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SENTIMENTS = ("negative", "neutral", "positive")
EMOTIONS = ("anger", "joy", "optimism", "sadness")
CUES = (
    "wants_to_leave",
    "asks_for_human",
    "money_dispute",
    "loss_or_fraud_urgent",
    "not_working",
    "complaint",
    "anger",
    "disappointment",
    "confusion",
    "gratitude",
    "abusive",
    "sarcasm_suspected",
)
Split = Literal["train", "dev"]
Flag = Literal["green", "amber"]
Row = dict[str, Any]

_DERIVED = {"churn": "wants_to_leave", "human_handoff": "asks_for_human"}
_DERIVED_CUES = (
    "wants_to_leave",
    "asks_for_human",
    "money_dispute",
    "loss_or_fraud_urgent",
    "not_working",
    "complaint",
)
_GO_CUES = {
    "anger": {"anger", "annoyance"},
    "disappointment": {"disappointment"},
    "confusion": {"confusion"},
    "gratitude": {"gratitude"},
}


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of one text; None or absent: nothing.

    `binary` sentiment comes from a set without neutral, and is learned between its two classes only.
    """

    sentiment: int | None = None
    binary: bool = False
    emotion: int | None = None
    cues: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """One set: its licence, its flag, and how a row is read (None: the row is left out)."""

    name: str
    flag: Flag
    licence: str
    read: Callable[[Row], Labels | None]


@dataclass(frozen=True, slots=True)
class Example:
    """`origin` is where a set of mixed origin has the row from; else the set itself."""

    source: str
    text: str
    labels: Labels
    origin: str = ""


def _sentiment(label: str, *, binary: bool = False) -> Labels:
    return Labels(sentiment=SENTIMENTS.index(label), binary=binary)


def _own(row: Row) -> Labels:
    return _sentiment(row["label"])


def _two(row: Row) -> Labels:
    return _sentiment(row["label"], binary=True)


def _polarity(row: Row) -> Labels | None:
    # A review that praises one aspect and blames another has no single sentiment here.
    polarities = {entry["polarity"] for entry in row["labels"]}
    return _sentiment(polarities.pop()) if len(polarities) == 1 and polarities <= set(SENTIMENTS) else None


def _go(row: Row) -> Labels:
    # Rows of two groups, or of "ambiguous", say nothing clear about sentiment.
    groups, names = set(row["sentiment"]), set(row["labels"])
    clear = len(groups) == 1 and groups <= set(SENTIMENTS)
    cues = {cue: bool(names & labels) for cue, labels in _GO_CUES.items()}
    return Labels(sentiment=SENTIMENTS.index(groups.pop()) if clear else None, cues=cues)


def _emotion(row: Row) -> Labels:
    return Labels(emotion=EMOTIONS.index(row["label"]))


def _derived(row: Row) -> Labels:
    found = {_DERIVED.get(name, name) for name in row["cues"]}
    return Labels(cues={cue: cue in found for cue in _DERIVED_CUES})


def _irony(row: Row) -> Labels:
    return Labels(cues={"sarcasm_suspected": row["label"] == "irony"})


def _offensive(row: Row) -> Labels:
    return Labels(cues={"abusive": row["label"] == "offensive"})


_PLATFORM = "unclear, platform terms apply to the text"
SOURCES = (
    Source("tweeteval_sentiment", "amber", _PLATFORM, _own),
    Source("sst2", "amber", "unclear", _two),
    Source("vader_amazon", "green", "MIT", _own),
    Source("goemotions", "green", "Apache-2.0", _go),
    Source("fabsa", "amber", "unclear", _polarity),
    Source("tweeteval_emotion", "amber", _PLATFORM, _emotion),
    Source("derived_cues", "green", "CC BY 4.0, CDLA-Sharing-1.0, CDLA-Permissive", _derived),
    Source("tweeteval_irony", "amber", _PLATFORM, _irony),
    Source("tweeteval_offensive", "amber", _PLATFORM, _offensive),
)
UNLABELLED = (
    # Read by the teacher, or by what learns the satisfaction of dialogues; none in the green variant.
    Source("nlupp", "green", "CC BY 4.0", lambda _: None),
    Source("natcs_intents", "green", "CDLA-Permissive-2.0", lambda _: None),
    Source("multidogo_customer_turns", "green", "CDLA-Permissive-1.0", lambda _: None),
    Source("shopzilla_remarks", "amber", "unclear", lambda _: None),
    Source("stc3_helpdesk_en", "amber", "annotations CC BY 4.0, the text unclear", lambda _: None),
    Source("uss_sgd", "amber", "unclear", lambda _: None),
)


def read_examples(folder: Path, source: Source, split: Split) -> list[Example] | None:
    """The split's labelled rows, in file order; None if the set is not there."""
    path = folder / source.name / f"{split}.jsonl.gz"
    if not path.is_file():
        return None
    return [
        Example(source.name, str(row["text"]), labels, str(row.get("source", source.name)))
        for row in rows_of(path)
        if (labels := source.read(row)) is not None
    ]


def rows_of(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf8") as lines:
        for line in lines:
            yield json.loads(line)
