"""One feedback of an unresolved item, with all that others find it by. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self

from heardback_router.grouping.neighbourhood import Newcomer, Topic, Vector, vector_of

PlacedBy = Literal["machine", "person"]


@dataclass(frozen=True, slots=True, eq=False)
class OpenFeedback:
    """One feedback of an unresolved item, with all that others find it by."""

    feedback_id: str
    item_id: str
    at: datetime
    entity: str | None
    named: Mapping[str, str]
    marks: tuple[str, ...]
    """Sides of people's rules that keep apart."""
    fingerprints: tuple[str, ...]
    """Among them the ids of people's rules that keep together."""
    placed_by: PlacedBy = "machine"
    cause: str | None = None
    model: str | None = None
    vector: Vector | None = None

    @property
    def topic(self) -> Topic:
        return Topic(self.cause, self.model)

    @property
    def place(self) -> dict[str, Any]:
        """What is kept with the link, so that a reopened item has its feedback back: all but the vector."""
        return {
            "at": self.at.isoformat(),
            "entity": self.entity,
            "named": dict(self.named),
            "marks": list(self.marks),
            "fingerprints": list(self.fingerprints),
            "cause": self.cause,
            "model": self.model,
            "compares": self.vector is not None,
        }

    @classmethod
    def of_place(
        cls, feedback_id: str, item_id: str, place: Mapping[str, Any], embedding: bytes | None, moved: bool
    ) -> Self:
        compares = place["compares"] and embedding is not None
        return cls(
            feedback_id,
            item_id,
            datetime.fromisoformat(place["at"]),
            place["entity"],
            place["named"],
            tuple(place["marks"]),
            tuple(place["fingerprints"]),
            "person" if moved else "machine",
            place["cause"],
            place["model"],
            vector_of(embedding) if compares and embedding else None,
        )

    @classmethod
    def of_newcomer(cls, newcomer: Newcomer, item_id: str, marks: Iterable[str]) -> Self:
        """`marks` are those of all the people's rules it falls under."""
        held = tuple(marks)
        return cls(
            newcomer.feedback_id,
            item_id,
            newcomer.at,
            newcomer.matter.entity,
            newcomer.matter.context,
            tuple(mark for mark in held if ":" in mark),
            (*newcomer.asked, *(mark for mark in held if ":" not in mark)),
            "machine",
            newcomer.matter.cause,
            newcomer.model,
            newcomer.vector,
        )

    def marked(self, mark: str) -> "OpenFeedback":
        """With one more mark of a person's rule."""
        if ":" in mark:
            return replace(self, marks=tuple(dict.fromkeys((*self.marks, mark))))
        return replace(self, fingerprints=tuple(dict.fromkeys((*self.fingerprints, mark))))
