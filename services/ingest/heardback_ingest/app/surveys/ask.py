"""May we ask, and keep a place for it: the story of one decision.

Look who it is, lock the people and their accounts, look again, decide, write down why. One transaction; when
`reserve` has returned, the place is on disk and every later decision counts it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.surveys.gather import Gather, Gathered, MovedError, Who
from heardback_ingest.app.surveys.ports import Act, Held, Invitations, Logged, Stops, Surroundings, SurveyLog
from heardback_ingest.domain.surveys.engine import decide
from heardback_ingest.domain.surveys.facts import Decision, Facts, Invitation, Request
from heardback_ingest.domain.surveys.policy import SurveysPolicy
from heardback_ingest.domain.surveys.reach import place_ends
from heardback_ingest.domain.surveys.record import answer_of, inputs_of, spelled_at
from heardback_shared.clock import Clock
from heardback_shared.contact.domain import Channel, ContactRules, Touch
from heardback_shared.contact.ports import Contacts
from heardback_shared.db.database import Database
from heardback_shared.errors import TransientError
from heardback_shared.ids import derived_id, new_id
from heardback_shared.policies.in_force import Deciding, PoliciesInForce

KIND = "surveys"
CONTACT = "contact"
KINDS = (KIND, CONTACT)
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """One request. The same `key` is the same reservation, whoever sends it and however often."""

    request: Request
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is what is said to who asks. `refused`: the key is that of a reservation of something else."""

    body: Mapping[str, Any]
    refused: bool = False


class Ask:
    def __init__(
        self,
        database: Database,
        invitations: Invitations,
        log: SurveyLog,
        stops: Stops,
        gather: Gather,
        contacts: Contacts,
        policies: PoliciesInForce,
        clock: Clock,
    ) -> None:
        self._database = database
        self._invitations = invitations
        self._log = log
        self._stops = stops
        self._gather = gather
        self._contacts = contacts
        self._policies = policies
        self._clock = clock
        self._texts_kept: set[tuple[str, str]] = set()
        """(tenant, digest) of the policies whose text is known to be on disk."""

    async def check(self, tenant_id: str, wanted: Sequence[Request], by: str) -> list[Answer]:
        """One answer each, in order, each as if it alone were asked. Nothing is reserved."""
        now = self._clock.now()
        async with self._database.tenant(tenant_id, by_key=True) as c:
            deciding, contact, around = await self._setting(c, tenant_id, now)
            people = await self._gather.people(c, tenant_id, wanted, deciding.policy, now)
            found = await self._gather.facts(
                c, tenant_id, wanted, people, deciding.policy, contact, around, now, taking=False
            )
            made = [
                _Made(request, of, decide(request, of, deciding.policy, now), new_id("sd"))
                for request, of in zip(wanted, found.facts, strict=True)
            ]
            await self._write(c, tenant_id, "check", made, deciding, now, by)
        self._texts_kept.add((tenant_id, deciding.digest))
        return [Answer(_told(one, deciding)) for one in made]

    async def reserve(self, tenant_id: str, wanted: Sequence[Wanted], by: str) -> list[Answer]:
        """One answer each, in order; each counts for those after it. All of it commits, or none.

        Raises TransientError when the people kept changing who they are.
        """
        for _ in range(ATTEMPTS):
            try:
                return await self._reserve(tenant_id, wanted, by)
            except MovedError:
                continue
        raise TransientError("the customers asked about were changed at the same time, again and again")

    async def _reserve(self, tenant_id: str, wanted: Sequence[Wanted], by: str) -> list[Answer]:
        requests = [one.request for one in wanted]
        ids = [_id(tenant_id, one.key) for one in wanted]
        async with self._database.tenant(tenant_id, by_key=True) as c:
            locked = await self._gather.locked(c, tenant_id, requests)
            now = self._clock.now()  # after the lock, so that decisions about a person are in order of time
            deciding, contact, around = await self._setting(c, tenant_id, now)
            people = await self._gather.people(c, tenant_id, requests, deciding.policy, now)
            if any(who.found_as != locked[who.recipient.customer_id] for who in people):
                raise MovedError
            keyed = [place for place, one in zip(ids, wanted, strict=True) if one.key is not None]
            held = dict(await self._invitations.held(c, tenant_id, keyed)) if keyed else {}
            found = await self._gather.facts(
                c, tenant_id, requests, people, deciding.policy, contact, around, now, taking=True
            )
            answers: list[Answer] = []
            batch = _Batch(deciding, now)
            for number, (request, place) in enumerate(zip(requests, ids, strict=True)):
                known = held.get(place)
                if known is None:
                    new = batch.decide(request, found, people, number, place)
                    if new is not None:
                        held[place] = new
                    answers.append(Answer(_told(batch.made[-1], deciding, new)))
                else:
                    answers.append(_again(known, request))
            if not await self._invitations.add(c, tenant_id, batch.kept):
                raise MovedError
            await self._contacts.note(c, tenant_id, [touch(one) for one in batch.kept])
            await self._write(c, tenant_id, "reserve", batch.made, deciding, now, by)
        if batch.made:
            self._texts_kept.add((tenant_id, deciding.digest))
        return answers

    async def _setting(
        self, c: AsyncConnection, tenant_id: str, now: datetime
    ) -> tuple[Deciding, ContactRules, Surroundings]:
        around = await self._stops.surroundings(c, tenant_id, KINDS, now)
        found = await self._policies.all_deciding(c, tenant_id, KINDS, around.policies)
        return found[KIND], found[CONTACT].policy, around

    async def _write(
        self,
        c: AsyncConnection,
        tenant_id: str,
        act: Act,
        made: Sequence["_Made"],
        deciding: Deciding,
        now: datetime,
        by: str,
    ) -> None:
        logged = [
            Logged(
                one.id,
                now,
                act,
                one.request,
                one.decision.allowed,
                answer_of(one.decision),
                deciding.name,
                deciding.digest,
                inputs_of(one.request, one.facts, now),
                one.place,
                by,
            )
            for one in made
        ]
        known = (tenant_id, deciding.digest) in self._texts_kept
        await self._log.add(c, tenant_id, logged, None if known else deciding.text)


@dataclass(frozen=True, slots=True)
class _Made:
    request: Request
    facts: Facts
    decision: Decision
    id: str
    place: str | None = None


class _Batch:
    """Decides one after the other; a place that was kept counts for those that follow."""

    def __init__(self, deciding: Deciding, now: datetime) -> None:
        self._deciding = deciding
        self._now = now
        self._of_person: dict[str, list[Invitation]] = defaultdict(list)
        self._of_account: dict[str, list[Invitation]] = defaultdict(list)
        self._of_plan: dict[str, int] = defaultdict(int)
        self.made: list[_Made] = []
        self.kept: list[Held] = []

    def decide(
        self, request: Request, found: Gathered, people: Sequence[Who], number: int, place: str
    ) -> Held | None:
        """The place kept for the request of this number; None if it may not be asked."""
        policy: SurveysPolicy = self._deciding.policy
        who, room = people[number], found.rooms[number]
        facts = _with_more(
            found.facts[number],
            self._of_person[who.person_id],
            self._of_account[who.account_id] if who.account_id else (),
        )
        if room is not None and self._of_plan[room.plan_id] >= room.left:
            facts = replace(facts, enough_because=room.because)
        decision = decide(request, facts, policy, self._now)
        made = _Made(request, facts, decision, new_id("sd"), place if decision.allowed else None)
        self.made.append(made)
        if not decision.allowed:
            return None
        invitation = Invitation(
            place,
            request.survey,
            request.type,
            request.channel,
            request.touchpoint,
            request.kind,
            "reserved",
            self._now,
            place_ends(facts, policy.suppress, self._now, self._now + policy.reservation),
        )
        held = Held(
            invitation, request.customer_id, who.person_id, who.account_id, made.id, self._deciding.name
        )
        self.kept.append(held)
        if room is not None and request.kind == "invitation":
            self._of_plan[room.plan_id] += 1
        self._of_person[who.person_id].append(invitation)
        if who.account_id is not None:
            self._of_account[who.account_id].append(invitation)
        return held


def _with_more(facts: Facts, of_person: Sequence[Invitation], of_account: Sequence[Invitation]) -> Facts:
    if not of_person and not of_account:
        return facts
    return replace(
        facts,
        invitations=(*facts.invitations, *of_person),
        account_invitations=(*facts.account_invitations, *of_account),
    )


def touch(held: Held) -> Touch:
    """The invitation as it counts among all that we write to the person."""
    of = held.invitation
    channels: dict[str, Channel] = {"email": "email", "sms": "sms", "in_app": "in_app"}
    at = of.sent_at or of.reserved_at
    return Touch(of.id, held.person_id, "surveys", channels.get(of.channel, "webhook"), True, at)


def _id(tenant_id: str, key: str | None) -> str:
    return new_id("si") if key is None else derived_id("si", tenant_id, key)


def _told(made: _Made, deciding: Deciding, held: Held | None = None) -> dict[str, Any]:
    told = {**answer_of(made.decision), "rules": f"{KIND}:{deciding.name}", "decision": made.id}
    return told if held is None else told | _place(held)


def _place(held: Held) -> dict[str, Any]:
    of = held.invitation
    return {"reservation": of.id, "state": of.state, "expires_at": spelled_at(of.expires_at)}


def _again(held: Held, request: Request) -> Answer:
    """What was said the first time, with what became of the place since."""
    of = held.invitation
    same = (held.customer_id, of.survey, of.type, of.channel, of.touchpoint, of.kind)
    asked = (request.customer_id, request.survey, request.type, request.channel, request.touchpoint)
    if same != (*asked, request.kind):
        return Answer({"reservation": of.id}, refused=True)
    body = {"allowed": True, "reasons": [], "next_eligible_at": None, "rules": f"{KIND}:{held.policy}"}
    return Answer(body | {"decision": held.decision_id} | _place(held))
