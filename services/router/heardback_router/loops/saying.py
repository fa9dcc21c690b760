"""Saying a step to the customers behind an item: decided for each person, kept on record, and handed on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import ROUTER
from heardback_router.loops.drafting import Address, Matter, addresses, draft_of, tellings_of
from heardback_router.loops.ports import Loop, LoopStore, Tellings
from heardback_router.loops.review_domain import Review, ReviewState
from heardback_router.loops.review_store import PostgresReviews
from heardback_router.loops.telling import Decision, TellingPolicy, reasons
from heardback_router.outreach.ports import Outreach
from heardback_shared.contact.ports import Contacts
from heardback_shared.ids import derived_id


class Saying:
    def __init__(
        self,
        store: LoopStore,
        tellings: Tellings,
        reviews: PostgresReviews,
        contacts: Contacts,
        outreach: Outreach,
    ) -> None:
        self._store = store
        self._tellings = tellings
        self._reviews = reviews
        self._contacts = contacts
        self._outreach = outreach

    async def say(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        matter: Matter,
        loops: Sequence[Loop],
        policy: TellingPolicy,
        at: datetime,
        *,
        decided: Decision | None = None,
    ) -> Sequence[Address]:
        """What is decided for each person with a loop among these; said before in this round is not said
        again.

        `decided` takes the place of the policy's rules. Messages that may go are in the queue afterwards,
        those for a second person wait in a review.
        """
        named = [loop for loop in loops if loop.customer_id is not None]
        if not named:
            return ()
        customers = sorted({loop.customer_id for loop in named if loop.customer_id is not None})
        recipients = await self._contacts.recipients(connection, tenant_id, customers, at)
        feedback = {feedback_id for loop in named for feedback_id in loop.feedback_ids}
        subjects = await self._store.subjects(connection, tenant_id, feedback)
        found = addresses(matter, named, recipients, subjects, policy)
        if decided is not None:
            found = [replace(address, decision=decided) for address in found]
        waiting = [one for one in found if one.decision.way == "review"]
        going = [one for one in found if one.decision.way == "automatic"]
        held = going if matter.not_before is not None else []
        ids = {
            **dict.fromkeys((one.message_id for one in waiting), _review_id(tenant_id, waiting)),
            **dict.fromkeys((one.message_id for one in held), _review_id(tenant_id, held)),
        }
        made = [
            telling
            for one in found
            for telling in tellings_of(one, matter, policy, ids.get(one.message_id), at)
        ]
        new = await self._tellings.add(connection, tenant_id, made)
        fresh = {message_id for message_id, _ in new}
        going = [one for one in going if one.message_id in fresh]
        drafts = [draft_of(one, matter) for one in going]
        await self._outreach.enqueue(connection, tenant_id, drafts, at)
        await self._review(connection, tenant_id, matter, waiting, fresh, "waiting", at)
        await self._review(connection, tenant_id, matter, held, fresh, "sending", at)
        return found

    async def _review(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        matter: Matter,
        people: Sequence[Address],
        fresh: set[str],
        state: ReviewState,
        at: datetime,
    ) -> None:
        people = [one for one in people if one.message_id in fresh]
        if not people:
            return
        review = Review(
            id=_review_id(tenant_id, people) or "",
            item_id=matter.item_id,
            step=matter.step,
            occasion=matter.occasion,
            state=state,
            because=reasons([one.decision for one in people]),
            version=1,
            author=matter.author or ROUTER,
            text=matter.text,
            drafts=tuple(draft_of(one, matter) for one in people),
            opened_at=at,
            sends_at=matter.not_before if state == "sending" else None,
        )
        await self._reviews.add(connection, tenant_id, review)


def _review_id(tenant_id: str, people: Sequence[Address]) -> str | None:
    return derived_id("rv", tenant_id, people[0].message_id) if people else None
