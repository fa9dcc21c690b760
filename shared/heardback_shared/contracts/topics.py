"""Every topic, in one table. Topics are created from it and never by the broker on its own."""

from dataclasses import dataclass

from pydantic import BaseModel

from heardback_shared.contracts import events
from heardback_shared.contracts.customer import CustomerUpdated
from heardback_shared.contracts.feedback import SurveyIn, TranscriptIn


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    says: str
    types: tuple[tuple[str, type[BaseModel]], ...]
    partitions: int = 6
    retention_hours: int = 168
    key: str = "customer"
    compacted: bool = False
    """The latest record of each key is kept for good, and `retention_hours` counts nothing."""


SUBMITTED = Topic(
    "feedback.submitted",
    "Feedback handed in over Kafka instead of HTTP. Anyone may produce.",
    ((events.SURVEY_SUBMITTED, SurveyIn), (events.TRANSCRIPT_SUBMITTED, TranscriptIn)),
)
ACCEPTED = Topic(
    "feedback.accepted",
    "Feedback that is in the ledger, redacted, with the customer as known then.",
    ((events.FEEDBACK_ACCEPTED, events.FeedbackAccepted),),
)
SCORED = Topic(
    "feedback.scored",
    "Accepted feedback with its score.",
    ((events.FEEDBACK_SCORED, events.FeedbackScored),),
)
SHADOWED = Topic(
    "feedback.shadowed",
    "What a candidate model made of feedback beside the one in force; numbers only.",
    ((events.FEEDBACK_SHADOWED, events.FeedbackShadowed),),
    retention_hours=24,
    key="feedback",
)
ROUTED = Topic(
    "feedback.routed",
    "Which item and team a feedback went to; settles the ledger.",
    ((events.FEEDBACK_ROUTED, events.FeedbackRouted),),
)
REJECTED = Topic(
    "feedback.rejected",
    "Records on feedback.submitted that could not be accepted, with the reason.",
    ((events.FEEDBACK_REJECTED, events.FeedbackRejected),),
    partitions=1,
    key="dead letter",
)
DEAD = Topic(
    "feedback.dead",
    "Records a service could not handle after every retry, bytes untouched.",
    ((events.FEEDBACK_DEAD, events.DeadLetter),),
    partitions=1,
    key="dead letter",
)
BACKLOG = Topic(
    "backlog.changed",
    "Every change of an item or a loop, in order per item.",
    (
        (events.ITEM_OPENED, events.ItemChanged),
        (events.ITEM_FED, events.ItemChanged),
        (events.ITEM_CHANGED, events.ItemChanged),
        (events.LOOP_CHANGED, events.LoopChanged),
    ),
    key="item",
)

JUDGEMENT = Topic(
    "judgement.changed",
    "What tenants and their people teach scoring: policies in force and corrected root causes.",
    (
        (events.POLICY_ACTIVATED, events.PolicyActivated),
        (events.FEEDBACK_CORRECTED, events.FeedbackCorrected),
    ),
    partitions=1,
    key="tenant and policy kind, or tenant and feedback",
    compacted=True,
)

STANDING = Topic(
    "customer.standing",
    "How each customer stands with us: open items, transfers, promises, breaches. The last one holds.",
    ((events.CUSTOMER_STANDING, events.CustomerStanding),),
    compacted=True,
)

UPDATED = Topic(
    "customer.updated",
    "Facts about customers, told by CRM, billing and the like. Anyone may produce.",
    ((events.CUSTOMER_UPDATED, CustomerUpdated),),
)

ALL = (SUBMITTED, ACCEPTED, SCORED, SHADOWED, ROUTED, REJECTED, DEAD, BACKLOG, JUDGEMENT, STANDING, UPDATED)
