"""What a decision looks at, out of all that is known of the people concerned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.sampling.arms import Arms
from heardback_ingest.app.sampling.budgets import Budgets, Room
from heardback_ingest.app.surveys.ports import Asked, Circumstances, Invitations, Since, Surroundings
from heardback_ingest.domain.sampling.arms import ARM
from heardback_ingest.domain.surveys.facts import Facts, Invitation, Person, Reach, Request
from heardback_ingest.domain.surveys.policy import AttributeValue, Rule, SurveysPolicy
from heardback_ingest.domain.surveys.windows import look_back
from heardback_shared.contact.domain import ContactRules, Recipient, Touch
from heardback_shared.contact.ports import Contacts
from heardback_shared.contact.verdict import WEEK


class MovedError(Exception):
    """What was locked is not what it was: somebody became another person, came to another account, or another
    customer's reservation took the same key. Nothing is kept; trying again looks again."""


@dataclass(frozen=True, slots=True)
class Who:
    recipient: Recipient
    account_id: str | None
    touches: Sequence[Touch] = ()

    @property
    def person_id(self) -> str:
        return self.recipient.person_id

    @property
    def found_as(self) -> tuple[str, str | None]:
        """Person and account as on the card, whatever account was asked for."""
        return self.recipient.person_id, self.recipient.account_id

    def reach(self, rules: ContactRules) -> Reach:
        return Reach(
            rules, _zone(self.recipient.time_zone) or rules.time_zone, self.recipient.quiet or rules.quiet
        )

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
    def __init__(self, invitations: Invitations, contacts: Contacts, arms: Arms, budgets: Budgets) -> None:
        self._invitations = invitations
        self._contacts = contacts
        self._arms = arms
        self._budgets = budgets

    async def locked(
        self, c: AsyncConnection, tenant_id: str, requests: Sequence[Request]
    ) -> Mapping[str, tuple[str, str | None]]:
        """Everybody, people before accounts, so that two who lock several never wait for each other.

        By customer id the (person, account) that was locked; only what is read after it is sure.
        """
        ids = [request.customer_id for request in requests]
        found = await self._contacts.lock_of(c, tenant_id, ids)
        named = {request.account_id or found[request.customer_id][1] for request in requests}
        accounts = sorted(account for account in named if account is not None)
        await self._invitations.lock_accounts(c, tenant_id, accounts)
        return found

    async def people(
        self,
        c: AsyncConnection,
        tenant_id: str,
        requests: Sequence[Request],
        policy: SurveysPolicy,
        now: datetime,
    ) -> list["Who"]:
        """One for each request, in order, with how they were reached for as long as that matters."""
        ids = sorted({request.customer_id for request in requests})
        since = now - max(policy.suppress.messages_within, WEEK)
        found = await self._contacts.reached(c, tenant_id, ids, now, since)
        people = [(request, *found[request.customer_id]) for request in requests]
        return [Who(one, asked.account_id or one.account_id, touches) for asked, one, touches in people]

    async def facts(
        self,
        c: AsyncConnection,
        tenant_id: str,
        requests: Sequence[Request],
        people: Sequence["Who"],
        policy: SurveysPolicy,
        contact: ContactRules,
        around: Surroundings,
        now: datetime,
        *,
        taking: bool,
    ) -> "Gathered":
        """`taking`: places are to be kept, so what is left of a plan is held for this transaction."""
        found = await self._invitations.circumstances(
            c, tenant_id, _asked(requests, people, policy), _since(policy, now)
        )
        accounts = {
            who.account_id: one.of_account
            for who, one in zip(people, found, strict=True)
            if who.account_id is not None and one.of_account
        }
        persons = sorted({who.person_id for who in people})
        arms = await self._arms.of(c, tenant_id, around.experiment, persons)
        rooms: list[Room | None] = [None] * len(requests)
        if around.planned:
            segments = [(r.survey, who.recipient.segment) for r, who in zip(requests, people, strict=True)]
            rooms = await self._budgets.rooms(c, tenant_id, segments, taking=taking)
        facts = [
            Facts(
                who.person(one, arms[who.person_id]),
                one.invitations,
                accounts.get(who.account_id or "", ()),
                one.open_items,
                one.severe,
                one.cues,
                tuple(sorted({*one.answers, *_answered(one.invitations)})),
                *_messages(who.touches, one.invitations),
                who.reach(contact),
                around.crisis.because if around.crisis else None,
                around.crisis.ends_at if around.crisis else None,
                around.sending_stopped,
                one.skipped_because,
                room.because if room is not None and room.left <= 0 else None,
            )
            for who, one, room in zip(people, found, rooms, strict=True)
        ]
        return Gathered(facts, rooms)


@dataclass(frozen=True, slots=True)
class Gathered:
    """One of each for each request, in order."""

    facts: Sequence[Facts]
    rooms: Sequence[Room | None]


def _asked(requests: Sequence[Request], people: Sequence[Who], policy: SurveysPolicy) -> list[Asked]:
    """The invitations of an account are read with the first of its people."""
    seen: set[str | None] = {None}
    wanted = any(rule.scope != "contact" for rule in policy.rules)
    asked = []
    for request, who in zip(requests, people, strict=True):
        account = who.account_id if wanted and who.account_id not in seen else None
        seen.add(account)
        conversation = request.conversation.id if request.conversation else None
        asked.append(Asked(request.customer_id, who.person_id, conversation, account))
    return asked


def _answered(invitations: Sequence[Invitation]) -> list[datetime]:
    return [one.answered_at for one in invitations if one.answered_at is not None]


def _messages(
    touches: Sequence[Touch], invitations: Sequence[Invitation]
) -> tuple[tuple[datetime, ...], tuple[datetime, ...]]:
    """Those of other kinds, that a machine sent and that a person released; invitations are counted as what
    they are, with the time they are kept for."""
    ours = {one.id for one in invitations}
    others = [one for one in touches if one.id not in ours]
    return tuple(t.at for t in others if t.automatic), tuple(t.at for t in others if not t.automatic)


def _since(policy: SurveysPolicy, now: datetime) -> Since:
    """Before these, nothing can matter."""
    suppress = policy.suppress
    least = [policy.reservation, suppress.messages_within, suppress.just_answered or timedelta(), WEEK]
    person = _look_back(policy.rules, max(least))
    account = _look_back([rule for rule in policy.rules if rule.scope != "contact"], policy.reservation)
    return Since(
        None if person is None else now - person,
        None if account is None else now - account,
        now - _heard_back(policy),
    )


def _look_back(rules: Sequence[Rule], least: timedelta) -> timedelta | None:
    """How far back an invitation can matter to one of the rules; None: without end."""
    lengths = [look_back(w) for rule in rules for w in (rule.window, *(s.window for s in rule.shorter))]
    if any(length is None for length in lengths):
        return None
    return max([least, *(length for length in lengths if length is not None)])


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
