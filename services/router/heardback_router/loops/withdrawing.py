"""What is not true any more is not told: messages that have not left are taken back, reviews withdrawn."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.ports import Loop, Tellings
from heardback_router.loops.review_domain import withdrawn
from heardback_router.loops.review_store import PostgresReviews
from heardback_router.messages.domain import Step
from heardback_router.outreach.ports import Outreach

ABOUT_THE_MATTER: frozenset[Step] = frozenset({"acknowledged", "planned", "told", "delayed"})
"""Steps that are not true any more once the matter is taken up again; a contest is answered all the same."""
BEFORE_THE_END: frozenset[Step] = ABOUT_THE_MATTER - {"told"}
TAKEN_UP_AGAIN = "It was taken up again before this message left."
SOLVED_FIRST = "What became of the matter is told instead."
MOVED = "The feedback was put into another item before this message left."


class Withdrawing:
    """The loops that are named must be locked."""

    def __init__(self, tellings: Tellings, reviews: PostgresReviews, outreach: Outreach) -> None:
        self._tellings = tellings
        self._reviews = reviews
        self._outreach = outreach

    async def take_back(
        self, connection: AsyncConnection, tenant_id: str, item_id: str, loops: Sequence[Loop], at: datetime
    ) -> None:
        """Messages of locked loops that have not left, and reviews of such, are withdrawn. What a channel has
        and could not deliver yet is not tried again."""
        said = await self._tellings.of_loops(connection, tenant_id, [loop.id for loop in loops])
        if messages := sorted({one.message_id for one in said if one.step in ABOUT_THE_MATTER}):
            await self._outreach.cancel(connection, tenant_id, messages, TAKEN_UP_AGAIN, at)
        await self.of_item(connection, tenant_id, item_id, TAKEN_UP_AGAIN, at)

    async def overtake(
        self, connection: AsyncConnection, tenant_id: str, loops: Sequence[Loop], at: datetime
    ) -> None:
        """Who is to learn what became of it is not told afterwards that it is being worked on."""
        said = await self._tellings.of_loops(connection, tenant_id, [loop.id for loop in loops])
        if earlier := sorted({one.message_id for one in said if one.step in BEFORE_THE_END}):
            await self._outreach.cancel(connection, tenant_id, earlier, SOLVED_FIRST, at)

    async def moved(
        self, connection: AsyncConnection, tenant_id: str, item_id: str, loop_ids: Sequence[str], at: datetime
    ) -> None:
        """These loops have left the item."""
        said = await self._tellings.of_loops(connection, tenant_id, loop_ids)
        if messages := sorted({one.message_id for one in said if one.step in ABOUT_THE_MATTER}):
            await self._outreach.cancel(connection, tenant_id, messages, MOVED, at)
        await self._leave_reviews(connection, tenant_id, item_id, frozenset(loop_ids), at)

    async def _leave_reviews(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        loop_ids: frozenset[str],
        at: datetime,
    ) -> None:
        """Reviews of the item go on without the people all of whose stakes have left it."""
        for review in await self._reviews.open_of_item(connection, tenant_id, item_id):
            staying = tuple(draft for draft in review.drafts if not loop_ids >= set(draft.loop_ids))
            if staying != review.drafts:
                after = replace(review, drafts=staying)
                await self._reviews.put(connection, tenant_id, after if staying else withdrawn(after, at))

    async def of_item(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item_id: str,
        because: str,
        at: datetime,
        occasions: frozenset[str] | None = None,
    ) -> None:
        """Reviews of the item, and what would go out by itself, are taken back: all or of these occasions."""
        for review in await self._reviews.open_of_item(connection, tenant_id, item_id):
            if occasions is None or review.occasion in occasions:
                if review.state == "sending":
                    ids = [draft.id for draft in review.drafts]
                    await self._outreach.cancel(connection, tenant_id, ids, because, at)
                await self._reviews.put(connection, tenant_id, withdrawn(review, at))
