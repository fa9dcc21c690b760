"""The children of an item on the wire."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from heardback_router.backlog.domain import Item
from heardback_shared.contracts.events import ItemState


class ChildOut(BaseModel):
    id: str
    title: str
    team: str
    assignee: str | None
    state: ItemState
    domain: str | None
    category: str | None


class ChildrenOut(BaseModel):
    """Other domains' shares of the work; `done` of `total` are closed."""

    done: int
    total: int
    items: list[ChildOut]


def shown_children(children: Sequence[Item]) -> dict[str, Any]:
    return {
        "done": sum(child.state in {"closed", "merged"} for child in children),
        "total": len(children),
        "items": [
            {
                "id": child.id,
                "title": child.title,
                "team": child.team,
                "assignee": child.assignee,
                "state": child.state,
                "domain": child.domain,
                "category": child.category,
            }
            for child in children
        ],
    }
