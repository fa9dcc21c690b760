"""Turns decisions into what is kept, given to channels and counted. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from heardback_router.messages.rendering import MessagesPolicy, render
from heardback_router.outreach.basis import to_plain
from heardback_router.outreach.channels import OpenChannels, Ready
from heardback_router.outreach.deciding import Asked, Decision, Due, End, Hand, Wait
from heardback_router.outreach.links import MessageAddresses
from heardback_router.outreach.payload import Part
from heardback_router.outreach.store import Change, Kept
from heardback_shared.contact.domain import Recipient, Touch

NOT_WRITTEN = timedelta(minutes=10)


@dataclass
class Round:
    """What one transaction decided."""

    tenant_id: str
    rules: str
    stopped: str | None
    at: datetime
    changes: list[Change] = field(default_factory=list)
    ready: list[Ready] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)

    def basis(self, asked: Asked | None) -> dict[str, Any]:
        if asked is None:
            return {"at": self.at.isoformat()}
        return to_plain(asked.recipient, asked.ask, asked.touches, self.rules, self.stopped, self.at)


def write(
    found: Round,
    decisions: Sequence[Decision],
    kept: Sequence[Kept],
    recipients: Mapping[str, Recipient],
    open_: OpenChannels,
    texts: MessagesPolicy,
    addresses: MessageAddresses,
) -> None:
    """Adds the decisions about one person to `found`."""
    by_id = {one.draft.id: one for one in kept}
    for decision in decisions:
        match decision:
            case Wait(due, at, code, because, asked):
                basis = found.basis(asked)
                one = by_id[due.draft.id]
                found.changes.append(Change(one, "waiting", code, because, at, basis=basis))
            case End(due, state, code, because, asked):
                basis = found.basis(asked)
                found.changes.append(Change(by_id[due.draft.id], state, code, because, basis=basis))
            case Hand():
                recipient = recipients[decision.due[0].draft.customer_id]
                for hand in _apart(decision, recipient, open_):
                    _hand(found, hand, by_id, recipient, texts, addresses)


def _apart(hand: Hand, recipient: Recipient, open_: OpenChannels) -> list[Hand]:
    """A digest on a channel that takes none goes out as single messages; it is one touch all the same."""
    if len(hand.due) == 1 or open_.together(hand.channel, recipient):
        return [hand]
    pairs = zip(hand.due, hand.asked, strict=True)
    return [Hand((due,), hand.channel, hand.touch, (asked,)) for due, asked in pairs]


def _hand(
    found: Round,
    hand: Hand,
    by_id: Mapping[str, Kept],
    recipient: Recipient,
    texts: MessagesPolicy,
    addresses: MessageAddresses,
) -> None:
    parts: list[tuple[Part, Due, Asked]] = []
    for due, asked in zip(hand.due, hand.asked, strict=True):
        try:
            parts.append((_part(found, due, recipient, texts, addresses), due, asked))
        except Exception as error:  # whatever a template does: the person's other messages go out
            because = f"Its text could not be made ({type(error).__name__}); it is tried again."
            at = found.at + NOT_WRITTEN
            found.changes.append(Change(by_id[due.draft.id], "waiting", "not_written", because, at))
    if not parts:
        return
    ready = Ready(recipient, hand.channel, tuple(part for part, _, _ in parts), hand.touch.id)
    found.ready.append(ready)
    if all(touch.id != hand.touch.id for touch in found.touches):
        found.touches.append(hand.touch)
    handover_id = ready.handover_id(found.tenant_id)
    together = [part.draft.id for part, _, _ in parts]
    for part, due, asked in parts:
        basis = found.basis(asked)
        basis["language"] = {"wanted": recipient.language, "used": part.rendered.language}
        basis["template"] = part.rendered.template
        basis["together"] = together if len(together) > 1 else []
        reason = _reason(hand, part, recipient, len(together))
        found.changes.append(
            Change(
                by_id[due.draft.id],
                "handed",
                "handed",
                reason,
                channel=hand.channel,
                handover_id=handover_id,
                basis=basis,
            )
        )


def _part(
    found: Round, due: Due, recipient: Recipient, texts: MessagesPolicy, addresses: MessageAddresses
) -> Part:
    draft = due.draft
    links = addresses.links(found.tenant_id, draft, found.at)
    rendered = render(
        texts, draft.step, draft.sensitivity, recipient.language, draft.facts, links, recipient.time_zone
    )
    return Part(draft, rendered, links)


def _reason(hand: Hand, part: Part, recipient: Recipient, together: int) -> str:
    said = f"Given to {hand.channel}"
    if together > 1:
        said += f" in a digest of {together}"
    wanted, used = recipient.language, part.rendered.language
    if wanted and wanted.lower().partition("-")[0] != used.partition("-")[0]:
        said += f", in {used}: there are no texts in {wanted}"
    return said + "."
