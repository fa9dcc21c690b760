"""The events, by type. The type string carries the major version; an unknown major is refused."""

import base64
import struct
from typing import Annotated, Literal

from pydantic import Field

from heardback_shared.contracts.base import Instant, Wire
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.score import (
    Band,
    ModelRef,
    Score,
    ScoreStatus,
    Sentiment,
    Signed,
)

SURVEY_SUBMITTED = "heardback.survey.submitted.v1"
TRANSCRIPT_SUBMITTED = "heardback.transcript.submitted.v1"
FEEDBACK_ACCEPTED = "heardback.feedback.accepted.v1"
FEEDBACK_REJECTED = "heardback.feedback.rejected.v1"
FEEDBACK_SCORED = "heardback.feedback.scored.v1"
FEEDBACK_SHADOWED = "heardback.feedback.shadowed.v1"
FEEDBACK_ROUTED = "heardback.feedback.routed.v1"
FEEDBACK_DEAD = "heardback.feedback.dead.v1"
ITEM_OPENED = "heardback.item.opened.v1"
ITEM_FED = "heardback.item.fed.v1"
"""Feedback joined the item, or one of its feedbacks was read again."""
ITEM_CHANGED = "heardback.item.changed.v1"
"""A person, or a customer who answered, changed the item."""
LOOP_CHANGED = "heardback.loop.changed.v1"
CUSTOMER_STANDING = "heardback.customer.standing.v1"
CUSTOMER_UPDATED = "heardback.customer.updated.v1"

POLICY_ACTIVATED = "heardback.policy.activated.v1"
FEEDBACK_CORRECTED = "heardback.feedback.corrected.v1"

ItemState = Literal["open", "in_progress", "resolved", "closed", "merged"]
LoopState = Literal[
    "acknowledged", "planned", "changed", "told", "failed", "not_told", "confirmed", "disputed"
]
"""acknowledged → planned → changed → told → confirmed or disputed; beside them `failed`, no channel could,
and `not_told`, with a reason."""


class FeedbackAccepted(Wire):
    """It is on disk. `pass_number` grows each time the same revision is deliberately scored again."""

    feedback_id: str
    revision: int
    pass_number: int = 1
    accepted_at: Instant
    content: FeedbackContent
    customer: CustomerSnapshot | None = None


class Embedding(Wire):
    """What a model made of all the customer said: one unit vector, little-endian float16 values in base64."""

    model: str
    """name@revision of the model; vectors of different models cannot be compared."""
    values: str

    @property
    def data(self) -> bytes:
        """The values, two bytes each. Raises ValueError where they are not base64."""
        return base64.b64decode(self.values, validate=True)

    @classmethod
    def of(cls, model: str, data: bytes) -> "Embedding":
        """From values of two bytes each, as `data` gives them."""
        return cls(model=model, values=base64.b64encode(data).decode())

    @property
    def floats(self) -> tuple[float, ...]:
        data = self.data
        return struct.unpack(f"<{len(data) // 2}e", data)


class FeedbackScored(Wire):
    accepted: FeedbackAccepted
    score: Score
    scored_at: Instant
    embedding: Embedding | None = None
    """None where the model gives none, or nothing was said."""


class PolicyActivated(Wire):
    """A tenant's policy is in force from now on; `text` is the whole of it. None: the deployment's own again.

    Announced again now and then, so that whoever starts late learns it too.
    """

    kind: Literal["severity", "taxonomy"]
    version: str
    text: str | None = None
    at: Instant


class FeedbackCorrected(Wire):
    """What a person said the root causes of a feedback are. `right` and `wrong` are domain/category paths.

    `right` None leaves open what is right; `taken_back` true: as if nobody had said anything.
    """

    feedback_id: str
    right: tuple[str, ...] | None = None
    wrong: tuple[str, ...] = ()
    taken_back: bool = False
    embedding: Embedding | None = None
    at: Instant


class ShadowReading(Wire):
    """What one model made of a feedback, in numbers; nothing that the customer said."""

    model: ModelRef
    status: ScoreStatus
    label: Sentiment
    score: Signed
    abstained: bool
    severity: float
    band: Band
    cause: str | None = None
    """domain/category; None where it is unclear."""
    cues: tuple[str, ...] = ()
    """Names, each once."""


class FeedbackShadowed(Wire):
    """A feedback that a candidate read beside the model in force. Nobody acts on the candidate's reading.

    `status` of the candidate is degraded where it failed and the fallback read in its place.
    """

    feedback_id: str
    revision: int
    pass_number: int = 1
    source: str
    language: str
    accepted_at: Instant
    active: ShadowReading
    candidate: ShadowReading


class ItemRef(Wire):
    id: str
    team: str


class LoopRef(Wire):
    id: str
    state: LoopState
    at: Instant


class FeedbackRouted(Wire):
    """Router's answer to one scored event; settles the ledger. Announced again on every redelivery."""

    feedback_id: str
    revision: int
    pass_number: int = 1
    item: ItemRef
    score: Score
    scored_at: Instant
    routed_at: Instant
    loop: LoopRef | None = None


class FeedbackRejected(Wire):
    """A record on the Kafka door that could not be accepted; its bytes are in the dead letters."""

    dead_letter_id: str
    reason: str
    errors: tuple[dict[str, str], ...] = ()
    topic: str
    partition: int
    offset: int
    rejected_at: Instant


class DeadLetter(Wire):
    """A record no service could handle, bytes untouched (base64), with where and why it failed."""

    id: str
    service: str
    version: str
    topic: str
    partition: int
    offset: int
    key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    value: str
    error: str
    reason: str
    attempts: int
    failed_at: Instant
    tenant_id: str | None = None
    subject: str | None = None
    event_id: str | None = None


class ItemChanged(Wire):
    """One entry of an item's event log, with the item's face after it."""

    item_id: str
    sequence: int
    change: str
    state: ItemState
    team: str
    assignee: str | None = None
    band: Band
    severity: float
    domain: str | None = None
    category: str | None = None
    title: str
    actor: str
    reason: str | None = None
    at: Instant


class CustomerStanding(Wire):
    """How a customer stands with us, in numbers; told whenever one of them changed. `counter` grows with
    every announcement about a customer: of two, the one with the later `at`, then the greater counter, holds.

    `transfers`, `broken_promises` and `breaches` are of the last 180 days.
    """

    customer_id: str
    counter: int
    at: Instant
    open_items: Annotated[int, Field(ge=0)]
    transfers: Annotated[int, Field(ge=0)]
    open_promises: Annotated[int, Field(ge=0)]
    broken_promises: Annotated[int, Field(ge=0)]
    breaches: Annotated[int, Field(ge=0)]


class LoopChanged(Wire):
    """One step of one customer's loop. `round` grows when the matter is taken up again after an answer.
    `reason` is in our own words, never in a colleague's; `code` says the same to machines."""

    loop_id: str
    item_id: str
    customer_id: str | None = None
    feedback_ids: tuple[str, ...] = Field(default_factory=tuple)
    round: int = 1
    state: LoopState
    code: str | None = None
    reason: str | None = None
    at: Instant
