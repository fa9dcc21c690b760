"""Original texts, sealed with a data key per customer. Deleting the key erases them."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import tables
from heardback_ingest.ports import Original
from heardback_shared.db.bulk import insert_rows
from heardback_shared.keyring import Keyring, seal, unseal

PURPOSE = "data-keys"
KEY_BYTES = 32

_KEYS = text("""
SELECT asked.subject, found.sealed_key FROM unnest(CAST(:subjects AS text[])) AS asked(subject)
CROSS JOIN LATERAL (
    SELECT sealed_key FROM ingest.data_key WHERE tenant_id = :tenant AND subject = asked.subject LIMIT 1
) AS found
""")
_ORIGINAL = text("""
SELECT o.subject, o.sealed, k.sealed_key FROM ingest.original o
JOIN ingest.data_key k ON k.tenant_id = o.tenant_id AND k.subject = o.subject
WHERE o.tenant_id = :tenant AND o.feedback_id = :id AND o.revision = :revision
""")
_ERASE = text(
    "DELETE FROM ingest.data_key WHERE tenant_id = :tenant AND subject = :subject RETURNING subject"
)


class PostgresVault:
    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def keep(
        self, c: AsyncConnection, tenant_id: str, originals: Sequence[Original], now: datetime
    ) -> None:
        keys = await self._keys(c, tenant_id, sorted({o.subject for o in originals}), now)
        rows = [
            {
                "tenant_id": tenant_id,
                "feedback_id": o.feedback_id,
                "revision": o.revision,
                "subject": o.subject,
                "sealed": seal(keys[o.subject], o.plain, _place(tenant_id, o.feedback_id, o.revision)),
            }
            for o in originals
        ]
        await insert_rows(c, tables.original, rows, on_conflict="ON CONFLICT DO NOTHING")

    async def original(
        self, c: AsyncConnection, tenant_id: str, feedback_id: str, revision: int
    ) -> bytes | None:
        key = {"tenant": tenant_id, "id": feedback_id, "revision": revision}
        row = (await c.execute(_ORIGINAL, key)).first()
        if row is None:
            return None
        return unseal(
            self._open_key(tenant_id, row.subject, row.sealed_key),
            row.sealed,
            _place(tenant_id, feedback_id, revision),
        )

    async def seal(
        self, c: AsyncConnection, tenant_id: str, plain: Mapping[str, bytes], now: datetime
    ) -> dict[str, bytes]:
        keys = await self._keys(c, tenant_id, sorted(plain), now) if plain else {}
        return {s: seal(keys[s], data, f"{tenant_id}/{s}") for s, data in plain.items()}

    async def open(self, c: AsyncConnection, tenant_id: str, sealed: Mapping[str, bytes]) -> dict[str, bytes]:
        found = await self._stored(c, tenant_id, sorted(sealed)) if sealed else {}
        return {s: unseal(found[s], data, f"{tenant_id}/{s}") for s, data in sealed.items() if s in found}

    async def erase(self, c: AsyncConnection, tenant_id: str, subject: str) -> bool:
        return (await c.execute(_ERASE, {"tenant": tenant_id, "subject": subject})).first() is not None

    async def _keys(
        self, c: AsyncConnection, tenant_id: str, subjects: Sequence[str], now: datetime
    ) -> dict[str, bytes]:
        keys = await self._stored(c, tenant_id, subjects)
        missing = [s for s in subjects if s not in keys]
        if not missing:
            return keys
        made = {s: secrets.token_bytes(KEY_BYTES) for s in missing}
        rows = [
            {
                "tenant_id": tenant_id,
                "subject": s,
                "sealed_key": self._keyring.seal(PURPOSE, made[s], f"{tenant_id}/{s}"),
                "created_at": now,
            }
            for s in missing
        ]
        mine = await insert_rows(
            c, tables.data_key, rows, on_conflict="ON CONFLICT DO NOTHING", returning=("subject",)
        )
        keys |= {row.subject: made[row.subject] for row in mine}
        others = [s for s in missing if s not in keys]
        return keys | await self._stored(c, tenant_id, others) if others else keys

    async def _stored(self, c: AsyncConnection, tenant_id: str, subjects: Sequence[str]) -> dict[str, bytes]:
        rows = await c.execute(_KEYS, {"tenant": tenant_id, "subjects": list(subjects)})
        return {r.subject: self._open_key(tenant_id, r.subject, r.sealed_key) for r in rows}

    def _open_key(self, tenant_id: str, subject: str, sealed: bytes) -> bytes:
        return self._keyring.open(PURPOSE, sealed, f"{tenant_id}/{subject}")


def _place(tenant_id: str, feedback_id: str, revision: int) -> str:
    return f"{tenant_id}/{feedback_id}/{revision}"
