"""The open feedback around what arrives: what was found stored, and what the batch itself adds. Pure.

Empty to begin with, it is a whole index in memory, with the same answers as the stored one searched exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from heardback_router.backlog.domain import Item
from heardback_router.grouping.deciding import Evidence, Hit, Near, Seen, Told
from heardback_router.grouping.domain import (
    GroupingPolicy,
    Matter,
    Similarity,
    case_fingerprint,
    fingerprints_of,
)
from heardback_router.grouping.wording import unlike

Vector = NDArray[np.float32]
ITEMS_PER_FINGERPRINT = 5
"""Of so many items, those that heard last, can a fingerprint or a person's rule choose."""


class Topic(NamedTuple):
    """Words are compared within one: the same root cause, read by the same model."""

    cause: str | None
    model: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Newcomer:
    """A feedback that asks for its place. `vector` only where it may be compared by words."""

    feedback_id: str
    at: datetime
    matter: Matter
    fingerprints: Mapping[str, str]
    case: str | None
    model: str | None = None
    vector: Vector | None = None
    words: str = ""
    """What the customer said; never kept with a decision."""

    @property
    def topic(self) -> Topic:
        return Topic(self.matter.cause, self.model)

    @property
    def asked(self) -> tuple[str, ...]:
        """Every fingerprint it is found by, and finds by."""
        return tuple(dict.fromkeys((*self.fingerprints.values(), *((self.case,) if self.case else ()))))


class Found(NamedTuple):
    """An open feedback with a fingerprint that was asked for."""

    item_id: str
    feedback_id: str
    at: datetime


@dataclass
class Traits:
    """What the feedback of an item names, and which sides of people's rules it is on."""

    named: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    marks: set[str] = field(default_factory=set)

    def add(self, named: Mapping[str, str], marks: Iterable[str]) -> None:
        for name, value in named.items():
            self.named[name].add(value)
        self.marks |= set(marks)


class _Vectors:
    """Vectors that may be compared with each other, in the order they came."""

    def __init__(self, dimension: int) -> None:
        self._rows = np.empty((16, dimension), np.float32)
        self.members: list[Newcomer] = []

    def add(self, vector: Vector, member: Newcomer) -> None:
        if len(self.members) == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[len(self.members)] = vector
        self.members.append(member)

    def similarities(self, vector: Vector) -> NDArray[np.float32]:
        return np.asarray(np.vecdot(self._rows[: len(self.members)], vector), np.float32)


@dataclass
class Neighbourhood:
    """`near`, `told` by feedback id of a newcomer; `found` by fingerprint; `traits` by item id.

    `large` are the topics whose nearest were found by an index.
    """

    near: dict[str, list[Near]] = field(default_factory=dict)
    told: dict[str, tuple[Told, ...]] = field(default_factory=dict)
    found: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    traits: dict[str, Traits] = field(default_factory=lambda: defaultdict(Traits))
    large: frozenset[Topic] = frozenset()
    _vectors: dict[tuple[str | None, str | None, int], _Vectors] = field(default_factory=dict)
    _items: dict[str, str] = field(default_factory=dict)

    def evidence(self, newcomer: Newcomer, items: Mapping[str, Item], policy: GroupingPolicy) -> Evidence:
        """What is known about the newcomer's place, of the items given."""
        told = self.told.get(newcomer.feedback_id, ())
        asked = [(rule, fingerprint) for rule, fingerprint in newcomer.fingerprints.items()]
        asked += [(t.rule_id, t.rule_id) for t in told if t.kind == "together"]
        hits = tuple(hit for rule, fingerprint in asked for hit in self._hits(rule, fingerprint, items))
        case = tuple(self._hits("case", newcomer.case, items)) if newcomer.case else ()
        near = tuple(self._near(newcomer, items, policy))
        ids = dict.fromkeys([*(hit.item_id for hit in (*hits, *case)), *(one.item_id for one in near)])
        return Evidence(
            feedback_id=newcomer.feedback_id,
            at=newcomer.at,
            matter=newcomer.matter,
            model=newcomer.model if newcomer.vector is not None else None,
            hits=hits,
            near=near,
            case=case,
            told=told,
            items={item_id: self._seen(items[item_id]) for item_id in ids if item_id in items},
        )

    def add(self, newcomer: Newcomer, item_id: str) -> None:
        """The newcomer has its place; whoever comes after it sees it there."""
        told = self.told.get(newcomer.feedback_id, ())
        here = Found(item_id, newcomer.feedback_id, newcomer.at)
        for fingerprint in (*newcomer.asked, *(t.rule_id for t in told if t.kind == "together")):
            self.found[fingerprint].append(here)
        self.traits[item_id].add(newcomer.matter.context, (t.mark for t in told))
        self._items[newcomer.feedback_id] = item_id
        if newcomer.vector is not None:
            key = (newcomer.matter.cause, newcomer.model, len(newcomer.vector))
            vectors = self._vectors.setdefault(key, _Vectors(len(newcomer.vector)))
            vectors.add(newcomer.vector, newcomer)

    def _hits(self, rule: str, fingerprint: str, items: Mapping[str, Item]) -> list[Hit]:
        """One per item, the latest feedback each, of the items that heard last."""
        known = [found for found in self.found.get(fingerprint, ()) if found.item_id in items]
        latest = {found.item_id: found for found in sorted(known, key=lambda f: (f.at, f.feedback_id))}
        newest = sorted(latest.values(), key=lambda f: (f.at, f.item_id), reverse=True)
        return [Hit(rule, f.item_id, f.feedback_id, f.at) for f in newest[:ITEMS_PER_FINGERPRINT]]

    def _near(self, newcomer: Newcomer, items: Mapping[str, Item], policy: GroupingPolicy) -> list[Near]:
        if newcomer.vector is None or policy.similarity is None:
            return []
        by = policy.similarity
        near = list(self.near.get(newcomer.feedback_id, ()))
        vectors = self._vectors.get((newcomer.matter.cause, newcomer.model, len(newcomer.vector)))
        if vectors is not None:
            similarities = vectors.similarities(newcomer.vector)
            near += self._nearest(newcomer, vectors.members, similarities, items, by)
        near.sort(key=lambda n: (-n.similarity, n.feedback_id))
        return near[: by.neighbours]

    def _nearest(
        self,
        newcomer: Newcomer,
        members: Sequence[Newcomer],
        similarities: Vector,
        items: Mapping[str, Item],
        by: Similarity,
    ) -> list[Near]:
        near: list[Near] = []
        for place in np.argsort(-similarities, kind="stable"):
            if len(near) == by.neighbours:
                break
            other = members[place]
            item_id = self._items[other.feedback_id]
            in_time = abs(newcomer.at - other.at) <= by.window
            if in_time and item_id in items and items[item_id].accepts_feedback:
                similarity = round(float(similarities[place]), 4)
                apart = similarity >= by.threshold and unlike(newcomer.words, other.words)
                near.append(Near(other.feedback_id, item_id, similarity, other.at, apart))
        return near

    def _seen(self, item: Item) -> Seen:
        traits = self.traits.get(item.id, Traits())
        return Seen(
            item_id=item.id,
            accepts=item.accepts_feedback,
            size=item.feedback_count,
            last_at=item.last_feedback_at,
            customers=item.customers[:2],
            named={name: tuple(sorted(values)) for name, values in sorted(traits.named.items())},
            marks=tuple(sorted(traits.marks)),
        )


def newcomer_of(
    feedback_id: str,
    at: datetime,
    matter: Matter,
    model: str | None,
    embedding: bytes | None,
    policy: GroupingPolicy,
    words: str = "",
) -> Newcomer:
    """`embedding` is little-endian float16; it is left out where the policy lets no words decide."""
    by = policy.similarity
    clear = by is not None and matter.cause is not None and matter.confidence >= by.min_confidence
    vector = vector_of(embedding) if clear and embedding else None
    return Newcomer(
        feedback_id,
        at,
        matter,
        fingerprints_of(matter, policy),
        case_fingerprint(matter),
        model,
        vector if vector is not None and np.any(vector) else None,
        words,
    )


def vector_of(embedding: bytes) -> Vector:
    """From little-endian float16 values, as they travel and are stored."""
    return np.frombuffer(embedding, "<f2").astype(np.float32)
