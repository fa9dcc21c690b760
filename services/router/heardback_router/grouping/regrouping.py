"""What a person's merge, split or move makes of items: entries of their logs, and rules for later. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from heardback_router.backlog.commands import IllegalCommandError
from heardback_router.backlog.domain import Item, Weight, heaviest
from heardback_router.backlog.fold import ARRIVALS_KEPT
from heardback_router.backlog.titles import title_of
from heardback_router.grouping.domain import Matter
from heardback_router.grouping.held import OpenFeedback
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.score import Score

EXEMPLARS = 8
"""Of each side so many feedbacks stand for it, the newest."""
NOTHING = Weight(0.0, "P4")


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One feedback of an item, with what depends on which item it is in."""

    feedback_id: str
    item_id: str
    weight: Weight
    customer_id: str | None
    accepted_at: datetime
    held: OpenFeedback | None
    """How others find it; None for feedback routed before there was grouping by words."""


@dataclass(frozen=True, slots=True)
class NewRule:
    """What a person decided, for later. `threshold` None: only fingerprints tell who falls under it."""

    id: str
    kind: Literal["together", "apart"]
    left_item: str
    right_item: str
    threshold: float | None
    actor: str
    reason: str
    at: datetime

    def mark(self, side: Literal["left", "right"]) -> str:
        return self.id if self.kind == "together" else f"{self.id}:{side}"


def holding(item: Item, members: Iterable[Member]) -> dict[str, Any]:
    """What an item is once exactly these are its feedback, as `feedback_came` and `feedback_left` say it."""
    ordered = sorted(members, key=lambda m: (m.accepted_at, m.feedback_id))
    worst = heaviest(m.weight for m in ordered) if ordered else NOTHING
    last = ordered[-1].accepted_at if ordered else item.last_feedback_at
    return {
        "worst_severity": worst.score,
        "worst_band": worst.band,
        "feedback_count": len(ordered),
        "customers": list(dict.fromkeys(m.customer_id for m in ordered if m.customer_id is not None)),
        "last_feedback_at": last.isoformat(),
        "arrivals": [m.accepted_at.isoformat() for m in ordered[-ARRIVALS_KEPT:]],
    }


def opening(
    member: Member,
    content: FeedbackContent,
    score: Score,
    team: str,
    because: str,
    rule: str,
) -> dict[str, Any]:
    """The `opened` entry of an item that a person makes of feedback that was elsewhere."""
    cause = score.root_causes[0] if score.root_causes else None
    entity = member.held.entity if member.held else None
    matter = Matter(member.customer_id, cause.path if cause else None, entity)
    return {
        "feedback_id": member.feedback_id,
        "customer_id": member.customer_id,
        "opened_at": member.accepted_at.isoformat(),
        "severity": member.weight.score,
        "band": member.weight.band,
        "entity": entity,
        "because": because,
        "rule": rule,
        "title": title_of(content),
        "team": team,
        "domain": cause.domain if cause else None,
        "category": cause.category if cause else None,
        "key": matter.key,
    }


def exemplars(members: Iterable[Member]) -> list[OpenFeedback]:
    """The feedback that stands for a side, newest first."""
    ordered = sorted(members, key=lambda m: (m.accepted_at, m.feedback_id), reverse=True)
    return [m.held for m in ordered if m.held is not None][:EXEMPLARS]


def telling(mine: Iterable[OpenFeedback], theirs: Iterable[OpenFeedback]) -> list[str]:
    """The fingerprints that only one side has; ids of people's rules tell nothing about what comes."""
    others = {f for one in theirs for f in one.fingerprints}
    own = {f for one in mine for f in one.fingerprints if not f.startswith("gr_")}
    return sorted(own - others)


def contradicted(moved: Iterable[OpenFeedback], others: Iterable[OpenFeedback]) -> set[str]:
    """Marks on the moved feedback that say it does not belong with the others."""
    theirs = {mark for one in others for mark in one.marks}
    return {mark for one in moved for mark in one.marks if _opposite(mark) in theirs}


def refuse_regrouping(item: Item, deed: str) -> None:
    """Raises IllegalCommandError for an item whose feedback may not be moved now, and says what to do."""
    if item.state in {"resolved", "closed"}:
        raise IllegalCommandError(
            f"{item.id} is {item.state}, and its customers may have been told so: reopen it, then {deed} it."
        )
    if item.state == "merged":
        raise IllegalCommandError(f"{item.id} was merged into {item.merged_into}: {deed} that one.")
    if item.parent_id is not None:
        raise IllegalCommandError(
            f"{item.id} is one domain's share of {item.parent_id} and holds no feedback: {deed} that one."
        )


def refuse_case_torn(item: Item, target: Item, others: Sequence[str]) -> None:
    """Raises IllegalCommandError where a merge would tear an item out of its case; `others` stay in it."""
    if item.case_id and target.case_id and item.case_id != target.case_id and others:
        raise IllegalCommandError(
            f"{item.id} belongs to case {item.case_id} with {', '.join(others)}, and {target.id} to "
            f"{target.case_id}: resolve {', '.join(others)} first, or merge them too."
        )


def said(item_id: str, moved: Sequence[str], rules: Sequence[str]) -> Mapping[str, Any]:
    """What both logs say of a move: the other item, which feedback, and which rules came of it."""
    return {"item": item_id, "feedback": list(moved), "rules": list(rules)}


def _opposite(mark: str) -> str:
    rule_id, _, side = mark.partition(":")
    return f"{rule_id}:{'right' if side == 'left' else 'left'}"
