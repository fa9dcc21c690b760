"""A second person reads what customers are to be told: releases it, rejects it, or puts it in other words.

Whatever goes out by itself after a while can be edited or stopped here as well, until it goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.ports import Wording
from heardback_router.campaigns.domain import ChangeRecord
from heardback_router.campaigns.ports import Changes
from heardback_router.configuration.source import PolicySource
from heardback_router.loops.app import Loops
from heardback_router.loops.ports import LoopStore, Tellings
from heardback_router.loops.review_domain import Review, ReviewError, approved, edited, rejected, sent_by
from heardback_router.loops.review_store import PostgresReviews
from heardback_router.messages.checking import refuse_bad, written
from heardback_router.messages.domain import Result
from heardback_router.outreach.domain import Draft
from heardback_router.outreach.ports import Outreach
from heardback_router.wording import CustomerText, InternalText, Translations
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.ids import derived_id

REJECTED = ("review_rejected", "A second person decided that this is not told.")
STOPPED = "Its owner stopped it."
OTHER_WORDS = "Its owner put it in other words."
SENT = "it has been sent by now, or is being sent; say more in a message of its own"


class UnknownReviewError(Exception):
    """There is no such review in this tenant."""


@dataclass(frozen=True)
class Kept:
    """What is kept of loops."""

    loops: LoopStore
    tellings: Tellings
    reviews: PostgresReviews


class Reviews:
    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        kept: Kept,
        loops: Loops,
        outreach: Outreach,
        changes: Changes,
        policies: PolicySource,
        clock: Clock,
        *,
        wording: Wording,
    ) -> None:
        self._wording = wording
        self._database = database
        self._outbox = outbox
        self._store = kept.loops
        self._tellings = kept.tellings
        self._reviews = kept.reviews
        self._loops = loops
        self._outreach = outreach
        self._changes = changes
        self._policies = policies
        self._clock = clock

    async def approve(self, tenant_id: str, review_id: str, by: str, version: int) -> Review:
        """The messages are on their way then, in the words of this version, with who released them on record.

        Raises UnknownReviewError, FourEyesError and ReviewError.
        """
        async with self._database.tenant(tenant_id) as connection:
            at = self._clock.now()
            review = approved(await self._locked(connection, tenant_id, review_id), by, version, at)
            released = await self._released(connection, tenant_id, review, at)
            # Loops first, then messages, as everybody locks them.
            if review.text is not None and review.step == "told":
                await self._store.put_message(connection, tenant_id, review.loop_ids, review.text)
            await self._outreach.enqueue(connection, tenant_id, released, at)
            await self._reviews.put(connection, tenant_id, review)
        return review

    async def reject(self, tenant_id: str, review_id: str, by: str, reason: InternalText) -> Review:
        """Nobody is told. Raises UnknownReviewError, and ReviewError where that comes too late."""
        async with self._database.tenant(tenant_id) as connection:
            at = self._clock.now()
            review = await self._locked(connection, tenant_id, review_id)
            ended = rejected(review, by, reason, at)
            outgoing = []
            if review.state == "sending":
                await self._hold(connection, tenant_id, review, STOPPED, at)
            elif review.step == "told":
                code, why = REJECTED
                outgoing = list(
                    await self._loops.withhold(connection, tenant_id, review.loop_ids, code, why, at)
                )
            await self._reviews.put(connection, tenant_id, ended)
            await self._outbox.add(connection, outgoing)
        self._outbox.wake()
        return ended

    async def edit(
        self,
        tenant_id: str,
        review_id: str,
        by: str,
        text: CustomerText,
        translations: Translations,
        version: int,
    ) -> Review:
        """The review in other words, to be read anew; what goes out by itself goes out in them.

        Raises UnknownReviewError, ReviewError where that comes too late, BadTextError for what customers must
        not read.
        """
        async with self._database.tenant(tenant_id) as connection:
            at = self._clock.now()
            policies = await self._policies.of(connection, tenant_id)
            review = await self._locked(connection, tenant_id, review_id)
            after = edited(review, by, text, translations, version)
            texts = list(written("", text, translations))
            refuse_bad(texts, policies.messages, at, results_of(review.drafts))
            await self._wording.check(
                connection,
                tenant_id,
                [review.item_id],
                texts,
                policies.messages,
                readers={draft.customer_id for draft in review.drafts},
            )
            if review.state == "sending":
                await self._hold(connection, tenant_id, review, OTHER_WORDS, at)
                after = await self._sent_anew(connection, tenant_id, after, at)
            await self._reviews.put(connection, tenant_id, after, edited_at=at)
        return after

    async def _locked(self, connection: AsyncConnection, tenant_id: str, review_id: str) -> Review:
        review = await self._reviews.lock(connection, tenant_id, review_id)
        if review is None:
            raise UnknownReviewError(review_id)
        return review

    async def _hold(
        self, connection: AsyncConnection, tenant_id: str, review: Review, because: str, at: datetime
    ) -> None:
        """All of its messages, or none: raises ReviewError where one has left."""
        ids = [draft.id for draft in review.drafts]
        held = await self._outreach.cancel(connection, tenant_id, ids, because, at)
        if sent_by(review, at) or len(held) < len(set(ids)):
            raise ReviewError(SENT)

    async def _sent_anew(
        self, connection: AsyncConnection, tenant_id: str, review: Review, at: datetime
    ) -> Review:
        """Under new ids, as the old messages are at rest for good."""
        said = await self._tellings.of_loops(connection, tenant_id, review.loop_ids)
        renamed: dict[str, str] = {}
        drafts: list[Draft] = []
        for draft in review.drafts:
            renamed[draft.id] = derived_id("msg", draft.id, review.version)
            drafts.append(replace(draft, id=renamed[draft.id]))
        again = [
            replace(
                one,
                message_id=renamed[one.message_id],
                occasion=f"{review.occasion}#{review.version}",
                at=at,
            )
            for one in said
            if one.message_id in renamed
        ]
        await self._tellings.add(connection, tenant_id, again)
        await self._outreach.enqueue(connection, tenant_id, drafts, at)
        return replace(review, drafts=tuple(drafts))

    async def _released(
        self, connection: AsyncConnection, tenant_id: str, review: Review, at: datetime
    ) -> Sequence[Draft]:
        """Its drafts as a person released them, their claim on record as reviewed."""
        drafts = [replace(draft, automatic=False, not_before=None) for draft in review.drafts]
        if review.step != "told" or not drafts:
            return drafts
        change = await self._reviewed(connection, tenant_id, review, at)
        if change is None:
            return drafts
        return [_citing(draft, change) for draft in drafts]

    async def _reviewed(
        self, connection: AsyncConnection, tenant_id: str, review: Review, at: datetime
    ) -> ChangeRecord | None:
        """The change that the message claims: as recorded, or edited, as a record of its own."""
        cited = review.drafts[0].facts.changes[0].change_id
        found = await self._changes.get(connection, tenant_id, [cited])
        if not found:
            return None
        change = found[0]
        told = (review.text, review.translations)
        if review.text is not None and (change.tell, change.translations) != told:
            own = replace(
                change,
                id=derived_id("ch", change.id, review.id, review.version),
                tell=review.text,
                translations=review.translations,
                recorded_by=review.author,
                recorded_at=at,
                reviewed_by=review.decided_by,
                reviewed_at=at,
            )
            await self._changes.record(connection, tenant_id, own)
            return own
        if change.reviewed_by is None and change.recorded_by != review.decided_by:
            change = replace(change, reviewed_by=review.decided_by, reviewed_at=at)
            await self._changes.review(connection, tenant_id, change)
        return change


def results_of(drafts: Sequence[Draft]) -> frozenset[Result]:
    return frozenset(change.result for draft in drafts for change in draft.facts.changes)


def _citing(draft: Draft, change: ChangeRecord) -> Draft:
    first, *others = draft.facts.changes
    cited = replace(first, change_id=change.id, reviewed=change.reviewed_by is not None)
    return replace(draft, facts=replace(draft.facts, changes=(cited, *others)))
