"""One message to one customer, and where it stands. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from heardback_router.messages.domain import MessageFacts, Sensitivity, Step
from heardback_shared.contact.domain import Channel, Purpose

MessageState = Literal["waiting", "paused", "handed", "sent", "failed", "refused", "cancelled"]
"""`waiting` for its time, `paused` by a person, `handed` to a channel and not yet there, `sent`: a channel
has it for the customer; `failed`: no channel could, `refused`: the customer may not be told."""

MOST_IDS = 10
"""So many loops and items of one message are named to a channel at most; all are behind `details_url`."""

ENDED: frozenset[MessageState] = frozenset({"sent", "failed", "refused", "cancelled"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that should reach a customer. Under one `id` it reaches them at most once, however often it
    is handed in; ids are derived from what the message is about."""

    id: str
    customer_id: str
    step: Step
    facts: MessageFacts
    item_ids: tuple[str, ...] = ()
    loop_ids: tuple[str, ...] = ()
    feedback_ids: tuple[str, ...] = ()
    purpose: Purpose = "case_updates"
    sensitivity: Sensitivity = "standard"
    critical: bool = False
    automatic: bool = True
    campaign_id: str | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    """After this it is of no use any more and is cancelled instead."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a message stands. `reason` is in plain words, `code` for machines."""

    id: str
    state: MessageState
    at: datetime
    due_at: datetime | None = None
    channel: Channel | None = None
    code: str | None = None
    reason: str | None = None
