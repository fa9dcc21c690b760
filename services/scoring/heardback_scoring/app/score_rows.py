"""Rows as people hand them in (`heardback score`, `POST /v1/score`), given back with "score"."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

from heardback_scoring.app.ports import Explain
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.understanding import Understanding
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.feedback import FeedbackContent, Metric, Resolution, Role, Turn


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""ISO 8601; a date or a time without a zone is read as UTC."""


class RowTurn(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Role
    text: str
    at: Moment | None = None
    speaker: str | None = None


class ScoreRow(BaseModel):
    """`{"text"}`, `{"turns"}`, or a whole survey or transcript as posted; other fields are kept and not read.

    `customer` is the snapshot that severity uses, `at` the moment (else answered_at, closed_at, or now).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str | None = Field(default=None, validation_alias=AliasChoices("text", "comment"))
    turns: tuple[RowTurn, ...] | None = None
    metric: Metric | None = None
    customer: CustomerSnapshot | None = None
    at: Moment | None = None
    answered_at: Moment | None = None
    closed_at: Moment | None = None
    touchpoint: str | None = None
    channel: str | None = None
    language: Annotated[str | None, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = None
    resolution: Resolution | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.turns is not None and not self.turns:
            raise ValueError("turns is empty; give at least one turn")
        if self.turns is not None and self.text is not None:
            raise ValueError("give either text or turns, not both")
        if self.turns is None and self.text is None and self.metric is None:
            raise ValueError("give text, turns, or a whole survey or transcript")
        return self


def feedback_of(row: ScoreRow, now: datetime) -> FeedbackAccepted:
    """The row as if it had been accepted at its moment."""
    at = row.at or row.answered_at or row.closed_at or now
    turns = tuple(Turn(role=t.role, text=t.text, at=t.at, speaker=t.speaker) for t in row.turns or ())
    content = FeedbackContent(
        kind="survey" if row.turns is None else "transcript",
        source="row",
        external_id="row",
        revision=1,
        channel=row.channel,
        touchpoint=row.touchpoint,
        language=row.language,
        metric=row.metric,
        comment=row.text,
        turns=turns,
        happened_at=at,
        resolution=row.resolution,
    )
    return FeedbackAccepted(
        feedback_id="row", revision=1, accepted_at=at, content=content, customer=row.customer
    )


async def score_rows(
    rows: Sequence[tuple[dict[str, Any], ScoreRow]],
    by: Understanding,
    now: datetime,
    explain: Explain | None = None,
) -> list[dict[str, Any]]:
    """Each row's own fields with "score" added, in order."""
    scores = await score_batch([feedback_of(row, now) for _, row in rows], by, explain)
    return [
        {**own, "score": score.model_dump(mode="json")} for (own, _), score in zip(rows, scores, strict=True)
    ]
