"""What people said about feedback, so that no policy is tried against it."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.corrections.domain import Word
from heardback_router.corrections.store import PostgresCorrections


class HeldByPeople:
    def __init__(self, store: PostgresCorrections) -> None:
        self._store = store

    async def held(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Of feedback that people corrected: what a person's word stands for, of `causes` and `severity`."""
        found = await self._store.in_force(connection, tenant_id, feedback_ids)
        return {feedback_id: _held(one.correction.word) for feedback_id, one in found.items()}


def _held(word: Word) -> frozenset[str]:
    names = (("causes", word.about_causes), ("severity", word.severity is not None))
    return frozenset(name for name, said in names if said)
