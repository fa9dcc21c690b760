"""What a decision looks at, out of all that is known of the people concerned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.arms import Arms
from heardback_ingest.app.sampling.budgets import Budgets
from heardback_ingest.app.surveys.ports import Asked, Circumstances, Invitations, Stops
from heardback_ingest.domain.sampling.arms import ARM
from heardback_ingest.domain.surveys.facts import Facts, Invitation, Person, Request
from heardback_ingest.domain.surveys.policy import AttributeValue, SurveysPolicy
from heardback_ingest.domain.surveys.windows import look_back
from heardback_shared.contact.domain import Recipient, Touch
from heardback_shared.contact.ports import Contacts


class MovedError(Exception):
    """What was locked is not what it was: somebody became another person, came to another account, or another
    customer's reservation took the same key. Nothing is kept; trying again looks again."""


@dataclass(frozen=True, slots=True)
class Who:
    recipient: Recipient
    account_id: str | None

    @property
    def person_id(self) -> str:
        return self.recipient.person_id

    def person(self, known: Circumstances, arm: str) -> Person:
        of = self.recipient
        told = {
            "customer.tier": of.tier,
            "customer.segment": of.segment,
            "customer.language": of.language,
            "customer.region": of.region,
            ARM: arm,
        }
        attributes: dict[str, AttributeValue] = {n: v for n, v in told.items() if v is not None}
        return Person(
            of.person_id,
            self.account_id,
            _zone(of.time_zone),
            known.known,
            known.erased,
            "surveys" in of.refused,
            "surveys" in of.agreed,
            of.held_because,
            attributes,
        )


class Gather:
    def __init__(
        self, invitations: Invitations, stops: Stops, contacts: Contacts, arms: Arms, budgets: Budgets
    ) -> None:
        self._invitations = invitations
        self._stops = stops
        self._contacts = contacts
        self._arms = arms
        self._budgets = budgets

    async def locked(
        self, c: AsyncConnection, tenant_id: str, requests: Sequence[Request], now: datetime
    ) -> list["Who"]:
        """Everybody, people before accounts, so that two who lock several never wait for each other."""
        before = await self.people(c, tenant_id, requests, now)
        await self._contacts.lock(c, tenant_id, sorted({who.person_id for who in before}))
        accounts = {who.account_id for who in before if who.account_id is not None}
        await self._invitations.lock_accounts(c, tenant_id, sorted(accounts))
        # Only what is read after the lock is sure.
        after = await self.people(c, tenant_id, requests, now)
        if [(w.person_id, w.account_id) for w in before] != [(w.person_id, w.account_id) for w in after]:
            raise MovedError
        return after

    async def people(
        self, c: AsyncConnection, tenant_id: str, requests: Sequence[Request], now: datetime
    ) -> list["Who"]:
        ids = sorted({request.customer_id for request in requests})
        found = await self._contacts.recipients(c, tenant_id, ids, now)
        return [Who(found[r.customer_id], r.account_id or found[r.customer_id].account_id) for r in requests]

    async def facts(
        self,
        c: AsyncConnection,
        tenant_id: str,
        requests: Sequence[Request],
        people: Sequence["Who"],
        policy: SurveysPolicy,
        now: datetime,
    ) -> list[Facts]:
        asked = [
            Asked(r.customer_id, who.person_id, r.conversation.id if r.conversation else None)
            for r, who in zip(requests, people, strict=True)
        ]
        back = _look_back(policy)
        since = None if back is None else now - back
        heard_since = now - _heard_back(policy)
        found = await self._invitations.circumstances(c, tenant_id, asked, since, heard_since)
        accounts: Mapping[str, Sequence[Invitation]] = {}
        if any(rule.scope != "contact" for rule in policy.rules):
            ids = sorted({who.account_id for who in people if who.account_id is not None})
            accounts = await self._invitations.of_accounts(c, tenant_id, ids, since)
        touches: Mapping[str, Sequence[Touch]] = {}
        if policy.suppress.messages is not None:
            persons = sorted({who.person_id for who in people})
            touches = await self._contacts.touches(
                c, tenant_id, persons, now - policy.suppress.messages_within
            )
        stopped = await self._contacts.sending_stopped(c, tenant_id)
        crisis = await self._stops.crisis(c, tenant_id, now)
        arms = await self._arms.of(c, tenant_id, sorted({who.person_id for who in people}))
        segments = [(r.survey, who.recipient.segment) for r, who in zip(requests, people, strict=True)]
        closed = await self._budgets.closed(c, tenant_id, segments)
        return [
            Facts(
                who.person(one, arms[who.person_id]),
                one.invitations,
                tuple(accounts.get(who.account_id or "", ())),
                one.open_items,
                one.severe,
                one.cues,
                tuple(sorted({*one.answers, *_answered(one.invitations)})),
                _messages(touches.get(who.person_id, ()), one.invitations),
                crisis.because if crisis else None,
                crisis.ends_at if crisis else None,
                stopped,
                one.skipped_because,
                enough,
            )
            for who, one, enough in zip(people, found, closed, strict=True)
        ]


def _answered(invitations: Sequence[Invitation]) -> list[datetime]:
    return [one.answered_at for one in invitations if one.answered_at is not None]


def _messages(touches: Sequence[Touch], invitations: Sequence[Invitation]) -> tuple[datetime, ...]:
    """Those of other kinds; invitations are counted as what they are, with the time they are kept for."""
    ours = {one.id for one in invitations}
    return tuple(one.at for one in touches if one.id not in ours)


def _look_back(policy: SurveysPolicy) -> timedelta | None:
    """How far back an invitation can matter; None: without end."""
    lengths = [
        look_back(w) for rule in policy.rules for w in (rule.window, *(s.window for s in rule.shorter))
    ]
    if any(length is None for length in lengths):
        return None
    suppress = policy.suppress
    more = [policy.reservation, suppress.messages_within, suppress.just_answered or timedelta()]
    return max([*more, *(length for length in lengths if length is not None)])


def _heard_back(policy: SurveysPolicy) -> timedelta:
    suppress = policy.suppress
    lengths = (suppress.just_answered, suppress.severe_within, suppress.vulnerable_within)
    return max((length for length in lengths if length is not None), default=timedelta())


def _zone(name: str | None) -> str | None:
    """None where this machine's zone tables do not have it (any more)."""
    try:
        return None if name is None else ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        return None
