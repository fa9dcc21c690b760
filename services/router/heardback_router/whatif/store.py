"""What-if runs in Postgres. Every method works inside the caller's transaction."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.whatif.tables import what_ifs


class PostgresWhatIfs:
    async def latest(
        self, connection: AsyncConnection, tenant_id: str, kind: str, digest: str, base: str
    ) -> str | None:
        """The newest finished run of this text against what has the digest `base`; None: there is none."""
        asked = (
            select(what_ifs.c.id)
            .where(
                what_ifs.c.tenant_id == tenant_id,
                what_ifs.c.kind == kind,
                what_ifs.c.digest == digest,
                what_ifs.c.state == "done",
                what_ifs.c.base[kind].astext == base,
            )
            .order_by(what_ifs.c.made_at.desc(), what_ifs.c.id)
        )
        found: str | None = await connection.scalar(asked.limit(1))
        return found
