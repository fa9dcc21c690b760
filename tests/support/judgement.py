"""What tenants teach scoring, without a broker: events in a list."""

import asyncio
from datetime import datetime

from heardback_shared.contracts.envelope import Envelope, to_bytes, to_kafka
from heardback_shared.contracts.events import (
    FEEDBACK_CORRECTED,
    POLICY_ACTIVATED,
    FeedbackCorrected,
    PolicyActivated,
)
from heardback_shared.contracts.topics import JUDGEMENT
from heardback_shared.stream.ports import Record
from tests.support.clock import NOON


class ListTopic:
    """A topic that is read whole: what is added comes with the next poll."""

    def __init__(self, *events: Envelope) -> None:
        self.waiting = list(events)
        self.given = 0
        self.started = False

    async def start(self) -> None:
        self.started = True

    async def poll(self, max_records: int, timeout_seconds: float) -> list[Record]:
        await asyncio.sleep(0)
        batch, self.waiting = self.waiting[:max_records], self.waiting[max_records:]
        return [self._record(event) for event in batch]

    def _record(self, event: Envelope) -> Record:
        key, headers, value = to_kafka(event)
        self.given += 1
        return Record(JUDGEMENT.name, 0, self.given - 1, key, value, tuple(headers))

    async def caught_up(self) -> bool:
        return not self.waiting

    async def stop(self) -> None:
        self.started = False


def activated(
    kind: str, text: str | None, tenant: str | None = "t1", at: datetime = NOON, version: str = "v@1"
) -> Envelope:
    told = PolicyActivated.model_validate({"kind": kind, "version": version, "text": text, "at": at})
    return Envelope(
        "ev_p", "/test", POLICY_ACTIVATED, to_bytes(told), tenant_id=tenant, key=f"{tenant}:{kind}"
    )


def corrected(said: FeedbackCorrected, tenant: str = "t1") -> Envelope:
    key = f"{tenant}:{said.feedback_id}"
    return Envelope("ev_c", "/test", FEEDBACK_CORRECTED, to_bytes(said), tenant_id=tenant, key=key)
