"""Requests about surveys as they are sent."""

import base64
import binascii
import math
from datetime import datetime
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, Field, StringConstraints, ValidationError, field_validator

from heardback_ingest.domain.surveys import facts
from heardback_ingest.domain.surveys.policy import SurveyType
from heardback_shared.contracts.base import Instant, Label, ShortText, Submission
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import field_errors, invalid, malformed_json

MOST = 500
"""Requests in one array."""

ATTRIBUTES = 20
Attribute = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Row = TypeVar("Row", bound=BaseModel)


class ConversationIn(Submission):
    """The support conversation that the survey would be about."""

    id: ShortText | None = None
    agent_started: bool = False
    spam: bool = False
    auto_resolved_at: Instant | None = None
    can_reply: bool = True


class AskIn(Submission):
    customer: ShortText
    account: ShortText | None = None
    survey: Label
    type: SurveyType
    channel: Label
    touchpoint: Label | None = None
    kind: facts.Kind = "invitation"
    attributes: Annotated[dict[Attribute, bool | float | ShortText], Field(max_length=ATTRIBUTES)] = Field(
        default_factory=dict
    )
    conversation: ConversationIn | None = None

    @field_validator("attributes")
    @classmethod
    def _finite(cls, told: dict[str, Any]) -> dict[str, Any]:
        for name, value in told.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name} must be a finite number")
        return told

    def request(self) -> facts.Request:
        about = self.conversation
        return facts.Request(
            self.customer,
            self.survey,
            self.type,
            self.channel,
            self.touchpoint,
            self.kind,
            self.account,
            self.attributes,
            facts.Conversation(**dict(about)) if about is not None else None,
        )


class ReserveIn(AskIn):
    reservation_key: ShortText | None = None
    """The same key is the same reservation, whoever sends it and however often."""


class ReportIn(Submission):
    reservation: ShortText
    at: Instant | None = None
    """When it happened; now, if left out."""


class CrisisIn(Submission):
    because: ShortText
    ends_at: Instant


class SkipIn(Submission):
    because: ShortText


MODELS = (AskIn, ReserveIn, ReportIn, CrisisIn, SkipIn)


def read_one(model: type[Row], body: bytes) -> Row:
    """Raises ProblemError."""
    rows, many = read_many(model, body)
    if many:
        raise invalid((("", "must be an object"),))
    return rows[0]


def read_many(model: type[Row], body: bytes) -> tuple[list[Row], bool]:
    """The requests, and whether they came as an array. One that is wrong refuses all, each fault named."""
    if b"\\u0000" in body:
        raise invalid((("", "must not contain the character U+0000"),))
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed_json(str(error)) from error
    many = isinstance(told, list)
    rows = told if many else [told]
    if not rows:
        raise invalid((("", "must not be empty"),))
    if len(rows) > MOST:
        raise ProblemError(
            413,
            "too-large",
            "The array has too many requests",
            f"Send 1 to {MOST} at once; these are {len(rows)}.",
            (("", f"send at most {MOST} at once"),),
        )
    read: list[Row] = []
    faults: list[tuple[str, str]] = []
    for index, row in enumerate(rows):
        try:
            read.append(model.model_validate_json(orjson.dumps(row)))
        except ValidationError as error:
            where = f"/{index}" if many else ""
            faults += [(where + pointer, detail) for pointer, detail in field_errors(error)]
    if faults:
        raise invalid(tuple(faults))
    return read, many


def spell_cursor(at: datetime, last: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {last}".encode()).decode()


def read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, last = base64.urlsafe_b64decode(cursor).decode().split(" ", 1)
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or "\x00" in last:
            raise ValueError("no time zone")
    except (ValueError, binascii.Error) as error:
        raise invalid((("query:cursor", "send the next_cursor of an earlier page"),)) from error
    return moment, last
