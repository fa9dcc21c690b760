"""What a set is good for, told from its rows; its name says nothing."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from heardback_scoring.evaluation.data import Row
from heardback_scoring.evaluation.label_maps import LabelMaps

MOST_ROWS = 0.9
"""A set is for a task when this share of its rows has what the task needs; the others are problems."""
SENTIMENTS = ("negative", "neutral", "positive")
_EMOTIONS = (
    "admiration amusement anger annoyance anticipation approval caring confusion curiosity desire "
    "disappointment disapproval disgust embarrassment excitement fear gratitude grief joy love nervousness "
    "optimism pessimism pride realization relief remorse sadness surprise trust neutral"
)
EMOTIONS = frozenset(_EMOTIONS.split())
CUE_OF_LABEL = {
    "churn": "wants_to_leave",
    "human_handoff": "asks_for_human",
    "irony": "sarcasm_suspected",
    "sarcasm": "sarcasm_suspected",
    "offensive": "abusive",
}
"""From what public sets call a cue to its name here; other names are taken as they are."""
_NEGATED = re.compile(r"(?:not|non|no)[_\s-]+(.+)")


class Task(StrEnum):
    SENTIMENT = "sentiment"
    INTENSITY = "intensity"
    CUES = "cues"
    FLAG = "flag"
    """Two labels, X and not X."""
    EMOTION = "emotion"
    ASPECTS = "aspects"
    TOPICS = "topics"
    """Several labels a text, that are no emotions."""
    INTENTS = "intents"
    ROOT_CAUSES = "root causes"
    SATISFACTION = "satisfaction"
    ESCALATION = "escalation"


def recognise(rows: Sequence[Row], maps: LabelMaps) -> tuple[Task, ...]:
    """Every task the rows are good for, in the order of `Task`."""
    if not rows:
        return ()
    found = {task for task in _BY_FIELD if _most(rows, task)}
    if not found & {Task.SENTIMENT} and _most_have(rows, _label):
        found.add(_task_of_labels(rows))
    if _most_have(rows, labels_of):
        labels = {label for row in rows for label in labels_of(row) or ()}
        found.add(Task.EMOTION if _mostly_emotions(labels) else Task.TOPICS)
    if maps and any(causes_of(row, maps) is not None for row in rows):
        found.add(Task.ROOT_CAUSES)
    return tuple(task for task in Task if task in found)


def sentiment_of(row: Row) -> str | None:
    """negative, neutral or positive; None where the row says nothing clear about it."""
    if (label := _label(row)) is not None:
        return label if label in SENTIMENTS else None
    groups = row.data.get("sentiment")
    if isinstance(groups, list):
        # Two groups, or "ambiguous", are no clear sentiment.
        return str(groups[0]) if len(groups) == 1 and groups[0] in SENTIMENTS else None
    polarities = {str(entry.get("polarity")) for entry in _entries(row)}
    # A review that praises one aspect and blames another has no single label, nor is one neutral as a whole
    # because an aspect of it is.
    return polarities.pop() if polarities in ({"negative"}, {"positive"}) else None


def intensity_of(row: Row) -> float | None:
    return _number(row.data.get("score"))


def cues_of(row: Row) -> frozenset[str] | None:
    """Names of cues as they are called here; empty: none of them."""
    cues = _texts(row, "cues")
    return None if cues is None else frozenset(CUE_OF_LABEL.get(cue, cue) for cue in cues)


def flag_of(row: Row) -> tuple[str, bool] | None:
    """(the cue, whether the row has it) for labels X and not X."""
    label = _label(row)
    if label is None:
        return None
    negated = _NEGATED.fullmatch(label)
    name = negated[1] if negated else label
    return CUE_OF_LABEL.get(name, name), negated is None


def emotions_of(row: Row) -> frozenset[str] | None:
    label = _label(row)
    found = {label} if label is not None else labels_of(row) or _NO
    return frozenset(found & EMOTIONS) or None


def aspects_of(row: Row) -> frozenset[str] | None:
    return frozenset(str(entry["aspect"]) for entry in _entries(row) if "aspect" in entry) or None


def labels_of(row: Row) -> frozenset[str] | None:
    """Any number of labels, also none at all."""
    return _texts(row, "labels")


def intent_of(row: Row) -> str | None:
    return _label(row)


@dataclass(frozen=True, slots=True)
class TrueCauses:
    """`meant` are the paths (`domain/category`) of a row's labels, empty where the labels are no causes;
    `right` has also those that the labels do not tell from them."""

    meant: frozenset[str]
    right: frozenset[str]


def causes_of(row: Row, maps: LabelMaps) -> TrueCauses | None:
    """By the maps of the row's set; None where none of its labels is in them."""
    for field, mapped in maps.items():
        values = aspects_of(row) if field == "aspect" else frozenset({str(row.data.get(field))})
        known = [mapped[value] for value in values or () if value in mapped]
        if known:
            meant = frozenset(one.cause for one in known if one.cause is not None)
            return TrueCauses(meant, meant.union(*(one.also for one in known)))
    return None


def satisfaction_of(row: Row) -> float | None:
    """The rating of the whole dialogue, on whatever scale."""
    whole = _number(row.data.get("satisfaction"))
    return whole if whole is not None else _number(row.data.get("overall"))


def escalated(row: Row) -> bool | None:
    value = row.data.get("escalated")
    return value if isinstance(value, bool) else None


_NO: frozenset[str] = frozenset()
_BY_FIELD: dict[Task, Callable[[Row], object]] = {
    Task.SENTIMENT: sentiment_of,
    Task.INTENSITY: intensity_of,
    Task.CUES: cues_of,
    Task.ASPECTS: aspects_of,
    Task.SATISFACTION: satisfaction_of,
    Task.ESCALATION: escalated,
}


def _most(rows: Sequence[Row], task: Task) -> bool:
    read = _BY_FIELD[task]
    dialogues = task in (Task.SATISFACTION, Task.ESCALATION)
    if any(("turns" in row.data) is not dialogues for row in rows):
        return False
    if task is Task.SENTIMENT:
        # Mixed and ambiguous rows have no sentiment and are still rows of such a set.
        return sum(read(row) is not None for row in rows) >= len(rows) / 2
    return _most_have(rows, read)


def _most_have(rows: Sequence[Row], read: Callable[[Row], object]) -> bool:
    return sum(read(row) is not None for row in rows) >= MOST_ROWS * len(rows) > 0


def _task_of_labels(rows: Sequence[Row]) -> Task:
    labels = Counter(label for row in rows if (label := _label(row)) is not None)
    if _mostly_emotions(set(labels)):
        return Task.EMOTION
    flags = {flag for row in rows if (flag := flag_of(row)) is not None}
    if len(labels) == 2 and len({name for name, _ in flags}) == 1:
        return Task.FLAG
    return Task.INTENTS


def _mostly_emotions(labels: set[str]) -> bool:
    return len(labels & EMOTIONS) >= MOST_ROWS * len(labels) > 0


def _texts(row: Row, field: str) -> frozenset[str] | None:
    values = row.data.get(field)
    texts = [value for value in values if isinstance(value, str)] if isinstance(values, list) else None
    return None if texts is None or len(texts) < len(values or ()) else frozenset(texts)


def _label(row: Row) -> str | None:
    label = row.data.get("label")
    return label if isinstance(label, str) and label else None


def _entries(row: Row) -> list[dict[str, object]]:
    labels = row.data.get("labels")
    return [entry for entry in labels if isinstance(entry, dict)] if isinstance(labels, list) else []


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
