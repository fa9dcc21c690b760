"""Versions of policies in Postgres. Every method works inside the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, insert, literal, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.configuration.domain import Activation, Review, Text, Version
from heardback_router.configuration.tables import deeds, versions

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class PostgresVersions:
    async def lock(self, connection: AsyncConnection, tenant_id: str, kind: str) -> None:
        """Until the transaction ends nobody else changes the versions of this kind."""
        await connection.execute(_LOCK, {"name": f"heardback.policy.{tenant_id}.{kind}"})

    async def get(
        self, connection: AsyncConnection, tenant_id: str, kind: str, number: int
    ) -> Version | None:
        row = (await connection.execute(_of(tenant_id, kind).where(versions.c.number == number))).mappings()
        found = row.first()
        return _version(found) if found else None

    async def active(self, connection: AsyncConnection, tenant_id: str, kind: str) -> Version | None:
        row = (await connection.execute(_of(tenant_id, kind).where(versions.c.state == "active"))).mappings()
        found = row.first()
        return _version(found) if found else None

    async def page(
        self, connection: AsyncConnection, tenant_id: str, kind: str, below: int, limit: int
    ) -> list[Version]:
        """The newest first, with numbers below the one given."""
        asked = _of(tenant_id, kind).where(versions.c.number < below)
        rows = await connection.execute(asked.order_by(versions.c.number.desc()).limit(limit))
        return [_version(row) for row in rows.mappings()]

    async def next_number(self, connection: AsyncConnection, tenant_id: str, kind: str) -> int:
        last = select(func.max(versions.c.number)).where(
            versions.c.tenant_id == tenant_id, versions.c.kind == kind
        )
        return int(await connection.scalar(last) or 0) + 1

    async def namesake(
        self, connection: AsyncConnection, tenant_id: str, kind: str, content: Text, number: int
    ) -> int | None:
        """Another version that has this name@version with another text."""
        asked = select(versions.c.number).where(
            versions.c.tenant_id == tenant_id,
            versions.c.kind == kind,
            versions.c.policy == content.policy,
            versions.c.digest != content.digest,
            versions.c.number != number,
        )
        found = await connection.scalar(asked.limit(1))
        return int(found) if found is not None else None

    async def add(self, connection: AsyncConnection, tenant_id: str, version: Version) -> None:
        await connection.execute(insert(versions).values(**_row(tenant_id, version)))

    async def save(self, connection: AsyncConnection, tenant_id: str, version: Version) -> None:
        row = _row(tenant_id, version)
        keys = {name: row.pop(name) for name in ("tenant_id", "kind", "number")}
        where = [versions.c[name] == bindparam(f"key_{name}") for name in keys]
        await connection.execute(
            update(versions).where(*where).values(**row), {f"key_{name}": key for name, key in keys.items()}
        )

    async def note(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        kind: str,
        deed: str,
        *,
        number: int | None,
        actor: str,
        at: datetime,
        words: str | None = None,
        data: dict[str, Any] | None = None,
        to_apply: bool = False,
    ) -> int:
        """Writes down what was done; its number in the history of the kind. Needs the lock."""
        last = select(func.max(deeds.c.sequence)).where(deeds.c.tenant_id == tenant_id, deeds.c.kind == kind)
        sequence = int(await connection.scalar(last) or 0) + 1
        await connection.execute(
            insert(deeds).values(
                tenant_id=tenant_id,
                kind=kind,
                sequence=sequence,
                number=number,
                deed=deed,
                actor=actor,
                at=at,
                words=words,
                data=data or {},
                to_apply=to_apply,
            )
        )
        return sequence

    async def history(
        self, connection: AsyncConnection, tenant_id: str, kind: str, limit: int
    ) -> Sequence[RowMapping]:
        """What was done, the latest first."""
        asked = (
            select(deeds)
            .where(deeds.c.tenant_id == tenant_id, deeds.c.kind == kind)
            .order_by(deeds.c.sequence.desc())
        )
        return (await connection.execute(asked.limit(limit))).mappings().all()

    async def to_apply(self, connection: AsyncConnection) -> list[tuple[str, str, int]]:
        """(tenant, kind, place in history) of what came in force for open items too, and does not count for
        all of them yet, of every tenant; needs a worker's transaction."""
        asked = select(deeds.c.tenant_id, deeds.c.kind, deeds.c.sequence).where(deeds.c.to_apply)
        rows = await connection.execute(asked.order_by(deeds.c.tenant_id, deeds.c.kind, deeds.c.sequence))
        return [(row[0], row[1], row[2]) for row in rows]

    async def applied(self, connection: AsyncConnection, tenant_id: str, kind: str, sequence: int) -> None:
        """What came in force up to this place in history counts for every open item."""
        where = (deeds.c.tenant_id == tenant_id, deeds.c.kind == kind, deeds.c.sequence <= sequence)
        await connection.execute(update(deeds).where(*where, deeds.c.to_apply).values(to_apply=False))

    async def active_after(
        self, connection: AsyncConnection, after: tuple[str, str], kinds: Sequence[str], limit: int
    ) -> list[tuple[str, Version]]:
        """(tenant, version) of what is in force of these kinds, by tenant and kind from after the place on.

        Needs a worker's transaction; until it ends nothing else comes in force in their place.
        """
        asked = (
            select(versions)
            .where(
                versions.c.state == "active",
                versions.c.kind.in_(kinds),
                tuple_(versions.c.tenant_id, versions.c.kind) > tuple_(*map(literal, after)),
            )
            .order_by(versions.c.tenant_id, versions.c.kind)
            .limit(limit)
            .with_for_update(read=True)
        )
        rows = (await connection.execute(asked)).mappings()
        return [(row["tenant_id"], _version(row)) for row in rows]


def _of(tenant_id: str, kind: str) -> Any:
    return select(versions).where(versions.c.tenant_id == tenant_id, versions.c.kind == kind)


def _row(tenant_id: str, version: Version) -> dict[str, Any]:
    review, activation = version.review, version.activation
    return {
        "tenant_id": tenant_id,
        "kind": version.kind,
        "number": version.number,
        "state": version.state,
        "policy": version.content.policy,
        "text": version.content.text,
        "digest": version.content.digest,
        "authors": list(version.authors),
        "reason": version.reason,
        "created_at": version.created_at,
        "edited_at": version.edited_at,
        "edition": version.edition,
        "approved": review.approved if review else None,
        "reviewer": review.reviewer if review else None,
        "review_words": review.words if review else None,
        "reviewed_at": review.at if review else None,
        "activated_by": activation.by if activation else None,
        "activated_at": activation.at if activation else None,
        "activated_because": activation.because if activation else None,
        "apply_to": activation.apply_to if activation else None,
        "what_if": activation.what_if if activation else None,
        "replaced": activation.replaced if activation else None,
    }


def _version(row: RowMapping) -> Version:
    review = activation = None
    if row["reviewer"] is not None:
        review = Review(row["approved"], row["reviewer"], row["review_words"], row["reviewed_at"])
    if row["activated_by"] is not None:
        activation = Activation(
            row["activated_by"],
            row["activated_at"],
            row["activated_because"],
            row["apply_to"],
            row["what_if"],
            row["replaced"],
        )
    return Version(
        kind=row["kind"],
        number=row["number"],
        state=row["state"],
        content=Text(row["policy"], row["text"], row["digest"]),
        authors=tuple(row["authors"]),
        reason=row["reason"],
        created_at=row["created_at"],
        edited_at=row["edited_at"],
        edition=row["edition"],
        review=review,
        activation=activation,
    )
