"""Reviews in Postgres."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.loops.review_domain import Review, ReviewState
from heardback_router.loops.tables import review_texts, reviews
from heardback_router.outreach.codec import from_plain, to_plain
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.db.bulk import insert_rows

OPEN: tuple[ReviewState, ...] = ("waiting", "sending")


class PostgresReviews:
    async def add(self, connection: AsyncConnection, tenant_id: str, review: Review) -> bool:
        """False if it was there before, and then nothing changes."""
        added = await insert_rows(
            connection,
            reviews,
            [{"tenant_id": tenant_id, "id": review.id, **_values(review)}],
            on_conflict="ON CONFLICT DO NOTHING",
            returning=("id",),
        )
        if added:
            await self._add_text(connection, tenant_id, review, review.opened_at)
        return bool(added)

    async def lock(self, connection: AsyncConnection, tenant_id: str, review_id: str) -> Review | None:
        query = select(reviews).where(reviews.c.tenant_id == tenant_id, reviews.c.id == review_id)
        row = (await connection.execute(query.with_for_update())).mappings().first()
        return await self._review(connection, tenant_id, row) if row else None

    async def find(self, connection: AsyncConnection, tenant_id: str, review_id: str) -> Review | None:
        query = select(reviews).where(reviews.c.tenant_id == tenant_id, reviews.c.id == review_id)
        row = (await connection.execute(query)).mappings().first()
        return await self._review(connection, tenant_id, row) if row else None

    async def put(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        review: Review,
        *,
        edited_at: datetime | None = None,
    ) -> None:
        """Stores it as it is now; with `edited_at`, its words as a version of their own."""
        await connection.execute(
            update(reviews)
            .where(reviews.c.tenant_id == tenant_id, reviews.c.id == review.id)
            .values(**_values(review))
        )
        if edited_at is not None:
            await self._add_text(connection, tenant_id, review, edited_at)

    async def open_of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> Sequence[Review]:
        """Those not decided yet, locked."""
        query = select(reviews).where(
            reviews.c.tenant_id == tenant_id, reviews.c.item_id == item_id, reviews.c.state.in_(OPEN)
        )
        rows = (await connection.execute(query.order_by(reviews.c.id).with_for_update())).mappings().all()
        return [await self._review(connection, tenant_id, row) for row in rows]

    async def page(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        states: Sequence[ReviewState],
        item_id: str | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> Sequence[Review]:
        """Oldest first."""
        query = select(reviews).where(reviews.c.tenant_id == tenant_id, reviews.c.state.in_(states))
        if item_id is not None:
            query = query.where(reviews.c.item_id == item_id)
        if after is not None:
            opened_at, review_id = after
            later = reviews.c.opened_at > opened_at
            query = query.where(later | ((reviews.c.opened_at == opened_at) & (reviews.c.id > review_id)))
        query = query.order_by(reviews.c.opened_at, reviews.c.id).limit(limit)
        rows = (await connection.execute(query)).mappings().all()
        return [await self._review(connection, tenant_id, row) for row in rows]

    async def versions(
        self, connection: AsyncConnection, tenant_id: str, review_id: str
    ) -> Sequence[Mapping[str, Any]]:
        """Every wording with who wrote it, oldest first."""
        query = select(review_texts.c.version, review_texts.c.text, review_texts.c.author, review_texts.c.at)
        query = query.where(review_texts.c.tenant_id == tenant_id, review_texts.c.review_id == review_id)
        rows = await connection.execute(query.order_by(review_texts.c.version))
        return [{str(name): value for name, value in row.items()} for row in rows.mappings()]

    async def _add_text(
        self, connection: AsyncConnection, tenant_id: str, review: Review, at: datetime
    ) -> None:
        await connection.execute(
            insert(review_texts).values(
                tenant_id=tenant_id,
                review_id=review.id,
                version=review.version,
                text=review.text.text if review.text else None,
                author=review.author,
                at=at,
            )
        )

    async def _review(self, connection: AsyncConnection, tenant_id: str, row: Mapping[Any, Any]) -> Review:
        query = select(review_texts.c.text).where(
            review_texts.c.tenant_id == tenant_id,
            review_texts.c.review_id == row["id"],
            review_texts.c.version == row["version"],
        )
        text = (await connection.execute(query)).scalar_one()
        return Review(
            id=row["id"],
            item_id=row["item_id"],
            step=row["step"],
            occasion=row["occasion"],
            state=row["state"],
            because=row["because"],
            version=row["version"],
            author=row["author"],
            text=CustomerText(text) if text else None,
            drafts=tuple(from_plain(kept) for kept in row["drafts"]),
            opened_at=row["opened_at"],
            sends_at=row["sends_at"],
            decided_by=row["decided_by"],
            decided_at=row["decided_at"],
            reason=InternalText(row["reason"]) if row["reason"] else None,
        )


def _values(review: Review) -> dict[str, Any]:
    return {
        "item_id": review.item_id,
        "step": review.step,
        "occasion": review.occasion,
        "state": review.state,
        "because": review.because,
        "version": review.version,
        "author": review.author,
        "drafts": [to_plain(draft) for draft in review.drafts],
        "opened_at": review.opened_at,
        "sends_at": review.sends_at,
        "decided_by": review.decided_by,
        "decided_at": review.decided_at,
        "reason": review.reason.text if review.reason else None,
    }
