"""The people of a team, and what was given out from what."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import AwareDatetime, BaseModel, Field

from heardback_router.assignment.app import Assignment
from heardback_router.assignment.policy import MOST_AT_ONCE
from heardback_router.assignment.store import Member, PostgresPeople, PostgresQueues
from heardback_router.backlog.deeds import RESERVED, Actor, actor_of
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.sla.working import time_zone
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission
from heardback_shared.contracts.customer import Tier
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

Skill = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}(/[a-z0-9_-]{1,64})?$")]
TeamName = Annotated[str, Path(max_length=64, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
PersonName = Annotated[str, Path(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class MemberIn(Submission):
    """`cap`: items of this team at a time; without one the team's counts. Empty `tiers` and `skills`: any.
    Skills are root causes, `domain` or `domain/category`."""

    cap: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] | None = None
    tiers: Annotated[list[Tier], Field(max_length=3)] = Field(default_factory=list)
    skills: Annotated[list[Skill], Field(max_length=100)] = Field(default_factory=list)
    time_zone: Annotated[str, Field(max_length=64)] = "UTC"
    away_until: AwareDatetime | None = None


class MemberOut(BaseModel):
    team: str
    person: str
    cap: int | None
    tiers: list[str]
    skills: list[str]
    time_zone: str
    away_until: datetime | None
    load: int = Field(description="Unresolved items of the team this person has")
    room: int = Field(description="How many more the machine would give; 0 while away")
    changed_at: datetime
    changed_by: str


class MembersOut(BaseModel):
    team: str
    automatic: bool = Field(description="Whether the team's queue is given out by the machine")
    members: list[MemberOut]


class Teams:
    """Who works for which team; entering people gives out what they have room for."""

    def __init__(
        self,
        database: Database,
        assignment: Assignment,
        people: PostgresPeople,
        queues: PostgresQueues,
        policies: PolicySource,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._database = database
        self._assignment = assignment
        self._people = people
        self._queues = queues
        self._policies = policies
        self._outbox = outbox
        self._clock = clock

    async def of(self, tenant_id: str, team: str) -> dict[str, Any]:
        async with self._database.tenant(tenant_id) as connection:
            policies = await self._policies.of(connection, tenant_id)
            _refuse_unknown(team, policies)
            members = await self._people.members(connection, tenant_id, team)
            names = [member.person for member in members]
            loads = await self._queues.loads(connection, tenant_id, team, names)
        capacity, at = policies.capacity, self._clock.now()
        return {
            "team": team,
            "automatic": capacity.gives(team),
            "members": [_shown(m, sum(loads.get(m.person, {}).values()), policies, at) for m in members],
        }

    async def one(self, tenant_id: str, team: str, person: str) -> dict[str, Any]:
        team_shown = await self.of(tenant_id, team)
        for member in team_shown["members"]:
            if member["person"] == person:
                return dict(member)
        raise not_found(f"{person} in the team {team}")

    async def enter(self, tenant_id: str, team: str, person: str, body: MemberIn, actor: str) -> None:
        _refuse_nobody(person)
        if time_zone(body.time_zone) is None:
            raise invalid((("/time_zone", "is no IANA time zone; write one such as Europe/Berlin"),))
        at = self._clock.now()
        member = Member(
            team,
            person,
            body.cap,
            tuple(sorted(set(body.tiers))),
            tuple(sorted(set(body.skills))),
            body.time_zone,
            body.away_until,
            at,
            actor,
        )
        async with self._database.tenant(tenant_id) as connection:
            policies = await self._policies.of(connection, tenant_id)
            _refuse_unknown(team, policies)
            await self._people.keep(connection, tenant_id, member)
            drained = await self._assignment.drain(connection, tenant_id, [team], policies, at)
            await self._outbox.add(connection, drained.outgoing)
        if drained.outgoing:
            self._outbox.wake()

    async def remove(self, tenant_id: str, team: str, person: str) -> None:
        async with self._database.tenant(tenant_id) as connection:
            if not await self._people.remove(connection, tenant_id, team, person):
                raise not_found(f"{person} in the team {team}")

    async def allocation(self, tenant_id: str, allocation_id: str) -> dict[str, Any]:
        async with self._database.tenant(tenant_id) as connection:
            kept = await self._queues.recorded(connection, tenant_id, allocation_id)
        if kept is None:
            raise not_found(f"Allocation {allocation_id}")
        return {name: kept[name] for name in ("id", "team", "at", "inputs", "outcome")}


def team_routes(teams: Teams, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["teams"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]
    one = "/v1/teams/{team}/members/{person}"

    @router.get("/v1/teams/{team}/members", response_model=MembersOut, summary="Who works for a team")
    async def members(team: TeamName, who: readers) -> dict[str, Any]:
        return await teams.of(who.tenant_id, team)

    @router.get(one, response_model=MemberOut, summary="One person of a team, with how much they have")
    async def member(team: TeamName, person: PersonName, who: readers) -> dict[str, Any]:
        return await teams.one(who.tenant_id, team, person)

    @router.put(one, response_model=MemberOut, summary="This person works for the team, within this cap")
    async def enter(
        team: TeamName, person: PersonName, body: MemberIn, who: writers, actor: Actor = None
    ) -> dict[str, Any]:
        await teams.enter(who.tenant_id, team, person, body, actor_of(actor, who))
        return await teams.one(who.tenant_id, team, person)

    @router.delete(one, status_code=204, summary="Gives this person nothing more; what they have stays")
    async def remove(team: TeamName, person: PersonName, who: writers) -> Response:
        await teams.remove(who.tenant_id, team, person)
        return Response(status_code=204)

    @router.get("/v1/allocations/{allocation_id}", summary="What was given to whom, and from what it follows")
    async def allocation(allocation_id: PersonName, who: readers) -> dict[str, Any]:
        return await teams.allocation(who.tenant_id, allocation_id)

    return router


def _refuse_unknown(team: str, policies: Policies) -> None:
    if team not in policies.routing.titles:
        raise not_found(f"The team {team}")


def _refuse_nobody(person: str) -> None:
    if person in RESERVED or person != person.strip():
        raise invalid((("path:person", f"must be a person's name, and none of {', '.join(RESERVED)}"),))


def _shown(member: Member, load: int, policies: Policies, at: datetime) -> dict[str, Any]:
    cap = policies.capacity.cap_of(member.team, member.cap)
    here = member.away_until is None or member.away_until <= at
    return {
        "team": member.team,
        "person": member.person,
        "cap": member.cap,
        "tiers": list(member.tiers),
        "skills": list(member.skills),
        "time_zone": member.time_zone,
        "away_until": member.away_until,
        "load": load,
        "room": max(0, cap - load) if here else 0,
        "changed_at": member.changed_at,
        "changed_by": member.changed_by,
    }
