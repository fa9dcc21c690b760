"""The worked example of docs/grouping.md is what grouping does."""

import json
import math
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from tests.support.clock import NOON

from heardback_router.backlog.domain import Item, Weight
from heardback_router.backlog.fold import ARRIVALS_KEPT
from heardback_router.grouping.deciding import Join, group
from heardback_router.grouping.domain import Matter, context_of, entity_of
from heardback_router.grouping.neighbourhood import Neighbourhood, newcomer_of
from heardback_router.grouping.policy import read_grouping
from heardback_router.grouping.sizes import rings

DOC = (Path(__file__).parents[3] / "docs" / "grouping.md").read_text("utf-8")


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", DOC, re.DOTALL)
    assert found is not None
    return found.group(1)


def direction(degrees: float | None) -> bytes | None:
    if degrees is None:
        return None
    radians = math.radians(degrees)
    return np.array([math.cos(radians), math.sin(radians)], "<f2").tobytes()


def test_every_line_of_the_example_holds() -> None:
    policy, around = read_grouping(block("yaml")), Neighbourhood()
    items: dict[str, Item] = {}
    for hour, line in enumerate(block("jsonl").splitlines()):
        said: dict[str, Any] = json.loads(line)
        at, context = NOON + timedelta(hours=hour), said.get("context", {})
        about = Matter(
            said["customer"],
            said["cause"],
            entity_of(context, policy),
            confidence=0.8,
            channel=said["channel"],
            context=context_of(context, policy),
        )
        newcomer = newcomer_of(said["id"], at, about, "reader@1", direction(said["says"]), policy)
        answer = group(around.evidence(newcomer, items, policy), policy)
        item_id = answer.item_id if isinstance(answer, Join) else said["id"]
        assert (said["id"], item_id) == (said["id"], said["item"])
        assert said["because"] in answer.because, answer.because
        assert said.get("case") == (None if isinstance(answer, Join) else answer.case_with)
        items[item_id] = fed(items.get(item_id), item_id, said["customer"], at)
        rung = tuple(alarm.name for alarm, _ in rings(items[item_id], policy.alarms))
        items[item_id] = changed(items[item_id], alarmed=items[item_id].alarmed + rung)
        around.add(newcomer, item_id)
    assert {item_id for item_id, item in items.items() if item.alarmed} == {"a", "c"}
    assert max(item.feedback_count for item in items.values()) == policy.most


def changed(item: Item, **changes: Any) -> Item:
    return Item(**{**{name: getattr(item, name) for name in item.__dataclass_fields__}, **changes})


def fed(item: Item | None, item_id: str, customer: str, at: Any) -> Item:
    if item is None:
        nothing = {"assignee": None, "domain": None, "category": None, "key": None, "entity": None}
        times = dict.fromkeys(("opened_at", "last_feedback_at", "updated_at"), at)
        first: dict[str, Any] = {"state": "open", "weight": Weight(1, "P4"), **nothing, **times}
        return Item(
            item_id, "t", "t", **first, feedback_count=1, customers=(customer,), version=1, arrivals=(at,)
        )
    return changed(
        item,
        feedback_count=item.feedback_count + 1,
        customers=tuple(dict.fromkeys((*item.customers, customer))),
        last_feedback_at=at,
        arrivals=(*item.arrivals, at)[-ARRIVALS_KEPT:],
    )
