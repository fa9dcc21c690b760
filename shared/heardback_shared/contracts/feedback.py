"""Feedback as it is submitted, and as it travels once accepted."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from heardback_shared.contracts.base import Instant, Label, ShortText, Submission, Wire

MetricKind = Literal["nps", "csat", "ces", "stars"]
Direction = Literal["higher_is_better", "lower_is_better"]
Role = Literal["customer", "agent", "bot", "system"]
Resolution = Literal["resolved", "unresolved", "unknown"]
Kind = Literal["survey", "transcript"]
ContextValue = str | int | float | bool | None


class Metric(Submission):
    """One answer on a scale. The direction is never guessed: platforms disagree on it, for CES above all."""

    kind: MetricKind
    value: float
    min: float
    max: float
    direction: Direction

    @model_validator(mode="after")
    def _on_its_scale(self) -> Self:
        if self.min >= self.max:
            raise ValueError("min must be below max")
        if not self.min <= self.value <= self.max:
            raise ValueError(f"value must lie between min ({self.min:g}) and max ({self.max:g})")
        if self.kind == "nps" and (self.min, self.max, self.direction) != (0, 10, "higher_is_better"):
            raise ValueError("nps runs from 0 to 10 and higher is better; use csat for another scale")
        return self

    @property
    def share_of_best(self) -> float:
        """0 at the worst answer the scale allows, 1 at the best."""
        share = (self.value - self.min) / (self.max - self.min)
        return share if self.direction == "higher_is_better" else 1.0 - share


class Contact(Submission):
    """How to reach the person who answered. Stored encrypted, never on a topic."""

    name: ShortText | None = None
    email: ShortText | None = None
    phone: ShortText | None = None


class CustomerRef(Submission):
    id: ShortText
    contact: Contact | None = None


class TurnIn(Submission):
    role: Role
    text: str
    at: Instant | None = None
    speaker: ShortText | None = None


class _FeedbackIn(Submission):
    source: Label
    external_id: ShortText
    revision: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    customer: CustomerRef | None = None
    channel: Label | None = None
    touchpoint: Label | None = None
    language: Annotated[str | None, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = None
    context: dict[Label, ContextValue] = Field(default_factory=dict)


class SurveyIn(_FeedbackIn):
    """One survey answer: a metric, a comment, or both."""

    metric: Metric | None = None
    comment: str | None = None
    answered_at: Instant | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.metric is None and not (self.comment or "").strip():
            raise ValueError("a survey answer needs a metric, a comment, or both")
        return self


class TranscriptIn(_FeedbackIn):
    """One support conversation. `external_id` is the platform's conversation id."""

    turns: Annotated[tuple[TurnIn, ...], Field(min_length=1)]
    opened_at: Instant | None = None
    closed_at: Instant | None = None
    resolution: Resolution = "unknown"


FeedbackIn = SurveyIn | TranscriptIn


class Turn(Wire):
    role: Role
    text: str
    at: Instant | None = None
    speaker: str | None = None


class FeedbackContent(Wire):
    """What the customer said, personal data already redacted. The only form that leaves ingest."""

    kind: Kind
    source: str
    external_id: str
    revision: int
    channel: str | None = None
    touchpoint: str | None = None
    language: str | None = None
    context: dict[str, Any] = Field(default_factory=dict)
    metric: Metric | None = None
    comment: str | None = None
    turns: tuple[Turn, ...] = ()
    happened_at: Instant | None = None
    opened_at: Instant | None = None
    closed_at: Instant | None = None
    resolution: Resolution | None = None
    redactions: dict[str, int] = Field(default_factory=dict)

    @property
    def customer_texts(self) -> tuple[tuple[int, str], ...]:
        """(turn index, text) of everything the customer said; a survey comment is turn 0."""
        if self.kind == "survey":
            return ((0, self.comment),) if self.comment and self.comment.strip() else ()
        return tuple((i, t.text) for i, t in enumerate(self.turns) if t.role == "customer" and t.text.strip())
