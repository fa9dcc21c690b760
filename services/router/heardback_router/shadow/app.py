"""Use cases: keep what candidates made of feedback, and tell how much they disagree with what is in force."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from pydantic import ValidationError

from heardback_router.shadow.domain import Report, confusion, disagreement, slices
from heardback_router.shadow.store import PostgresShadow
from heardback_shared.clock import Clock
from heardback_shared.contracts.envelope import Envelope
from heardback_shared.contracts.events import FEEDBACK_SHADOWED, FeedbackShadowed
from heardback_shared.db.database import Database
from heardback_shared.errors import PermanentError
from heardback_shared.stream.ports import Incoming, Outgoing


class KeepReadings:
    """The stage's handler. Idempotent: the same reading again leaves the same row."""

    def __init__(self, database: Database, store: PostgresShadow, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        """Nothing is sent on."""
        by_tenant: dict[str, list[FeedbackShadowed]] = defaultdict(list)
        for incoming in batch:
            tenant_id, reading = read(incoming.event)
            by_tenant[tenant_id].append(reading)
        for tenant_id, readings in by_tenant.items():
            async with self._database.tenant(tenant_id) as connection:
                await self._store.keep(connection, tenant_id, readings, self._clock.now())
        return ()


class TellDisagreement:
    def __init__(self, database: Database, store: PostgresShadow, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def __call__(
        self, tenant_id: str, days: int, active: str | None = None, candidate: str | None = None
    ) -> Report | None:
        """Of the pair of models read last (of these hashes), over the last days; None without readings."""
        since = self._clock.now() - timedelta(days=days)
        store = self._store
        async with self._database.tenant(tenant_id) as connection:
            pair = await store.latest_pair(connection, tenant_id, since, active, candidate)
            if pair is None:
                return None
            asked = {
                "tenant": tenant_id,
                "since": since,
                "active": pair[0].sha256,
                "candidate": pair[1].sha256,
            }
            groups = await store.groups(connection, asked)
            return Report(
                active=pair[0],
                candidate=pair[1],
                days=days,
                failed=await store.failed(connection, asked),
                overall=disagreement(groups),
                labels=confusion(groups, lambda g: g.labels),
                bands=confusion(groups, lambda g: g.bands),
                sources=slices(groups, lambda g: g.source),
                languages=slices(groups, lambda g: g.language),
                cues=await store.cues(connection, asked),
                farthest=await store.farthest(connection, asked),
            )


def read(event: Envelope) -> tuple[str, FeedbackShadowed]:
    """(tenant, reading). Raises PermanentError for what this stage can never handle."""
    if event.type != FEEDBACK_SHADOWED:
        raise PermanentError(f"event type {event.type} is not {FEEDBACK_SHADOWED}")
    if not event.tenant_id:
        raise PermanentError("the event names no tenant")
    try:
        return event.tenant_id, FeedbackShadowed.model_validate_json(event.data)
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, e["loc"])) or "the whole" for e in error.errors()}))
        raise PermanentError(f"not a shadow reading; wrong at: {where}") from error
