"""People, queues and turns in Postgres. Every method works inside the caller's transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.assignment.domain import UNKNOWN
from heardback_router.assignment.tables import allocations, members
from heardback_router.backlog.domain import TIER_ORDER, Item
from heardback_router.backlog.store import item_of
from heardback_shared.db.bulk import insert_rows

PER_TIER = 25
"""How many of each tier are looked at in one go; the next go sees those behind them."""

_TIERS = (*TIER_ORDER, UNKNOWN)
_CHANGED = ", ".join(
    f"{c.name} = excluded.{c.name}" for c in members.columns if c.name not in {"tenant_id", "team", "person"}
)
_START_TURNS = text("""
    INSERT INTO router.team_turns (tenant_id, team, owed) VALUES (:tenant, :team, '{}')
    ON CONFLICT DO NOTHING
""")
_LOCK_TURNS = text("""
    SELECT owed FROM router.team_turns WHERE tenant_id = :tenant AND team = :team FOR UPDATE
""")
_KEEP_TURNS = text("""
    UPDATE router.team_turns SET owed = :owed WHERE tenant_id = :tenant AND team = :team
""").bindparams(bindparam("owed", type_=JSONB))
# Each tier is looked up by itself, so that many of one never hide another.
_WAITING = text("""
    SELECT found.* FROM unnest(CAST(:tiers AS text[])) AS asked(tier)
    CROSS JOIN LATERAL (
        SELECT * FROM router.item
        WHERE tenant_id = :tenant AND team = :team AND queue_tier = asked.tier
            AND assignee IS NULL AND state IN ('open', 'in_progress') AND waiting_for IS NULL
        ORDER BY band, opened_at, id LIMIT :some FOR UPDATE SKIP LOCKED
    ) AS found
""")
_WAITING_FOR_OWNER = text("""
    SELECT * FROM router.item
    WHERE tenant_id = :tenant AND team = :team AND owner IS NOT NULL
        AND assignee IS NULL AND state IN ('open', 'in_progress') AND waiting_for IS NULL
    ORDER BY band, opened_at, id LIMIT :some FOR UPDATE SKIP LOCKED
""")
_LOADS = text("""
    SELECT asked.person, found.queue_tier, count(*)
    FROM unnest(CAST(:people AS text[])) AS asked(person)
    CROSS JOIN LATERAL (
        SELECT queue_tier FROM router.item
        WHERE tenant_id = :tenant AND assignee = asked.person AND team = :team
            AND assignee IS NOT NULL AND state IN ('open', 'in_progress')
        OFFSET 0
    ) AS found
    GROUP BY 1, 2
""")
_LET_LIE = text("""
    SELECT asked.id, found.person FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT data->>'from' AS person FROM router.item_event
        WHERE tenant_id = :tenant AND item_id = asked.id AND kind = 'released'
    ) AS found
""")
_TEAMS_WITH_PEOPLE = text("""
    SELECT tenant_id, array_agg(DISTINCT team ORDER BY team) FROM router.team_member GROUP BY tenant_id
""")


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a team as people entered it."""

    team: str
    person: str
    cap: int | None
    tiers: tuple[str, ...]
    skills: tuple[str, ...]
    time_zone: str
    away_until: datetime | None
    changed_at: datetime
    changed_by: str


class PostgresPeople:
    async def members(self, connection: AsyncConnection, tenant_id: str, team: str) -> list[Member]:
        """By name."""
        found = await connection.execute(
            select(members)
            .where(members.c.tenant_id == tenant_id, members.c.team == team)
            .order_by(members.c.person)
        )
        return [_member(row) for row in found.mappings()]

    async def member(
        self, connection: AsyncConnection, tenant_id: str, team: str, person: str
    ) -> Member | None:
        found = await connection.execute(select(members).where(*_one(tenant_id, team, person)))
        row = found.mappings().first()
        return _member(row) if row else None

    async def keep(self, connection: AsyncConnection, tenant_id: str, member: Member) -> None:
        row = {
            "tenant_id": tenant_id,
            "team": member.team,
            "person": member.person,
            "cap": member.cap,
            "tiers": list(member.tiers),
            "skills": list(member.skills),
            "time_zone": member.time_zone,
            "away_until": member.away_until,
            "changed_at": member.changed_at,
            "changed_by": member.changed_by,
        }
        conflict = f"ON CONFLICT (tenant_id, team, person) DO UPDATE SET {_CHANGED}"
        await insert_rows(connection, members, [row], on_conflict=conflict)

    async def remove(self, connection: AsyncConnection, tenant_id: str, team: str, person: str) -> bool:
        """False where there was none."""
        done = await connection.execute(
            delete(members).where(*_one(tenant_id, team, person)).returning(members.c.person)
        )
        return done.first() is not None

    async def teams_with_people(self, connection: AsyncConnection) -> Mapping[str, Sequence[str]]:
        """Of every tenant; needs a worker's transaction."""
        found = await connection.execute(_TEAMS_WITH_PEOPLE)
        return {row[0]: row[1] for row in found}


class PostgresQueues:
    async def lock_turns(self, connection: AsyncConnection, tenant_id: str, team: str) -> dict[str, float]:
        """What each tier has coming. Until the transaction ends nobody else gives out this team's queue."""
        of_team = {"tenant": tenant_id, "team": team}
        await connection.execute(_START_TURNS, of_team)
        owed: dict[str, float] = await connection.scalar(_LOCK_TURNS, of_team)
        return owed

    async def keep_turns(
        self, connection: AsyncConnection, tenant_id: str, team: str, owed: Mapping[str, float]
    ) -> None:
        values = {"tenant": tenant_id, "team": team, "owed": dict(owed)}
        await connection.execute(_KEEP_TURNS, values)

    async def waiting(
        self, connection: AsyncConnection, tenant_id: str, team: str, *, only_for_owner: bool
    ) -> list[Item]:
        """Items nobody has, the most urgent of each tier, locked; those that somebody else works on are left
        out."""
        asked = {"tenant": tenant_id, "team": team, "some": PER_TIER}
        rows = list((await connection.execute(_WAITING_FOR_OWNER, asked)).mappings())
        if not only_for_owner:
            rows += (await connection.execute(_WAITING, {**asked, "tiers": list(_TIERS)})).mappings()
        return list({row["id"]: item_of(row) for row in rows}.values())

    async def loads(
        self, connection: AsyncConnection, tenant_id: str, team: str, people: Iterable[str]
    ) -> dict[str, dict[str, int]]:
        """Per person how many unresolved items of the team they have, by tier."""
        loads: dict[str, dict[str, int]] = defaultdict(dict)
        asked = {"tenant": tenant_id, "team": team, "people": sorted(set(people))}
        for person, tier, number in await connection.execute(_LOADS, asked):
            loads[person][tier] = number
        return loads

    async def let_lie(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]
    ) -> dict[str, set[str]]:
        """Per item those from whom it came back because nothing happened."""
        found: dict[str, set[str]] = defaultdict(set)
        asked = {"tenant": tenant_id, "ids": list(item_ids)}
        for item_id, person in await connection.execute(_LET_LIE, asked):
            found[item_id].add(person)
        return found

    async def record(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        allocation_id: str,
        inputs: Mapping[str, Any],
        outcome: Mapping[str, Any],
        at: datetime,
    ) -> None:
        row = {
            "tenant_id": tenant_id,
            "id": allocation_id,
            "team": inputs["team"],
            "at": at,
            "inputs": inputs,
            "outcome": outcome,
        }
        await insert_rows(connection, allocations, [row])

    async def recorded(
        self, connection: AsyncConnection, tenant_id: str, allocation_id: str
    ) -> RowMapping | None:
        found = await connection.execute(
            select(allocations).where(allocations.c.tenant_id == tenant_id, allocations.c.id == allocation_id)
        )
        return found.mappings().first()


def _one(tenant_id: str, team: str, person: str) -> tuple[Any, ...]:
    return members.c.tenant_id == tenant_id, members.c.team == team, members.c.person == person


def _member(row: RowMapping) -> Member:
    return Member(
        row["team"],
        row["person"],
        row["cap"],
        tuple(row["tiers"]),
        tuple(row["skills"]),
        row["time_zone"],
        row["away_until"],
        row["changed_at"],
        row["changed_by"],
    )
