"""Dead letters in PostgreSQL. The record's bytes may hold what a customer wrote, so they are sealed."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import tables
from heardback_ingest.ports import StoredLetter
from heardback_shared.db.bulk import insert_rows
from heardback_shared.keyring import Keyring

PURPOSE = "dead-letters"

_COLUMNS = """tenant_id, id, service, version, topic, partition, record_offset, record_key,
    headers::text AS headers, error, reason, attempts, failed_at, feedback_id, revision, pass_number,
    replayed_at"""
_GET = text(f"""
SELECT {_COLUMNS}, sealed_value FROM ingest.dead_letter
WHERE tenant_id = :tenant AND id = :id FOR UPDATE
""")  # noqa: S608
_PAGE = text(f"""
SELECT {_COLUMNS} FROM ingest.dead_letter
WHERE tenant_id = :tenant
  AND (CAST(:service AS text) IS NULL OR service = :service)
  AND (CAST(:error AS text) IS NULL OR error = :error)
  AND (CAST(:at AS timestamptz) IS NULL OR (failed_at, id) < (:at, :id))
ORDER BY failed_at DESC, id DESC LIMIT :limit
""")  # noqa: S608
_REPLAYED = text("UPDATE ingest.dead_letter SET replayed_at = :now WHERE tenant_id = :tenant AND id = :id")


class PostgresDeadLetters:
    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def add(self, c: AsyncConnection, letters: Sequence[StoredLetter]) -> None:
        rows = [self._row(letter) for letter in sorted(letters, key=lambda x: (x.tenant_id, x.id))]
        await insert_rows(c, tables.dead_letter, rows, on_conflict="ON CONFLICT DO NOTHING")

    def _row(self, x: StoredLetter) -> dict[str, Any]:
        return {
            "tenant_id": x.tenant_id,
            "id": x.id,
            "service": x.service,
            "version": x.version,
            "topic": x.topic,
            "partition": x.partition,
            "record_offset": x.offset,
            "record_key": x.key,
            "headers": [[_storable(name), base64.b64encode(value).decode()] for name, value in x.headers],
            "sealed_value": self._keyring.seal(PURPOSE, x.value, f"{x.tenant_id}/{x.id}"),
            "error": _storable(x.error),
            "reason": _storable(x.reason),
            "attempts": x.attempts,
            "failed_at": x.failed_at,
            "feedback_id": x.feedback_id,
            "revision": x.revision,
            "pass_number": x.pass_number,
        }

    async def get(self, c: AsyncConnection, tenant_id: str, letter_id: str) -> StoredLetter | None:
        row = (await c.execute(_GET, {"tenant": tenant_id, "id": letter_id})).first()
        if row is None:
            return None
        return _letter(row, self._keyring.open(PURPOSE, row.sealed_value, f"{tenant_id}/{letter_id}"))

    async def page(
        self,
        c: AsyncConnection,
        tenant_id: str,
        service: str | None,
        error: str | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[StoredLetter]:
        arguments = {
            "tenant": tenant_id,
            "service": service,
            "error": error,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": limit,
        }
        return [_letter(row, b"") for row in await c.execute(_PAGE, arguments)]

    async def mark_replayed(self, c: AsyncConnection, tenant_id: str, letter_id: str, now: datetime) -> None:
        await c.execute(_REPLAYED, {"tenant": tenant_id, "id": letter_id, "now": now})


def _letter(row: Row[Any], value: bytes) -> StoredLetter:
    return StoredLetter(
        tenant_id=row.tenant_id,
        id=row.id,
        service=row.service,
        version=row.version,
        topic=row.topic,
        partition=row.partition,
        offset=row.record_offset,
        key=row.record_key,
        headers=tuple((name, base64.b64decode(said)) for name, said in orjson.loads(row.headers)),
        value=value,
        error=row.error,
        reason=row.reason,
        attempts=row.attempts,
        failed_at=row.failed_at,
        feedback_id=row.feedback_id,
        revision=row.revision,
        pass_number=row.pass_number,
        replayed_at=row.replayed_at,
    )


def _storable(words: str) -> str:
    return words.replace("\x00", "\ufffd")
