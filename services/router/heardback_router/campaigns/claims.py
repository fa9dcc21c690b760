"""Whether a campaign may be sent: what it claims, what that rests on, and what it must not say. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from heardback_router.backlog.duties import Promise
from heardback_router.campaigns.domain import ChangeRecord
from heardback_router.campaigns.guard import AWAY, Guarded, contacts_in, leaks
from heardback_router.campaigns.people import Person
from heardback_router.campaigns.promising import unregistered
from heardback_router.loops.telling import Stakes, TellingPolicy, decide, sensitivity_of
from heardback_router.messages.checking import found_in
from heardback_router.messages.rendering import MessagesPolicy
from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band

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


MOST_WORDS = 10_000
"""Characters that all changes told to one person may have together; a whole message may be twice as long."""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An item of a campaign, as far as it bears on what may be said. `cues` are those of its feedback."""

    id: str
    state: ItemState
    band: Band = "P4"
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
        return sensitivity_of(self.cues) == "sensitive"

    def stakes(self, customers: int) -> Stakes:
        """What the telling policy is asked, for so many people; the words are a person's own."""
        return Stakes("told", self.band, self.domain, self.tier, self.cues, customers, written=True)


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
        *unfinished(items, changes),
        *_wording(changes, messages, at),
        *_too_long(changes, people),
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


def unfinished(items: Sequence[ItemFacts], changes: Sequence[ChangeRecord]) -> Iterator[Refusal]:
    """Work that must be done before anybody is told of it."""
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
        texts = list(texts_of(change))
        for found in found_in(texts, messages, at, frozenset({change.result})):
            if found.finding.refuses:
                yield Refusal("text", found.pointer, f"{found.finding.rule}: {found.finding.detail}")
        for pointer, _, text in texts:
            for what in contacts_in(text, messages.may_name):
                yield Refusal("text", pointer, AWAY.format(what))


def _too_long(changes: Sequence[ChangeRecord], people: Sequence[Person]) -> Iterator[Refusal]:
    length = {change.id: max(len(text) for _, _, text in texts_of(change)) for change in changes}
    longest = max((sum(length[one] for one in person.change_ids) for person in people), default=0)
    if longest > MOST_WORDS:
        detail = (
            f"somebody with several matters would read {longest} characters at once, and {MOST_WORDS} is the "
            "limit; tell them in several campaigns, or in fewer words"
        )
        yield Refusal("text", "/changes", detail)


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
            rules = messages.rules_for(language)
            for found in unregistered(text, rules, promises, at, told, translated=language is not None):
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
    telling: TellingPolicy,
    messages: str,
) -> dict[str, Any]:
    """What an approval rests on: whether a second person is needed and why, who is told and who is not and
    why, on whose word the claims stand, and how each item is spoken of: as JSON, to be decided again from."""
    to_tell = sum(1 for person in people if person.code is None)
    asked = {item.id: item.stakes(to_tell) for item in items}
    decided = {item_id: decide(stakes, telling) for item_id, stakes in asked.items()}
    because = [f"{item_id}: {one.because}" for item_id, one in decided.items() if one.way != "automatic"]
    return {
        "second_person": bool(because),
        "because": because,
        "to_tell": to_tell,
        "excluded": dict(Counter(person.code for person in people if person.code is not None)),
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
            item.id: {
                "state": item.state,
                "about": item.about,
                "sensitive": item.sensitive,
                "stakes": asked[item.id].record,
                "rule": decided[item.id].rule,
            }
            for item in items
        },
        "policies": {"telling": telling.name, "messages": messages},
    }
