"""What a customer wishes, out of all that was ever told about it. Pure.

One preference may be told by several sources. Stated beats observed beats inferred, whatever their age; among
equals, newer beats older. Refusals follow rules of their own: a withdrawal counts whoever tells it, only a
later consent that the customer stated, with proof, undoes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Literal, get_args

from heardback_shared.contact.domain import (
    Card,
    Channel,
    Digest,
    Provenance,
    Purpose,
    QuietHours,
    Recipient,
    Touch,
)
from heardback_shared.contact.local_time import zone_or_none

Wish = Literal["channels", "language", "time_zone", "quiet_hours", "digest"]
Scope = Literal["everything", "case_updates", "surveys", "profiling"]

_STRENGTH: Mapping[Provenance, int] = {"inferred": 0, "observed": 1, "stated": 2}
ALLOWED_BY_DEFAULT: frozenset[Purpose] = frozenset({"case_updates", "surveys"})
"""Telling people what became of what they said answers them; profiling needs their consent."""

_FACTS: frozenset[Wish] = frozenset({"language", "time_zone"})
"""Wishes that are facts as well: who has none of their own goes by what else is known."""

NEEDS_ADDRESS: frozenset[Channel] = frozenset({"email", "sms"})
USUAL_CHANNELS: tuple[Channel, ...] = ("webhook", "email")
"""For who has no wish: the tenant's own system first, then e-mail where an address is known."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One source's word on one wish, in JSON values. `value` None: no wish of their own. `owner` is who
    answers for it."""

    name: Wish
    value: Any
    provenance: Provenance
    source: str
    confirmed_at: datetime
    owner: str | None = None
    refresh_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """One line of the consent ledger. `item_id` narrows `case_updates` to one matter; `proved`: it came with
    proof of what the customer did."""

    id: str
    scope: Scope
    given: bool
    provenance: Provenance
    source: str
    at: datetime
    item_id: str | None = None
    channel: str | None = None
    text_version: str | None = None
    proved: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """All that is kept about reaching one customer, over all ids of the person. `touches` only where they
    were asked for."""

    customer_id: str
    card: Card | None = None
    tellings: Sequence[Telling] = ()
    consents: Sequence[Consent] = ()
    addresses: Mapping[Channel, Provenance] = field(default_factory=dict)
    held_because: str | None = None
    touches: Sequence[Touch] = ()


def beats(provenance: Provenance, at: datetime, other: Provenance, other_at: datetime) -> bool:
    """Whether what was told first counts against the other. Neither beats an equal."""
    return (_STRENGTH[provenance], at) > (_STRENGTH[other], other_at)


def in_force(tellings: Iterable[Telling]) -> dict[Wish, Telling]:
    """The telling that counts, by wish; whatever the order in which they came."""
    won: dict[Wish, Telling] = {}
    for telling in sorted(tellings, key=_rank):
        if telling.value is not None or telling.name not in _FACTS:
            won[telling.name] = telling
    return won


def _rank(telling: Telling) -> tuple[int, datetime, str, str]:
    # Source and value only so that of equals always the same one counts.
    return _STRENGTH[telling.provenance], telling.confirmed_at, telling.source, repr(telling.value)


def profile_tellings(card: Card | None) -> list[Telling]:
    """What the profile says of language and zone, as one more source."""
    if card is None:
        return []
    said: dict[Wish, str | None] = {"language": card.language, "time_zone": card.time_zone}
    return [
        Telling(name, value, card.provenance.get(name, "inferred"), "profile", card.at)
        for name, value in said.items()
        if value is not None
    ]


def permitted(consents: Sequence[Consent], purpose: Purpose) -> bool:
    """Whether the customer may be reached for this, by the whole ledger."""
    lines = [c for c in consents if c.item_id is None and c.scope in (purpose, "everything")]
    withdrawn = max((c.at for c in lines if not c.given), default=None)
    if withdrawn is None and purpose in ALLOWED_BY_DEFAULT:
        return True
    return agreed(consents, purpose)


def agreed(consents: Sequence[Consent], purpose: Purpose) -> bool:
    """Whether the customer said that they may be reached for this, provably and not withdrawn since."""
    lines = [c for c in consents if c.item_id is None and c.scope in (purpose, "everything")]
    withdrawn = max((c.at for c in lines if not c.given), default=None)
    return any(_counts(c, purpose) and (withdrawn is None or c.at > withdrawn) for c in lines)


def refused_items(consents: Iterable[Consent]) -> frozenset[str]:
    """Matters of which the customer wants to hear no more."""
    by_item: dict[str, list[Consent]] = {}
    for consent in consents:
        if consent.item_id is not None:
            by_item.setdefault(consent.item_id, []).append(consent)
    return frozenset(item for item, lines in by_item.items() if _left(lines))


def _left(lines: Sequence[Consent]) -> bool:
    withdrawn = max((c.at for c in lines if not c.given), default=None)
    return withdrawn is not None and not any(_counts(c, "case_updates") and c.at > withdrawn for c in lines)


def _counts(consent: Consent, purpose: Purpose) -> bool:
    """Consent is given purpose by purpose, by the customer, provably."""
    return consent.given and consent.scope == purpose and consent.provenance == "stated" and consent.proved


def recipient(told: Told, at: datetime) -> Recipient:
    """As known at `at`: a consent from later does not count yet, a withdrawal always does. A time zone that
    this machine does not have is none: a customer master may say anything, and nobody waits because of it."""
    consents = [c for c in told.consents if not c.given or c.at <= at]
    wishes = in_force([*profile_tellings(told.card), *told.tellings])
    channels, guessed = _channels(wishes.get("channels"), told.addresses)
    card = told.card
    inferred = {_FIELD.get(name, name) for name, t in wishes.items() if t.provenance == "inferred"}
    inferred.discard("channels")
    if card is not None:
        about = ("account_id", "tier", "segment", "region")
        inferred |= {
            f for f in about if getattr(card, f) and card.provenance.get(f, "inferred") == "inferred"
        }
    return Recipient(
        customer_id=told.customer_id,
        person_id=card.person_id if card else told.customer_id,
        channels=channels,
        account_id=card.account_id if card else None,
        language=_value(wishes, "language"),
        time_zone=zone_or_none(_value(wishes, "time_zone")),
        quiet=quiet_hours(_value(wishes, "quiet_hours")),
        digest=_digest(_value(wishes, "digest")),
        refused=frozenset(p for p in get_args(Purpose) if not permitted(consents, p)),
        agreed=frozenset(p for p in get_args(Purpose) if agreed(consents, p)),
        refused_items=refused_items(consents),
        held_because=told.held_because,
        tier=card.tier if card else None,
        segment=card.segment if card else None,
        region=card.region if card else None,
        inferred=frozenset(inferred | ({"channels"} if guessed else set())),
    )


_FIELD: Mapping[str, str] = {"quiet_hours": "quiet"}


def _value(wishes: Mapping[Wish, Telling], name: Wish) -> Any:
    return wishes[name].value if name in wishes else None


def _digest(value: Digest | None) -> Digest:
    return value or "none"


def quiet_hours(value: Mapping[str, str] | None) -> QuietHours | None:
    return QuietHours(time.fromisoformat(value["start"]), time.fromisoformat(value["end"])) if value else None


def _channels(
    wish: Telling | None, addresses: Mapping[Channel, Provenance]
) -> tuple[tuple[Channel, ...], bool]:
    """Those that can be used, in order, and whether one was left out because its address is only guessed.

    A guessed order is no reason to use a channel that nobody asked for.
    """
    wanted = USUAL_CHANNELS
    if wish is not None and wish.value is not None and wish.provenance != "inferred":
        wanted = tuple(wish.value)
    usable = tuple(c for c in wanted if c not in NEEDS_ADDRESS or addresses.get(c, "inferred") != "inferred")
    return usable, any(addresses.get(c) == "inferred" for c in wanted if c in NEEDS_ADDRESS)
