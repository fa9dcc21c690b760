"""Items, their logs and their links in Postgres. Every method works inside the caller's transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Counts, Item, ItemEvent, LinkedCustomer, Outcome, Weight
from heardback_router.backlog.duties import Criterion, promise_json, promise_of, step_of
from heardback_router.backlog.tables import item_events, items, links
from heardback_router.standing.marks import marks_of
from heardback_router.standing.tables import changes as standing_changes
from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Score
from heardback_shared.db.bulk import insert_rows
from heardback_shared.errors import TransientError

_ITEM_COLUMNS = tuple(column.name for column in items.columns if column.name not in {"clocks", "due_at"})
"""What an item says of itself. `clocks` and `due_at` are written by whoever reads its clocks."""
_UPDATED = ", ".join(f"{name} = excluded.{name}" for name in _ITEM_COLUMNS if name not in {"tenant_id", "id"})
_UPDATE_ITEMS = f"ON CONFLICT (tenant_id, id) DO UPDATE SET {_UPDATED}"
_LINK_UPDATED = ", ".join(
    f"{name} = excluded.{name}"
    for name in (
        "revision",
        "pass_number",
        "severity",
        "band",
        "scored_at",
        "routed_at",
        "content",
        "customer",
        "embedding",
        "embedding_model",
        "score",
        "decision",
        "words",
    )
)
_UPSERT_LINKS = f"ON CONFLICT (tenant_id, feedback_id) DO UPDATE SET {_LINK_UPDATED}"

_LINKS_OF = text("""
    SELECT feedback_id, item_id, revision, pass_number, severity, band, joined_because, scored_at, routed_at
    FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = ANY(:ids)
""")
_WEIGHTS_OF = text("""
    SELECT item_id, feedback_id, severity, band
    FROM router.item_feedback WHERE tenant_id = :tenant AND item_id = ANY(:ids)
""")
_SCORES_OF = text("""
    SELECT feedback_id, score::text FROM router.item_feedback
    WHERE tenant_id = :tenant AND feedback_id = ANY(:ids)
""")
# Each row is looked up by itself: a join would let the planner read every item of the tenant instead.
_BY_MATTER = text("""
    SELECT found.id FROM unnest(CAST(:keys AS text[])) AS asked(matter_key)
    CROSS JOIN LATERAL (
        SELECT id FROM router.item
        WHERE tenant_id = :tenant AND matter_key = asked.matter_key AND matter_key IS NOT NULL
            AND state IN ('open', 'in_progress')
        LIMIT 1000
    ) AS found
""")
# Locked in one order everywhere, so that two routers wait for each other instead of deadlocking.
_LOCK = text("""
    SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT * FROM router.item WHERE tenant_id = :tenant AND id = asked.id LIMIT 1 FOR UPDATE
    ) AS found
""")
_LOCK_ONE = select(items).where(text("tenant_id = :tenant AND id = :id")).with_for_update()
# A parent is locked before its children, here and wherever both are.
_LOCK_PARENT = text("""
    SELECT state FROM router.item WHERE tenant_id = :tenant
        AND id = (SELECT parent_id FROM router.item WHERE tenant_id = :tenant AND id = :id) FOR UPDATE
""")
_TEAMS_BEFORE = text("""
    SELECT data->>'from' FROM router.item_event
    WHERE tenant_id = :tenant AND item_id = :id AND kind = 'reassigned' ORDER BY sequence
""")
_LINKED = text("""
    SELECT customer_id, feedback_id, channel FROM router.item_feedback
    WHERE tenant_id = :tenant AND item_id = :id ORDER BY accepted_at, feedback_id
""")


_FACTS = text("""
    SELECT DISTINCT data ->> 'facts' FROM router.item_event
    WHERE tenant_id = :tenant AND item_id = :id AND kind IN ('opened', 'feedback_joined')
        AND data ->> 'facts' IS NOT NULL
""")


class PostgresItems:
    async def links(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Sequence[RowMapping]:
        """The stored links of these feedbacks, without content."""
        found = await connection.execute(_LINKS_OF, {"tenant": tenant_id, "ids": list(feedback_ids)})
        return found.mappings().all()

    async def lock(
        self, connection: AsyncConnection, tenant_id: str, ids: Iterable[str], keys: Sequence[str]
    ) -> dict[str, Item]:
        """These items, and the unresolved ones with these matter keys, locked until the transaction ends.

        An item of a key may have been resolved while its lock was waited for; grouping asks for the state.
        """
        wanted = set(ids)
        if keys:
            found = await connection.execute(_BY_MATTER, {"tenant": tenant_id, "keys": list(keys)})
            wanted.update(found.scalars())
        if not wanted:
            return {}
        rows = await connection.execute(_LOCK, {"tenant": tenant_id, "ids": sorted(wanted)})
        return {row["id"]: item_of(row) for row in rows.mappings()}

    async def lock_one(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> Item | None:
        found = await connection.execute(_LOCK_ONE, {"tenant": tenant_id, "id": item_id})
        row = found.mappings().first()
        return item_of(row) if row else None

    async def lock_parent(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> ItemState | None:
        """The state of the item's parent, locked; None where it has none."""
        state: ItemState | None = await connection.scalar(_LOCK_PARENT, {"tenant": tenant_id, "id": item_id})
        return state

    async def teams_before(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> list[str]:
        """The teams that gave the item away, in order."""
        found = await connection.execute(_TEAMS_BEFORE, {"tenant": tenant_id, "id": item_id})
        return list(found.scalars())

    async def weights(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Iterable[str]
    ) -> dict[str, dict[str, Weight]]:
        """Per item the weight of each of its feedbacks."""
        weights: dict[str, dict[str, Weight]] = defaultdict(dict)
        found = await connection.execute(_WEIGHTS_OF, {"tenant": tenant_id, "ids": sorted(set(item_ids))})
        for row in found.mappings():
            weights[row["item_id"]][row["feedback_id"]] = Weight(row["severity"], row["band"])
        return weights

    async def scores(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> dict[str, Score]:
        found = await connection.execute(_SCORES_OF, {"tenant": tenant_id, "ids": list(feedback_ids)})
        return {feedback_id: Score.model_validate_json(score) for feedback_id, score in found}

    async def linked(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> tuple[LinkedCustomer, ...]:
        """The customers behind an item. Feedback that names nobody stands for itself."""
        found = await connection.execute(_LINKED, {"tenant": tenant_id, "id": item_id})
        return linked_customers((row[0], row[1], row[2]) for row in found)

    async def facts(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> list[dict[str, Any]]:
        """What each feedback of the item said about its customer and contract; each once."""
        found = await connection.execute(_FACTS, {"tenant": tenant_id, "id": item_id})
        return [orjson.loads(facts) for facts in found.scalars()] or [{}]

    async def open(self, connection: AsyncConnection, tenant_id: str, opened: Sequence[Item]) -> None:
        """Stores new items. Raises TransientError if another router has just stored one of them."""
        stored = await insert_rows(
            connection,
            items,
            [row_of(tenant_id, item) for item in opened],
            on_conflict="ON CONFLICT DO NOTHING",
            returning=("id",),
        )
        if len(stored) != len(opened):
            raise TransientError("another router is routing the same feedback")

    async def update(self, connection: AsyncConnection, tenant_id: str, changed: Sequence[Item]) -> None:
        """Stores items that are locked by this transaction."""
        rows = [row_of(tenant_id, item) for item in changed]
        await insert_rows(connection, items, rows, on_conflict=_UPDATE_ITEMS)

    async def log(self, connection: AsyncConnection, tenant_id: str, events: Sequence[ItemEvent]) -> None:
        """Appends entries, and marks the customers whose standing they change."""
        await insert_rows(connection, item_events, [event_row_of(tenant_id, event) for event in events])
        marks = [
            {"tenant_id": tenant_id, "item_id": mark.item_id, "customer_id": mark.customer_id}
            for mark in marks_of(events)
        ]
        await insert_rows(connection, standing_changes, marks)

    async def link(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Stores links, or what a newer reading changed in them; a link never moves to another item here."""
        await insert_rows(connection, links, rows, on_conflict=_UPSERT_LINKS)


def linked_customers(
    rows: Iterable[tuple[str | None, str, str | None]],
) -> tuple[LinkedCustomer, ...]:
    """One stake per customer from (customer, feedback, channel), oldest first; the latest channel counts."""
    stakes: dict[str, LinkedCustomer] = {}
    for customer_id, feedback_id, channel in rows:
        key = f"c:{customer_id}" if customer_id is not None else f"f:{feedback_id}"
        before = stakes.get(key)
        stakes[key] = LinkedCustomer(
            customer_id,
            (*(before.feedback_ids if before else ()), feedback_id),
            channel or (before.channel if before else None),
        )
    return tuple(stakes.values())


def row_of(tenant_id: str, item: Item) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": item.id,
        "title": item.title,
        "team": item.team,
        "assignee": item.assignee,
        "state": item.state,
        "severity": item.weight.score,
        "band": item.weight.band,
        "domain": item.domain,
        "category": item.category,
        "matter_key": item.key,
        "entity": item.entity,
        "feedback_count": item.feedback_count,
        "customers": list(item.customers),
        "opened_at": item.opened_at,
        "last_feedback_at": item.last_feedback_at,
        "updated_at": item.updated_at,
        "version": item.version,
        "touched": item.touched,
        "resolution": {**asdict(item.resolution), "at": item.resolution.at.isoformat()}
        if item.resolution
        else None,
        "resolutions": item.resolutions,
        "worst_severity": item.worst.score,
        "worst_band": item.worst.band,
        "contributions": list(item.contributions),
        "arrivals": [at.isoformat() for at in item.arrivals],
        "counts": asdict(item.counts),
        "parent_id": item.parent_id,
        "case_id": item.case_id,
        "merged_into": item.merged_into,
        "assigned_by": item.assigned_by,
        "waiting_for": item.waiting_for,
        "responded_at": item.responded_at,
        "sla": item.sla,
        "flag": item.flag,
        "tier": item.tier,
        "owner": item.owner,
        "children": list(item.children),
        "request": item.request,
        "criterion": asdict(item.criterion) if item.criterion else None,
        "promises": [promise_json(promise) for promise in item.promises] or None,
        "steps": [asdict(step) for step in item.steps] or None,
        "timer_at": item.updated_at,
    }


def item_of(row: RowMapping) -> Item:
    resolution = row["resolution"]
    return Item(
        id=row["id"],
        title=row["title"],
        team=row["team"],
        assignee=row["assignee"],
        state=row["state"],
        weight=Weight(row["severity"], row["band"]),
        domain=row["domain"],
        category=row["category"],
        key=row["matter_key"],
        entity=row["entity"],
        feedback_count=row["feedback_count"],
        customers=tuple(row["customers"]),
        opened_at=row["opened_at"],
        last_feedback_at=row["last_feedback_at"],
        updated_at=row["updated_at"],
        version=row["version"],
        touched=row["touched"],
        resolution=_outcome_of(resolution) if resolution else None,
        resolutions=row["resolutions"],
        worst=Weight(row["worst_severity"], row["worst_band"]),
        contributions=tuple(row["contributions"]),
        arrivals=tuple(datetime.fromisoformat(at) for at in row["arrivals"]),
        counts=Counts(**row["counts"]),
        parent_id=row["parent_id"],
        case_id=row["case_id"],
        merged_into=row["merged_into"],
        assigned_by=row["assigned_by"],
        waiting_for=row["waiting_for"],
        responded_at=row["responded_at"],
        sla=row["sla"],
        flag=row["flag"],
        tier=row["tier"],
        owner=row["owner"],
        children=tuple(row["children"]),
        request=row["request"],
        criterion=Criterion(**row["criterion"]) if row["criterion"] else None,
        promises=tuple(promise_of(promise) for promise in row["promises"] or ()),
        steps=tuple(step_of(step) for step in row["steps"] or ()),
    )


def _outcome_of(stored: Mapping[str, Any]) -> Outcome:
    at, warnings = datetime.fromisoformat(stored["at"]), tuple(stored.get("warnings", ()))
    return Outcome(**{**stored, "at": at, "warnings": warnings})


def event_row_of(tenant_id: str, event: ItemEvent) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "item_id": event.item_id,
        "sequence": event.sequence,
        "kind": event.kind,
        "actor": event.actor,
        "at": event.at,
        "reason": event.reason,
        "data": event.data,
    }


def event_of(row: RowMapping) -> ItemEvent:
    return ItemEvent(
        row["item_id"], row["sequence"], row["kind"], row["actor"], row["at"], row["reason"], row["data"]
    )
