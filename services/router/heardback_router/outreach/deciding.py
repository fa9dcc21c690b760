"""Which of one person's messages go out now, together or alone, and which wait or never do. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from heardback_router.outreach.domain import Draft
from heardback_router.outreach.states import comes_before, says_the_same
from heardback_shared.contact.domain import (
    Ask,
    Channel,
    ContactRules,
    Later,
    Never,
    Now,
    Recipient,
    Touch,
    Verdict,
)
from heardback_shared.contact.verdict import verdict

BEHIND = timedelta(minutes=5)
"""How long a message waits before it is looked at again whether the one before it has arrived."""
LOOK_AGAIN = timedelta(minutes=15)
DOWN_AT_MOST = timedelta(days=5)
"""So long a message waits for a channel that was disabled, and no other is there."""

MOST_TOGETHER = 20

AskVerdict = Callable[[Recipient, Ask, Sequence[Touch], datetime], Verdict]


@dataclass(frozen=True, slots=True)
class Due:
    """A message up for decision. `tried` are channels that could not take it, `closed` those that cannot be
    used here, and why; `down`: one of these may come back. `behind`: an earlier step of its loops is with a
    channel and not there yet."""

    draft: Draft
    since: datetime
    tried: tuple[Channel, ...] = ()
    behind: bool = False
    closed: Mapping[Channel, str] = field(default_factory=dict)
    down: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a verdict was given from."""

    recipient: Recipient
    ask: Ask
    touches: tuple[Touch, ...]


@dataclass(frozen=True, slots=True)
class Hand:
    """To one channel, now; several together are a digest. `touch` counts once for all of them; `asked` is in
    the order of `due`."""

    due: tuple[Due, ...]
    channel: Channel
    touch: Touch
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    due: Due
    at: datetime
    code: str
    because: str
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class End:
    due: Due
    state: Literal["refused", "cancelled", "failed"]
    code: str
    because: str
    asked: Asked | None = None


Decision = Hand | Wait | End


def decide(
    due: Sequence[Due],
    recipients: Mapping[str, Recipient],
    touches: Sequence[Touch],
    ask: AskVerdict,
    now: datetime,
    heard: Sequence[Draft] = (),
) -> list[Decision]:
    """One decision for every message of one person. `recipients` are by customer id, with only those channels
    that can be used; `touches` those of the person, and `heard` what went out to them before."""
    left: list[Due] = []
    decisions: list[Decision] = []
    for one in sorted(due, key=lambda d: (not d.draft.critical, d.since, d.draft.id)):
        ended = _of_no_use(one, due, now)
        if ended:
            decisions.append(ended)
        else:
            left.append(one)
    alone = [one for one in left if not _in_digest(one.draft, recipients)]
    together = [one for one in left if _in_digest(one.draft, recipients)]
    counted, going = list(touches), list(heard)
    for one in alone:
        decision = _once(_decided(one, recipients[one.draft.customer_id], counted, ask, now), going)
        if isinstance(decision, Hand):
            counted.append(decision.touch)
        decisions.append(decision)
    # What goes out together is one touch: none of it stands in the way of the rest.
    bundled = [
        _once(_decided(one, recipients[one.draft.customer_id], touches, ask, now), going) for one in together
    ]
    decisions.extend(_bundled(bundled, now))
    return decisions


def _once(decision: Decision, going: list[Draft]) -> Decision:
    """What goes out is added to `going`. Two ids that have become one person hear one thing once."""
    if not isinstance(decision, Hand):
        return decision
    (one,) = decision.due
    if any(says_the_same(one.draft, other) for other in going):
        because = "The same person hears this under another of their ids."
        return End(one, "cancelled", "same_person", because, decision.asked[0])
    going.append(one.draft)
    return decision


def by_rules(rules: ContactRules, stopped: str | None) -> AskVerdict:
    return lambda recipient, ask, touches, now: verdict(recipient, ask, touches, rules, now, stopped)


def asked(draft: Draft, recipient: Recipient) -> Ask:
    """A message about several matters is refused for an item only where the customer refused all of them."""
    wanted = [item for item in draft.item_ids if item not in recipient.refused_items]
    item_id = (wanted or draft.item_ids or (None,))[0]
    return Ask(draft.purpose, item_id, draft.critical, draft.automatic)


def still(draft: Draft, recipient: Recipient, channel: Channel, ask: AskVerdict, now: datetime) -> Verdict:
    """Whether what was handed to a channel may still go out by it at this moment, hours later.

    The message has its place under the caps already and its digest was due: what counts are the customer's
    wishes, quiet hours, and whether machines may write at all."""
    if channel not in recipient.channels:
        return Never("no_channel", f"The customer is not to be reached by {channel} any more.")
    alone = replace(recipient, channels=(channel,), digest="none")
    return ask(alone, asked(draft, recipient), (), now)


def _of_no_use(one: Due, all_due: Sequence[Due], now: datetime) -> End | None:
    if _expired(one.draft, now):
        return End(one, "cancelled", "expired", "It was of no use any more when it could have gone out.")
    for other in all_due:
        if _expired(other.draft, now) or other.since < one.since:
            continue
        if comes_before(one.draft, other.draft):
            return End(
                one,
                "cancelled",
                "superseded",
                f"A later message about the same matter goes out instead ({other.draft.step}).",
            )
    return None


def _expired(draft: Draft, now: datetime) -> bool:
    return draft.expires_at is not None and draft.expires_at <= now


def _in_digest(draft: Draft, recipients: Mapping[str, Recipient]) -> bool:
    return (
        recipients[draft.customer_id].digest != "none"
        and draft.purpose == "case_updates"
        and not draft.critical
    )


def _decided(
    one: Due, recipient: Recipient, touches: Sequence[Touch], ask: AskVerdict, now: datetime
) -> Decision:
    draft = one.draft
    if one.behind:
        return Wait(
            one, now + BEHIND, "in_order", "An earlier message about the same matter is still on its way."
        )
    channels = tuple(c for c in recipient.channels if c not in one.tried and c not in one.closed)
    basis = Asked(replace(recipient, channels=channels), asked(draft, recipient), tuple(touches))
    said = ask(basis.recipient, basis.ask, touches, now)
    if one.tried and not channels and not _refuses(said):
        because = f"Not taken by {', '.join(one.tried)}; no other channel is left."
        return End(one, "failed", "no_channel_left", because, basis)
    match said:
        case Now(channel):
            touch = Touch(draft.id, recipient.person_id, draft.purpose, channel, draft.automatic, now)
            return Hand((one,), channel, touch, (basis,))
        case Later(at, code, because):
            until = min(at, draft.expires_at) if draft.expires_at else at
            return Wait(one, until, code, because, basis)
        case Never("no_channel", _) if one.down and now < one.since + DOWN_AT_MOST:
            because = f"A channel is down and may come back.{_closed(one)}"
            return Wait(one, now + LOOK_AGAIN, "channel_down", because, basis)
        case Never(code, because):
            because += _closed(one) if code == "no_channel" else ""
            return End(one, "refused", code, because, basis)


def _refuses(said: Verdict) -> bool:
    """Whether it is the customer who does not want it, whatever the channels."""
    return isinstance(said, Never) and said.code != "no_channel"


def _closed(one: Due) -> str:
    if not one.closed:
        return ""
    return " Not to be used here: " + "; ".join(f"{c} ({why})" for c, why in one.closed.items()) + "."


def _bundled(decisions: Sequence[Decision], now: datetime) -> Iterator[Decision]:
    bundles: dict[tuple[str, Channel], list[Hand]] = {}
    for decision in decisions:
        if isinstance(decision, Hand):
            key = decision.due[0].draft.customer_id, decision.channel
            bundles.setdefault(key, []).append(decision)
        else:
            yield decision
    for found in bundles.values():
        hands, rest = found[:MOST_TOGETHER], found[MOST_TOGETHER:]
        for hand in rest:
            yield Wait(hand.due[0], now + BEHIND, "digest", "The digest is full; this comes with the next.")
        automatic = any(hand.touch.automatic for hand in hands)
        due = tuple(hand.due[0] for hand in hands)
        basis = tuple(hand.asked[0] for hand in hands)
        yield Hand(due, hands[0].channel, replace(hands[0].touch, automatic=automatic), basis)
