"""List dead letters, and replay them: the feedback goes round again, or the event back to its topic."""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from heardback_ingest.app.redrive import send, with_pass
from heardback_ingest.domain.ledger import DEFAULT_POLICY, RedrivePolicy
from heardback_ingest.ports import DeadLetters, Ledger, StoredLetter
from heardback_shared.clock import Clock
from heardback_shared.contracts.envelope import EnvelopeError, from_record
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.stream.ports import Outgoing

Replayed = Literal["in_flight", "sent", "nothing_to_do"]
"""in_flight: the feedback has a new pass. sent: the event lies on its topic again, bytes of its data
untouched. nothing_to_do: it was replayed before, or its feedback is not dead any more."""


class NotReplayableError(Exception):
    """The record is no event, so that no reader could ever take it."""


class Replay:
    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        letters: DeadLetters,
        outbox: Outbox,
        clock: Clock,
        policy: RedrivePolicy = DEFAULT_POLICY,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._letters = letters
        self._outbox = outbox
        self._clock = clock
        self._policy = policy

    async def page(
        self,
        tenant_id: str,
        service: str | None,
        error: str | None,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[StoredLetter]:
        async with self._database.tenant(tenant_id) as c:
            return await self._letters.page(c, tenant_id, service, error, after, limit)

    async def letter(self, tenant_id: str, letter_id: str) -> StoredLetter | None:
        async with self._database.tenant(tenant_id) as c:
            return await self._letters.get(c, tenant_id, letter_id)

    async def replay(self, tenant_id: str, letter_id: str) -> Replayed | None:
        """None if the tenant has no such letter. Doing it twice does it once. Raises NotReplayableError."""
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            letter = await self._letters.get(c, tenant_id, letter_id)
            if letter is None:
                return None
            if letter.replayed_at is not None:
                return "nothing_to_do"
            outcome: Replayed = "sent"
            if letter.feedback_id is not None and letter.revision is not None:
                due_at = self._policy.first_due(now)
                row = await self._ledger.revive(
                    c, tenant_id, letter.feedback_id, letter.revision, now, due_at
                )
                outcome = "in_flight" if row else "nothing_to_do"
                if row:
                    event = with_pass(row.event, row.pass_number)
                    await self._ledger.replace_event(c, [(row, event)])
                    await self._outbox.add(c, [send(row, row.pass_number, event, now)])
            else:
                await self._outbox.add(c, [_as_it_was(letter)])
            await self._letters.mark_replayed(c, tenant_id, letter_id, now)
        self._outbox.wake()
        return outcome


def _as_it_was(letter: StoredLetter) -> Outgoing:
    try:
        event = from_record(letter.key, letter.headers, letter.value)
    except EnvelopeError as error:
        raise NotReplayableError(str(error)) from error
    return Outgoing(letter.topic, replace(event, tenant_id=event.tenant_id or letter.tenant_id))
