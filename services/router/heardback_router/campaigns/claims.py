"""Whether a campaign may be sent: what it claims, what that rests on, and what it must not say. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from heardback_router.backlog.duties import Promise
from heardback_router.campaigns.domain import ChangeRecord
from heardback_router.campaigns.guard import Guarded, leaks
from heardback_router.campaigns.people import Person
from heardback_router.campaigns.promising import unregistered
from heardback_router.messages.lint import look
from heardback_router.messages.rendering import MessagesPolicy
from heardback_shared.contracts.events import ItemState

RefusalCode = Literal[
    "no_change",
    "unknown_change",
    "change_of_no_item",
    "not_reviewed",
    "item_open",
    "child_open",
    "text",
    "leak",
    "promise",
]
UNRESOLVED: frozenset[ItemState] = frozenset({"open", "in_progress"})
SECOND_PERSON_FROM = 25
"""With so many to tell, or more, a second person approves."""
HIGH_STAKES_CUES = frozenset({"safety", "legal_or_press_threat"})
HIGH_STAKES_DOMAINS = frozenset({"safety", "legal"})
HIGH_STAKES_TIER = "strategic"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An item of a campaign, as far as it bears on what may be said. `cues` are those of its feedback."""

    id: str
    state: ItemState
    domain: str | None = None
    category: str | None = None
    tier: str | None = None
    open_children: tuple[str, ...] = ()
    promises: tuple[Promise, ...] = ()
    cues: frozenset[str] = frozenset()

    @property
    def about(self) -> str | None:
        return f"{self.domain}/{self.category}" if self.domain and self.category else self.domain

    @property
    def sensitive(self) -> bool:
        """Told plainly and without cheer."""
        return self.domain in HIGH_STAKES_DOMAINS or bool(self.cues & HIGH_STAKES_CUES)

    @property
    def high_stakes(self) -> str | None:
        """Why a message about it needs a second person, if it does."""
        if self.domain in HIGH_STAKES_DOMAINS:
            return f"{self.id} is about {self.domain}"
        if cues := sorted(self.cues & HIGH_STAKES_CUES):
            return f"{self.id} has feedback with the cue {', '.join(cues)}"
        return f"{self.id} has a strategic customer" if self.tier == HIGH_STAKES_TIER else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why it cannot be sent, where, and how to mend it. The text that must not be seen is never quoted."""

    code: RefusalCode
    pointer: str
    detail: str


def refusals(
    items: Sequence[ItemFacts],
    change_ids: Sequence[str],
    changes: Sequence[ChangeRecord],
    people: Sequence[Person],
    guarded: Iterable[Guarded],
    messages: MessagesPolicy,
    at: datetime,
) -> tuple[Refusal, ...]:
    """Everything that keeps it from being sent; empty if nothing does."""
    told = frozenset(
        stake.customer_id for one in people for stake in one.stakes if one.code is None and stake.customer_id
    )
    return (
        *_lacking(items, change_ids, changes),
        *_unfinished(items, changes),
        *_wording(changes, messages, at),
        *_leaking(changes, guarded, told),
        *_promising(items, changes, messages, at, told),
    )


def _lacking(
    items: Sequence[ItemFacts], change_ids: Sequence[str], changes: Sequence[ChangeRecord]
) -> Iterator[Refusal]:
    if not change_ids:
        yield Refusal("no_change", "/changes", "names no change record; every claim rests on one")
    known = {change.id for change in changes}
    for number, change_id in enumerate(change_ids):
        if change_id not in known:
            yield Refusal("unknown_change", f"/changes/{number}", f"there is no change {change_id}")
    ids = {item.id for item in items}
    for number, change in _placed(change_ids, changes):
        if not ids & set(change.item_ids):
            yield Refusal(
                "change_of_no_item", f"/changes/{number}", f"{change.id} is about none of these items"
            )
        if change.reviewed_by is None:
            detail = (
                f"{change.id} was reviewed by nobody; POST /v1/changes/{change.id}:review as somebody else"
            )
            yield Refusal("not_reviewed", f"/changes/{number}", detail)
    about = {item_id for change in changes for item_id in change.item_ids}
    for number, item in enumerate(items):
        if changes and item.id not in about:
            detail = f"no change record is about {item.id}; add one, or leave the item out"
            yield Refusal("no_change", f"/items/{number}", detail)


def _unfinished(items: Sequence[ItemFacts], changes: Sequence[ChangeRecord]) -> Iterator[Refusal]:
    for number, item in enumerate(items):
        if item.open_children:
            listed = ", ".join(item.open_children)
            detail = f"work on {item.id} is not done: {listed} must be resolved first"
            yield Refusal("child_open", f"/items/{number}", detail)
        claimed = {change.result for change in changes if item.id in change.item_ids}
        if item.state in UNRESOLVED and claimed - {"partial"}:
            detail = f"{item.id} is {item.state}; resolve it first, or say that it is changed in part"
            yield Refusal("item_open", f"/items/{number}", detail)


def _wording(changes: Sequence[ChangeRecord], messages: MessagesPolicy, at: datetime) -> Iterator[Refusal]:
    for change in changes:
        for pointer, language, text in texts_of(change):
            rules = messages.texts_for(language).lint
            for finding in look(text, rules, at, frozenset({change.result})):
                if finding.refuses:
                    yield Refusal("text", pointer, f"{finding.rule}: {finding.detail}")


def _leaking(
    changes: Sequence[ChangeRecord], guarded: Iterable[Guarded], told: frozenset[str]
) -> Iterator[Refusal]:
    places = [(pointer, text) for change in changes for pointer, _, text in texts_of(change)]
    # Where more than one customer reads it, nobody's feedback may be quoted.
    readers = told if len(told) == 1 else frozenset[str]()
    seen = set()
    own = [Guarded("internal", change.item_ids[0], change.what.text) for change in changes]
    for number, one in leaks([text for _, text in places], [*own, *guarded], readers):
        pointer = places[number][0]
        if (pointer, one.kind, one.item_id) in seen:
            continue
        seen.add((pointer, one.kind, one.item_id))
        whose = "a note for colleagues" if one.kind == "internal" else "a customer's feedback"
        detail = f"repeats words of {whose} on {one.item_id}; say it in words made for customers"
        yield Refusal("leak", pointer, detail)


def _promising(
    items: Sequence[ItemFacts],
    changes: Sequence[ChangeRecord],
    messages: MessagesPolicy,
    at: datetime,
    told: frozenset[str],
) -> Iterator[Refusal]:
    for change in changes:
        promises = [p for item in items if item.id in change.item_ids for p in item.promises]
        for pointer, language, text in texts_of(change):
            rules = messages.texts_for(language).lint
            for found in unregistered(text, rules, promises, at, told):
                detail = (
                    f"“{found.what}” promises something, and {found.because}; take it out, or record the "
                    "promise with POST /v1/items/{id}/promises first"
                )
                yield Refusal("promise", pointer, detail)


def texts_of(change: ChangeRecord) -> Iterator[tuple[str, str | None, str]]:
    """(pointer, language or None for the one everybody else reads, text)."""
    yield f"/changes/{change.id}/tell", None, change.tell.text
    for language, said in change.translations:
        yield f"/changes/{change.id}/translations/{language}", language, said.text


def _placed(change_ids: Sequence[str], changes: Sequence[ChangeRecord]) -> Iterator[tuple[int, ChangeRecord]]:
    places = {change_id: number for number, change_id in enumerate(change_ids)}
    yield from ((places[change.id], change) for change in changes)


def decision_on(
    items: Sequence[ItemFacts],
    changes: Sequence[ChangeRecord],
    people: Sequence[Person],
    policies: Mapping[str, str],
) -> dict[str, Any]:
    """What an approval rests on: whether a second person is needed and why, who is told and who is not and
    why, on whose word the claims stand, and how each item is spoken of. As JSON."""
    to_tell = sum(1 for person in people if person.code is None)
    because = [why for item in items if (why := item.high_stakes) is not None]
    if to_tell >= SECOND_PERSON_FROM:
        because.append(f"{to_tell} people are told, and from {SECOND_PERSON_FROM} on two people look at it")
    excluded: dict[str, int] = {}
    for person in people:
        if person.code is not None:
            excluded[person.code] = excluded.get(person.code, 0) + 1
    return {
        "second_person": bool(because),
        "because": because,
        "to_tell": to_tell,
        "excluded": excluded,
        "changes": [
            {
                "id": change.id,
                "result": change.result,
                "tell": change.tell.text,
                "recorded_by": change.recorded_by,
                "reviewed_by": change.reviewed_by,
            }
            for change in changes
        ],
        "items": {
            item.id: {"state": item.state, "about": item.about, "sensitive": item.sensitive} for item in items
        },
        "policies": dict(policies),
    }
