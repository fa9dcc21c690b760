"""Use cases: what people do to change records and campaigns, each deed one transaction with its history."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.campaigns import domain
from heardback_router.campaigns.change_store import PostgresChanges
from heardback_router.campaigns.claims import ItemFacts, Refusal, decision_on, refusals, unfinished
from heardback_router.campaigns.domain import Campaign, CampaignError, ChangeRecord, ForbiddenError, Picked
from heardback_router.campaigns.drafting import message_id_of
from heardback_router.campaigns.evidence import PostgresEvidence
from heardback_router.campaigns.people import Person, gathered
from heardback_router.campaigns.store import PostgresCampaigns
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.messages.domain import Result
from heardback_router.outreach.ports import Outreach
from heardback_router.wording import CustomerText, InternalText, Translations
from heardback_shared.clock import Clock
from heardback_shared.contact.ports import Contacts
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.ids import new_id

MOST_ITEMS = 200
CANCELLED = "the campaign was cancelled by {by}"


@dataclass(frozen=True, slots=True)
class Done:
    """A change as somebody reports it."""

    result: Result
    what: InternalText
    tell: CustomerText
    on: date
    reference: str | None
    item_ids: tuple[str, ...]
    translations: Translations


@dataclass(frozen=True)
class Concerned:
    """Everybody a campaign concerns now, and what is decided about them."""

    items: Sequence[ItemFacts]
    changes: Sequence[ChangeRecord]
    people: Sequence[Person]
    policies: Policies

    @cached_property
    def decision(self) -> dict[str, Any]:
        return decision_on(
            self.items, self.changes, self.people, self.policies.telling, self.policies.messages.name
        )


@dataclass(frozen=True)
class Judged(Concerned):
    """With what keeps the campaign from being sent."""

    refusals: Sequence[Refusal]


class Campaigns:
    """Everything raises ProblemError for what the caller can mend, and then changes nothing."""

    def __init__(
        self,
        database: Database,
        contacts: Contacts,
        outreach: Outreach,
        policies: PolicySource,
        clock: Clock,
    ) -> None:
        self.database = database
        self.contacts = contacts
        self.outreach = outreach
        self.store = PostgresCampaigns()
        self.changes = PostgresChanges()
        self.evidence = PostgresEvidence()
        self._policies = policies
        self._clock = clock

    async def record(self, tenant_id: str, done: Done, by: str) -> ChangeRecord:
        at = self._clock.now()
        async with self.database.tenant(tenant_id) as connection:
            await self._known(connection, tenant_id, done.item_ids, "/item_ids")
            change = ChangeRecord(
                new_id("ch"),
                done.result,
                done.what,
                done.tell,
                done.on,
                done.reference,
                done.item_ids,
                by,
                at,
                translations=done.translations,
            )
            await self.changes.record(connection, tenant_id, change)
        return change

    async def review(self, tenant_id: str, change_id: str, by: str) -> ChangeRecord:
        async with self.database.tenant(tenant_id) as connection:
            change = await self.changes.lock(connection, tenant_id, change_id)
            if change is None:
                raise not_found(f"Change {change_id}")
            with _refusals():
                after = domain.reviewed(change, by, self._clock.now())
            await self.changes.review(connection, tenant_id, after)
        return after

    async def make(
        self, tenant_id: str, name: str, picked: Picked, change_ids: tuple[str, ...], by: str
    ) -> Campaign:
        at = self._clock.now()
        async with self.database.tenant(tenant_id) as connection:
            chosen, item_ids = await self._chosen(connection, tenant_id, picked)
            await self._known_changes(connection, tenant_id, change_ids)
            campaign = Campaign(new_id("ca"), name, chosen, item_ids, change_ids, by, at)
            await self.store.add(connection, tenant_id, campaign)
            await self.store.note(connection, tenant_id, campaign.id, "made", by, at)
        return campaign

    async def revise(
        self,
        tenant_id: str,
        campaign_id: str,
        versions: frozenset[int] | None,
        name: str,
        picked: Picked,
        change_ids: tuple[str, ...],
        by: str,
    ) -> Campaign:
        async with self.database.tenant(tenant_id) as connection:
            campaign = await self.locked(connection, tenant_id, campaign_id, versions)
            chosen, item_ids = await self._chosen(connection, tenant_id, picked)
            await self._known_changes(connection, tenant_id, change_ids)
            with _refusals():
                after = domain.revised(campaign, name, chosen, item_ids, change_ids)
            return await self._kept(connection, tenant_id, after, "revised", by)

    async def submit(
        self, tenant_id: str, campaign_id: str, versions: frozenset[int] | None, by: str
    ) -> Campaign:
        async with self.database.tenant(tenant_id) as connection:
            campaign = await self.locked(connection, tenant_id, campaign_id, versions)
            with _refusals():
                after = domain.submitted(campaign, by, self._clock.now())
            _refuse((await self.judged(connection, tenant_id, campaign)).refusals)
            return await self._kept(connection, tenant_id, after, "submitted", by)

    async def return_(
        self, tenant_id: str, campaign_id: str, versions: frozenset[int] | None, by: str, reason: str
    ) -> Campaign:
        async with self.database.tenant(tenant_id) as connection:
            campaign = await self.locked(connection, tenant_id, campaign_id, versions)
            with _refusals():
                after = domain.returned(campaign)
            return await self._kept(connection, tenant_id, after, "returned", by, reason)

    async def approve(
        self, tenant_id: str, campaign_id: str, versions: frozenset[int] | None, by: str
    ) -> Campaign:
        """Works out anew whom it concerns and whether it may be sent: what was true when it was submitted
        may not be true any more, and who has written since hears, too."""
        at = self._clock.now()
        async with self.database.tenant(tenant_id) as connection:
            campaign = await self.locked(connection, tenant_id, campaign_id, versions)
            await self.store.one_at_a_time(connection, tenant_id)
            judged = await self.judged(connection, tenant_id, campaign)
            _refuse(judged.refusals)
            ids = {
                one.person_id: message_id_of(tenant_id, campaign.id, one.person_id)
                for one in judged.people
                if one.code is None
            }
            with _refusals():
                after = domain.approved(campaign, by, at, judged.decision, len(ids))
            await self.store.keep_people(connection, tenant_id, campaign.id, judged.people, ids)
            return await self._kept(connection, tenant_id, after, "approved", by)

    async def pause(self, tenant_id: str, campaign_id: str, by: str) -> Campaign:
        """Nothing more is handed on, and what waits is held. What a channel has already, it keeps."""
        at = self._clock.now()
        async with self.database.tenant(tenant_id) as connection:
            campaign = await self.locked(connection, tenant_id, campaign_id)
            with _refusals():
                after = domain.paused(campaign, at)
            await self.outreach.pause(connection, tenant_id, campaign_id, at)
            return await self._kept(connection, tenant_id, after, "paused", by)

    async def resume(self, tenant_id: str, campaign_id: str, by: str) -> Campaign:
        at = self._clock.now()
        async with self.database.tenant(tenant_id) as connection:
            campaign = await self.locked(connection, tenant_id, campaign_id)
            with _refusals():
                after = domain.resumed(campaign, at)
            items = await self.evidence.items(connection, tenant_id, campaign.item_ids, cues=False)
            changes = await self.changes.get(connection, tenant_id, campaign.change_ids)
            _refuse(tuple(unfinished(items, changes)))
            await self.outreach.resume(connection, tenant_id, campaign_id, at)
            return await self._kept(connection, tenant_id, after, "resumed", by)

    async def cancel(self, tenant_id: str, campaign_id: str, by: str, reason: str) -> Campaign:
        """Whoever has not been told by now may be told by another campaign."""
        at = self._clock.now()
        async with self.database.tenant(tenant_id) as connection:
            campaign = await self.locked(connection, tenant_id, campaign_id)
            with _refusals():
                after = domain.cancelled(campaign, at)
            people = await self.store.batch(connection, tenant_id, campaign_id, 0, campaign.recipients)
            handed = [message_id for _, message_id in people[: campaign.fed]]
            stopped = await self.outreach.cancel(connection, tenant_id, handed, CANCELLED.format(by=by), at)
            untold = [*stopped, *(message_id for _, message_id in people[campaign.fed :])]
            await self.store.forget_untold(connection, tenant_id, untold)
            return await self._kept(connection, tenant_id, after, "cancelled", by, reason)

    async def concerned(self, connection: AsyncConnection, tenant_id: str, campaign: Campaign) -> Concerned:
        at = self._clock.now()
        policies = await self._policies.of(connection, tenant_id)
        items = await self.evidence.items(connection, tenant_id, campaign.item_ids)
        changes = await self.changes.get(connection, tenant_id, campaign.change_ids)
        stakes = await self.evidence.stakes(connection, tenant_id, campaign.item_ids)
        ids = sorted({stake.customer_id for stake in stakes if stake.customer_id is not None})
        recipients = await self.contacts.recipients(connection, tenant_id, ids, at)
        told = await self.store.told(connection, tenant_id, campaign.change_ids)
        return Concerned(items, changes, gathered(stakes, recipients, changes, told), policies)

    async def judged(self, connection: AsyncConnection, tenant_id: str, campaign: Campaign) -> Judged:
        at = self._clock.now()
        found = await self.concerned(connection, tenant_id, campaign)
        items, changes, people = found.items, found.changes, found.people
        guarded = [one async for one in self.evidence.guarded(connection, tenant_id, campaign.item_ids)]
        texts = found.policies.messages
        faults = refusals(items, campaign.change_ids, changes, people, guarded, texts, at)
        return Judged(items, changes, people, found.policies, faults)

    async def locked(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        campaign_id: str,
        versions: frozenset[int] | None = None,
    ) -> Campaign:
        campaign = await self.store.get(connection, tenant_id, campaign_id, lock=True)
        if campaign is None:
            raise not_found(f"Campaign {campaign_id}")
        if versions is not None and campaign.version not in versions:
            raise ProblemError(
                412,
                "stale-version",
                "It has changed since you saw it",
                f"It is at version {campaign.version} now; GET it, look again, and send the new ETag.",
                headers={"ETag": f'"{campaign.version}"'},
            )
        return campaign

    async def _kept(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        after: Campaign,
        kind: str,
        by: str,
        reason: str | None = None,
    ) -> Campaign:
        await self.store.save(connection, tenant_id, after)
        await self.store.note(connection, tenant_id, after.id, kind, by, self._clock.now(), reason)
        return after

    async def _chosen(
        self, connection: AsyncConnection, tenant_id: str, picked: Picked
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """(how, which items), as they are frozen with the campaign."""
        if not (picked.items or picked.cases or picked.filters):
            raise invalid((("/items", "say which items: items, cases, or a filter"),))
        await self._known(connection, tenant_id, picked.items, "/items")
        found = [
            *picked.items,
            *await self.evidence.picked(connection, tenant_id, picked, MOST_ITEMS + 1),
        ]
        item_ids = tuple(dict.fromkeys(found))
        if not item_ids:
            raise invalid((("/filter", "no item is like this"),))
        if len(item_ids) > MOST_ITEMS:
            raise invalid((("/filter", f"these are more than {MOST_ITEMS} items; narrow it down"),))
        return picked.record, item_ids

    async def _known(
        self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str], pointer: str
    ) -> None:
        found = {item.id: item for item in await self.evidence.items(connection, tenant_id, item_ids)}
        faults = []
        for number, item_id in enumerate(item_ids):
            if item_id not in found:
                faults.append((f"{pointer}/{number}", f"there is no item {item_id}"))
            elif found[item_id].state == "merged":
                faults.append((f"{pointer}/{number}", f"{item_id} was merged into another item; name that"))
        if faults:
            raise invalid(tuple(faults))

    async def _known_changes(
        self, connection: AsyncConnection, tenant_id: str, change_ids: Sequence[str]
    ) -> None:
        found = {change.id for change in await self.changes.get(connection, tenant_id, change_ids)}
        faults = tuple(
            (f"/changes/{number}", f"there is no change {change_id}")
            for number, change_id in enumerate(change_ids)
            if change_id not in found
        )
        if faults:
            raise invalid(faults)


def _refuse(found: Sequence[Refusal]) -> None:
    if not found:
        return
    raise ProblemError(
        409,
        "not-to-be-sent",
        "It cannot be sent as it is",
        f"{len(found)} thing(s) keep it from being sent; nobody is told anything.",
        tuple((one.pointer, f"{one.code}: {one.detail}") for one in found),
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ForbiddenError as error:
        raise ProblemError(403, "four-eyes", "Somebody else has to do this", f"{error}.") from error
    except CampaignError as error:
        raise ProblemError(409, "not-now", "It does not allow this now", f"{error}.") from error
