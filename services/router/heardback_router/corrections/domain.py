"""A person's word about one feedback, put over whatever a machine says of it. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from heardback_shared.contracts.score import (
    Band,
    Contribution,
    Neighbour,
    Probabilities,
    RootCause,
    Score,
    Sentiment,
    SentimentReading,
    Severity,
)

BY_A_PERSON = "(corrected by a person)"
FACTOR = "person"
PATH = re.compile(r"[a-z][a-z0-9_]{0,39}/[a-z][a-z0-9_]{0,39}")
"""domain/category, as a taxonomy may name them."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said. `right` are the causes and no others, so empty says there is none.

    `right` None leaves causes open but for the `wrong` ones; sentiment and severity None leave those as read.
    """

    right: tuple[str, ...] | None = None
    wrong: tuple[str, ...] = ()
    sentiment: Sentiment | None = None
    severity: float | None = None

    @property
    def about_causes(self) -> bool:
        return self.right is not None or bool(self.wrong)


@dataclass(frozen=True, slots=True)
class Correction:
    """`number` counts 1, 2, … per feedback. `ended_at` is None while it is in force.

    `said` is what the machine had said then: causes, sentiment, severity, models and policies.
    """

    feedback_id: str
    number: int
    word: Word
    actor: str
    reason: str
    at: datetime
    said: Mapping[str, Any]
    ended_at: datetime | None = None
    ended_by: str | None = None


def overlaid(score: Score, word: Word, band_of: Callable[[float], Band]) -> Score:
    """The machine's score with the person's word over it. Contributions still add up to the severity."""
    update: dict[str, Any] = {}
    if word.right is not None:
        update |= {"root_causes": tuple(map(_said, word.right)), "runners_up": ()}
    elif word.wrong:
        for name in ("root_causes", "runners_up"):
            update[name] = tuple(c for c in getattr(score, name) if c.path not in word.wrong)
    if word.sentiment is not None:
        update["sentiment"] = _felt(word.sentiment)
    if word.severity is not None:
        update["severity"] = _set(score.severity, word.severity, band_of)
    return score.model_copy(update=update) if update else score


def said_by(score: Score) -> dict[str, Any]:
    """What the machine says, as a correction keeps it."""
    return {
        "status": score.status,
        "root_causes": [{"path": c.path, "confidence": c.confidence} for c in score.root_causes],
        "sentiment": score.sentiment.label if score.sentiment else None,
        "severity": score.severity.score,
        "band": score.severity.band,
        "taxonomy": score.taxonomy,
        "models": [model.version for model in score.models],
        "policies": list(score.policies),
    }


def answers_of(score: Score) -> list[str] | None:
    """The causes the machine answered with, empty where it said unclear; None where it read no words."""
    return [cause.path for cause in score.root_causes] if score.models else None


def answered_by(score: Score) -> str:
    """Taxonomy and model, each name@version, without what the taxonomy had learnt from corrections."""
    taxonomy = score.taxonomy.split("+", 1)[0]
    return f"{taxonomy} {score.models[0].version}" if score.models else taxonomy


def _said(path: str) -> RootCause:
    domain, _, category = path.partition("/")
    told = Neighbour(domain=domain, category=category, text=BY_A_PERSON, similarity=1.0)
    return RootCause(domain=domain, category=category, confidence=1.0, nearest=(told,))


def _felt(label: Sentiment) -> SentimentReading:
    sure = {name: float(name == label) for name in ("negative", "neutral", "positive")}
    return SentimentReading(
        label=label, score=sure["positive"] - sure["negative"], probabilities=Probabilities(**sure)
    )


def _set(severity: Severity, wanted: float, band_of: Callable[[float], Band]) -> Severity:
    because = f"A person set it to {wanted:g}."
    # Severity is counted in quarters, a person counts as they like; a difference of floats is neither.
    step = Contribution(factor=FACTOR, points=round(wanted - severity.score, 2), because=because)
    return severity.model_copy(
        update={
            "score": wanted,
            "band": band_of(wanted),
            "contributions": (*severity.contributions, step),
        }
    )
