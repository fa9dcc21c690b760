"""What the HTTP door answers."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from heardback_scoring.app.taught import vector_of
from heardback_shared.contracts.base import Submission
from heardback_shared.contracts.events import Embedding, FeedbackAccepted
from heardback_shared.contracts.score import ModelRef, RootCause, Score, Severity

MOST_JUDGED = 500
PolicyText = Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]


class ScoredAnswer(BaseModel):
    """The fields that were sent, with `score` added."""

    model_config = ConfigDict(extra="allow")

    score: Score


class ModelInUse(BaseModel):
    """`because` says why a fallback is in use, or why a model that was decided on does not read.

    `watches`: reads along without effect; `refused`: should read, but cannot be opened.
    """

    model: ModelRef
    use: Literal["reads", "fallback", "watches", "refused"]
    degraded: bool
    because: str | None = None


class ModelsAnswer(BaseModel):
    """`problem` says why what was decided about models is not what is in use."""

    models: tuple[ModelInUse, ...]
    problem: str | None = None
    policies: tuple[str, ...]
    taxonomy: str
    languages: tuple[str, ...]


class KeptIn(Submission):
    """One scored event as it was kept, without the time of scoring."""

    accepted: FeedbackAccepted
    score: Score
    embedding: Embedding | None = None

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        try:
            usable = self.embedding is None or bool(np.isfinite(vector_of(self.embedding)).all())
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("embedding/values must be base64 of little-endian float16 numbers")
        return self


class JudgeIn(Submission):
    """Policies as YAML; null leaves as it was what that policy judges."""

    severity: PolicyText | None = None
    taxonomy: PolicyText | None = None
    feedback: Annotated[tuple[KeptIn, ...], Field(min_length=1, max_length=MOST_JUDGED)]


class JudgedRow(BaseModel):
    """`because` says why the causes are as they were although a taxonomy was given."""

    feedback_id: str
    severity: Severity
    root_causes: tuple[RootCause, ...]
    runners_up: tuple[RootCause, ...]
    taxonomy: str
    because: str | None = None


class JudgedAnswer(BaseModel):
    """One row per feedback, in order."""

    judged: tuple[JudgedRow, ...]


class CheckIn(Submission):
    text: PolicyText


class CheckedAnswer(BaseModel):
    """`policy` is its name@version; `warnings` hinder nothing."""

    policy: str
    warnings: tuple[str, ...]


class CategoryShown(BaseModel):
    """`cause` false: what belongs only here has no root cause."""

    path: str
    description: str
    cause: bool


class TaxonomyAnswer(BaseModel):
    """`taxonomy` is its name@version, with the corrections it has learnt."""

    taxonomy: str
    categories: tuple[CategoryShown, ...]


def _example(summary: str, value: dict[str, Any]) -> Example:
    return Example(summary=summary, value=value)


EXAMPLES: dict[str, Example] = {
    "text": _example("One text", {"text": "The parcel came two weeks late and nobody answers my mails."}),
    "turns": _example(
        "A conversation, for a chatbot that may hand over",
        {
            "turns": [
                {"role": "customer", "text": "My invoice is wrong again."},
                {"role": "bot", "text": "I am sorry. Shall I send it once more?"},
                {"role": "customer", "text": "No! I want to speak to a human."},
            ],
            "customer": {"id": "c-42", "tier": "strategic", "renewal_date": "2026-12-20"},
            "at": "2026-11-22T10:00:00Z",
        },
    ),
}
