"""Why two feedbacks are one problem, or are not, in words a person can check. Pure."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heardback_router.grouping.domain import GroupingPolicy, contradiction
from heardback_router.grouping.held import OpenFeedback


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A feedback and why it is where it is. `record` is the machine's decision, `moved` a person's latest."""

    feedback_id: str
    item_id: str
    because: str
    record: Mapping[str, Any] | None
    moved: Mapping[str, Any] | None
    held: OpenFeedback | None

    @property
    def decided_by(self) -> tuple[str, ...]:
        """The feedbacks that made it join; none where a person put it there, or it opened the item."""
        return () if self.moved or not self.record else tuple(self.record.get("with") or ())


def why(left: Placed, right: Placed, members: Sequence[Placed], policy: GroupingPolicy) -> dict[str, Any]:
    """What ties them together, step by step, or what keeps them apart. `members` are of their common item."""
    together = left.item_id == right.item_id
    return {
        "together": together,
        "item": left.item_id if together else None,
        "similarity": similarity(left, right),
        "because": _chain(left, right, members) if together else _apart(left, right, policy),
        "policy": policy.name,
    }


def similarity(left: Placed, right: Placed) -> float | None:
    """None where there is nothing to compare, or different models made the embeddings."""
    mine, theirs = left.held, right.held
    if mine is None or theirs is None or mine.vector is None or theirs.vector is None:
        return None
    if mine.model != theirs.model or len(mine.vector) != len(theirs.vector):
        return None
    return round(float(mine.vector @ theirs.vector), 4)


def _chain(left: Placed, right: Placed, members: Sequence[Placed]) -> list[dict[str, Any]]:
    by_id = {one.feedback_id: one for one in members} | {left.feedback_id: left, right.feedback_id: right}
    ids = _path(by_id, left.feedback_id, right.feedback_id) or [left.feedback_id, right.feedback_id]
    return [_step(by_id[feedback_id]) for feedback_id in ids]


def _path(by_id: Mapping[str, Placed], start: str, end: str) -> list[str] | None:
    """The shortest way from one to the other over decisions that name each other."""
    ties: dict[str, set[str]] = {feedback_id: set() for feedback_id in by_id}
    for one in by_id.values():
        for other in one.decided_by:
            if other in ties:
                ties[one.feedback_id].add(other)
                ties[other].add(one.feedback_id)
    before: dict[str, str | None] = {start: None}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        if here == end:
            break
        for there in sorted(ties[here] - before.keys()):
            before[there] = here
            waiting.append(there)
    if end not in before:
        return None
    path: list[str] = []
    at: str | None = end
    while at is not None:
        path.append(at)
        at = before[at]
    return path[::-1]


def _step(one: Placed) -> dict[str, Any]:
    return {"feedback": one.feedback_id, "because": one.because, "with": list(one.decided_by)}


def _apart(left: Placed, right: Placed, policy: GroupingPolicy) -> list[dict[str, Any]]:
    found = []
    for one in (left, right):
        if one.moved:
            found.append(_step(one))
    if found:
        return found
    differences = _differences(left, right, policy)
    return [{"feedback": None, "because": words, "with": []} for words in differences] + [
        _step(left),
        _step(right),
    ]


def _differences(left: Placed, right: Placed, policy: GroupingPolicy) -> list[str]:
    mine, theirs, by = left.held, right.held, policy.similarity
    if mine is None or theirs is None:
        return []
    found = []
    if mine.cause != theirs.cause:
        found.append(f"their root causes differ: {mine.cause or 'unclear'} and {theirs.cause or 'unclear'}")
    apart_by = by.apart_by if by else policy.entities
    if against := contradiction(mine.named, theirs.named, apart_by):
        found.append(against)
    if by and abs(mine.at - theirs.at) > by.window:
        found.append(f"they came more than {by.window.days} days apart")
    near = similarity(left, right)
    if by and near is not None and near < by.threshold:
        found.append(f"their similarity is {near:.2f}, and {by.threshold:.2f} is needed")
    if mine.model != theirs.model:
        found.append("different models read them, so their embeddings cannot be compared")
    return found
