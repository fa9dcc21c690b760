"""The life of one invitation: kept place → sent → seen → answered, or released, or expired."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from heardback_ingest.domain.surveys.facts import Invitation

Step = Literal["sent", "seen", "answered", "released", "expired"]
Outcome = Literal["done", "already", "late", "refused"]
REACHED = ("sent", "seen", "answered")


@dataclass(frozen=True, slots=True)
class Moved:
    """The invitation after it. `late`: it was sent although its place was given up before; what was sent
    counts as sent. `refused`: what was sent cannot be released."""

    invitation: Invitation
    outcome: Outcome


def move(invitation: Invitation, step: Step, at: datetime, now: datetime) -> Moved:
    """`at`: when it happened, `now`: when it is told. In whatever order the steps that reach the customer are
    told, and however often, the same invitation comes out.

    Seen means that it was sent, and answered that it was seen, even where nobody said so.
    """
    if step == "released":
        return _released(invitation)
    if step == "expired":
        return _expired(invitation, now)
    sent_at = _earliest(invitation.sent_at, at)
    seen_at = _earliest(invitation.seen_at, at) if step != "sent" else invitation.seen_at
    answered_at = _earliest(invitation.answered_at, at) if step == "answered" else invitation.answered_at
    state: Literal["sent", "seen", "answered"] = "sent"
    if answered_at is not None:
        state = "answered"
    elif seen_at is not None:
        state = "seen"
    after = replace(invitation, state=state, sent_at=sent_at, seen_at=seen_at, answered_at=answered_at)
    if after == invitation:
        return Moved(invitation, "already")
    lapsed = invitation.state in {"released", "expired"}
    lapsed |= invitation.state == "reserved" and now >= invitation.expires_at
    return Moved(after, "late" if lapsed else "done")


def _released(invitation: Invitation) -> Moved:
    if invitation.state == "reserved":
        return Moved(replace(invitation, state="released"), "done")
    return Moved(invitation, "refused" if invitation.state in REACHED else "already")


def _expired(invitation: Invitation, now: datetime) -> Moved:
    if invitation.state == "reserved" and now >= invitation.expires_at:
        return Moved(replace(invitation, state="expired"), "done")
    return Moved(invitation, "already")


def _earliest(known: datetime | None, told: datetime) -> datetime:
    return told if known is None else min(known, told)
