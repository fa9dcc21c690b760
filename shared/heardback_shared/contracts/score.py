"""What scoring says about one feedback. The shape is public: events, `POST /v1/score`, `heardback score`."""

from typing import Annotated, Literal

from pydantic import Field

from heardback_shared.contracts.base import Wire

Sentiment = Literal["negative", "neutral", "positive"]
Band = Literal["P1", "P2", "P3", "P4"]
ScoreStatus = Literal["scored", "unscored", "degraded"]
Mismatch = Literal["score_above_text", "score_below_text"]
Probability = Annotated[float, Field(ge=0, le=1)]
Signed = Annotated[float, Field(ge=-1, le=1)]


class Probabilities(Wire):
    negative: Probability
    neutral: Probability
    positive: Probability


class SentimentReading(Wire):
    """Calibration is the model's affair; `score` = P(positive) − P(negative)."""

    label: Sentiment
    score: Signed
    probabilities: Probabilities
    abstained: bool = False


class TurnReading(Wire):
    index: int
    sentiment: SentimentReading


class Trajectory(Wire):
    """Sentiment scores along the customer's turns; `recovery` = end − lowest, in 0…2."""

    start: Signed
    lowest: Signed
    lowest_turn: int
    end: Signed
    recovery: Annotated[float, Field(ge=0, le=2)]


class Cue(Wire):
    name: str
    probability: Probability
    turn: int
    span: tuple[int, int] | None = None
    by: Literal["model", "pattern", "both"]


class Neighbour(Wire):
    """A taxonomy example near the text, with its cosine similarity."""

    domain: str
    category: str
    text: str
    similarity: float


class RootCause(Wire):
    domain: str
    category: str
    confidence: Probability
    nearest: tuple[Neighbour, ...] = ()

    @property
    def path(self) -> str:
        return f"{self.domain}/{self.category}"


class Contribution(Wire):
    factor: str
    points: float
    because: str


class Severity(Wire):
    """0–100, how much this hurts the relationship. The contributions add up to the score exactly."""

    score: Annotated[float, Field(ge=0, le=100)]
    band: Band
    contributions: tuple[Contribution, ...]
    missing: tuple[str, ...] = ()
    policy: str


class Handover(Wire):
    now: bool
    because: str


class Language(Wire):
    code: str
    confidence: Probability


class Evidence(Wire):
    """Words that carried a label: read alone, their clause has it less probable by `weight` without them.

    `label` is negative, neutral or positive, the name of a cue, or `satisfaction`. For that the span is a
    whole turn, and satisfaction itself would be less by `weight`; below zero: more.
    """

    label: str
    turn: int
    span: tuple[int, int]
    weight: Signed


class ModelRef(Wire):
    name: str
    revision: str
    sha256: str

    @property
    def version(self) -> str:
        """name@revision"""
        return f"{self.name}@{self.revision}"


class Score(Wire):
    status: ScoreStatus
    because: str | None = None
    """Why it was not scored, or scored by the fallback."""
    sentiment: SentimentReading | None = None
    turns: tuple[TurnReading, ...] = ()
    trajectory: Trajectory | None = None
    satisfaction: Signed | None = None
    satisfaction_interval: tuple[Signed, Signed] | None = None
    """Where it lies in 80 % of help-desk conversations; None where a rule had a part in it."""
    mismatch: Mismatch | None = None
    """The answer on the scale and the words contradict each other, and how. For a person to read."""
    cues: tuple[Cue, ...] = ()
    root_causes: tuple[RootCause, ...] = ()
    runners_up: tuple[RootCause, ...] = ()
    severity: Severity
    handover: Handover
    language: Language
    evidence: tuple[Evidence, ...] = ()
    """Greatest first within a label; empty where no explanation was asked for, or none was found."""
    models: tuple[ModelRef, ...] = ()
    taxonomy: str
    policies: tuple[str, ...] = ()
    """Every policy that decided, name@version. With the models and the accepted event, enough to replay."""
