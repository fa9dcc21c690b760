"""Show what became of a feedback: its state, score, item and loop, and every stage with its time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import orjson

from heardback_ingest.domain.ledger import SUPERSEDED, status
from heardback_ingest.ports import Counts, Ledger
from heardback_shared.contracts.events import LoopState
from heardback_shared.db.database import Database

Rows = Sequence[Mapping[str, Any]]

_LIFE = {state: place for place, state in enumerate(get_args(LoopState))}
"""The order in which a loop takes its steps."""


class Show:
    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def feedback(self, tenant_id: str, feedback_id: str) -> dict[str, Any] | None:
        """The newest revision, with the history of all; None if the tenant has no such feedback."""
        async with self._database.tenant(tenant_id) as c:
            revisions, stages, items = await self._ledger.history(c, tenant_id, feedback_id)
        loops = _loop_steps(stages)
        if not revisions:
            return None
        newest = revisions[-1]
        routed = [row for row in revisions if row["item_id"] is not None]
        history = [*_ledger_stages(revisions), *_loop_stages(loops), *_item_stages(items)]
        score = newest["score"]
        return {
            "id": feedback_id,
            "revision": newest["revision"],
            "status": status(newest["state"], newest["routed_at"], newest["scored_at"]),
            "reason": newest["reason"],
            "source": newest["source"],
            "external_id": newest["external_id"],
            "kind": newest["kind"],
            "customer_id": newest["customer_id"],
            "score": orjson.loads(score) if isinstance(score, str) else score,
            "item": _item(routed[-1], items) if routed else None,
            "loop": _loop(loops),
            "history": sorted(history, key=lambda entry: entry["at"]),
        }

    async def ledger(self, tenant_id: str) -> Counts:
        async with self._database.tenant(tenant_id) as c:
            return await self._ledger.counts(c, tenant_id)


def _ledger_stages(revisions: Rows) -> list[dict[str, Any]]:
    found = []
    for row in revisions:
        times: list[tuple[str, datetime | None]] = [
            ("accepted", row["accepted_at"]),
            ("scored", row["scored_at"]),
            ("routed", row["routed_at"]),
        ]
        if row["reason"] == SUPERSEDED:
            times.append(("superseded", row["settled_at"] or row["accepted_at"]))
        elif row["state"] == "dead":
            times.append(("dead", row["settled_at"]))
        found += [{"stage": s, "at": at, "revision": row["revision"]} for s, at in times if at is not None]
    return found


def _loop_steps(stages: Rows) -> Rows:
    """Each step once, in the order they were taken: a step may be told of by several events, and several
    steps of a loop may be taken at one instant."""
    told = sorted(stages, key=lambda row: row["reason"] is not None)
    steps = {(row["loop_id"], row["state"], row["at"]): row for row in told}
    return sorted(steps.values(), key=lambda row: (row["at"], _LIFE.get(row["state"], 0)))


def _loop_stages(loops: Rows) -> list[dict[str, Any]]:
    return [{"stage": f"loop.{row['state']}", "at": row["at"], "reason": row["reason"]} for row in loops]


def _item_stages(items: Rows) -> list[dict[str, Any]]:
    """Only what changed the state or the team; the item's own page has the rest."""
    found: list[dict[str, Any]] = []
    before: tuple[str, str | None] = ("open", None)
    for row in items:
        now = (row["state"], row["team"])
        if row["state"] != before[0] or (before[1] is not None and row["team"] != before[1]):
            found.append({"stage": f"item.{row['change']}", "at": row["at"]})
        before = now
    return found


def _item(row: Mapping[str, Any], items: Rows) -> dict[str, Any]:
    """Team and state as last announced: open until a person changes it; `feedback.routed` may be newer."""
    changes = [change for change in items if change["item_id"] == row["item_id"]]
    last = changes[-1] if changes else None
    if last is None:
        return {"id": row["item_id"], "team": row["team"], "state": "open"}
    team = last["team"] if last["at"] >= row["routed_at"] else row["team"]
    return {"id": row["item_id"], "team": team, "state": last["state"]}


def _loop(loops: Rows) -> dict[str, Any] | None:
    if not loops:
        return None
    last = loops[-1]
    return {"id": last["loop_id"], "state": last["state"], "at": last["at"]}
