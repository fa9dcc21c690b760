"""What the HTTP door answers."""

from typing import Any, Literal

from fastapi.openapi.models import Example
from pydantic import BaseModel, ConfigDict

from heardback_shared.contracts.score import ModelRef, Score


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
