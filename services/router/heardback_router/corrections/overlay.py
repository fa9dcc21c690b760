"""Corrections as routing meets them: over every later run of the machine."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.corrections.announce import feedback_corrected
from heardback_router.corrections.domain import Word
from heardback_router.corrections.store import PostgresCorrections
from heardback_router.routing.plan import Arrival
from heardback_shared.contracts.envelope import to_bytes
from heardback_shared.stream.ports import Outgoing


class Overlay:
    def __init__(self, store: PostgresCorrections) -> None:
        self._store = store

    async def words(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, Word]:
        found = await self._store.in_force(connection, tenant_id, feedback_ids)
        return {feedback_id: one.correction.word for feedback_id, one in found.items()}

    async def held(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Of feedback that was corrected: what no other policy may change, of `causes` and `severity`.

        Where a person corrected the sentiment, severity stays too: it was judged from what the machine felt.
        """
        words = await self.words(connection, tenant_id, feedback_ids)
        return {
            feedback_id: frozenset(
                what
                for what, holds in (
                    ("causes", word.about_causes),
                    ("severity", word.severity is not None or word.sentiment is not None),
                )
                if holds
            )
            for feedback_id, word in words.items()
        }

    async def read_again(
        self, connection: AsyncConnection, tenant_id: str, arrivals: Sequence[Arrival]
    ) -> Sequence[Outgoing]:
        """Another model gives another embedding, from which scoring can learn again; so that is announced."""
        machines = {a.feedback_id: to_bytes(a.machine).decode() for a in arrivals}
        await self._store.machine_said(connection, tenant_id, machines)
        found = await self._store.in_force(connection, tenant_id, sorted(machines))
        told = []
        for arrival in arrivals:
            one, embedding = found[arrival.feedback_id], arrival.scored.embedding
            word = one.correction.word
            if word.about_causes and embedding is not None and embedding.model != one.embedding_model:
                at = one.correction.at
                told.append(feedback_corrected(tenant_id, arrival.feedback_id, word, at, embedding))
        return told
