"""Grouping's bodies on the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from heardback_router.backlog.schemas import Internal, ItemOut, Name
from heardback_router.grouping.explaining import Placed
from heardback_shared.contracts.base import Submission

AT_ONCE = 100


class MergeIn(Submission):
    """`from` are the items that end; all their feedback goes to the one in the address."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[tuple[Name, ...], Field(alias="from", min_length=1, max_length=AT_ONCE)]
    reason: Internal


class SplitIn(Submission):
    """`feedback` is what belongs into an item of its own."""

    feedback: Annotated[tuple[Name, ...], Field(min_length=1, max_length=10_000)]
    reason: Internal


class MoveIn(Submission):
    """`item` is where it belongs; "new" gives it an item of its own."""

    item: Name
    reason: Internal


class PlacedOut(BaseModel):
    """`because` is why it is there now; `record` the machine's decision when it came, from which that can be
    made again; `moved` what a person decided last."""

    feedback_id: str
    because: str
    with_: list[str] = Field(alias="with")
    record: dict[str, Any] | None
    moved: dict[str, Any] | None


class RuleOut(BaseModel):
    """`sides` name the feedback that stands for each side. A rule that has ended decides nothing any more."""

    id: str
    kind: Literal["together", "apart"]
    left_item: str
    right_item: str
    actor: str
    reason: str
    at: datetime
    sides: dict[str, Any]
    ended: dict[str, Any] | None


class RulesOut(BaseModel):
    rules: list[RuleOut]


class GroupingOut(BaseModel):
    item: str
    feedback_count: int
    alarmed: list[str]
    case: str | None
    merged_into: str | None
    feedback: list[PlacedOut]
    rules: list[RuleOut]


class StepOut(BaseModel):
    feedback: str | None
    because: str
    with_: list[str] = Field(alias="with")


class WhyOut(BaseModel):
    """`because` leads from left to right where they are together; else it says what keeps them apart."""

    left: str
    right: str
    together: bool
    item: str | None
    similarity: float | None
    because: list[StepOut]
    policy: str


class CaseOut(BaseModel):
    """Its owner is that of its oldest unresolved item."""

    id: str
    team: str
    assignee: str | None
    resolved: bool
    items: list[ItemOut]


def shown_placed(one: Placed) -> dict[str, Any]:
    return {
        "feedback_id": one.feedback_id,
        "because": one.because,
        "with": list(one.decided_by),
        "record": one.record,
        "moved": one.moved,
    }


def shown_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    ended = None
    if rule["ended_at"] is not None:
        ended = {"at": rule["ended_at"], "by": rule["ended_by"], "because": rule["ended_because"]}
    same = ("id", "kind", "left_item", "right_item", "actor", "reason", "at", "sides")
    return {**{name: rule[name] for name in same}, "ended": ended}
