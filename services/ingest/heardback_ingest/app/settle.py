"""Settle the ledger with what the other services announce. Every handler is idempotent by its event."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from heardback_ingest.domain.ledger import DEFAULT_POLICY, RedrivePolicy
from heardback_ingest.ports import DeadLetters, ItemStage, Ledger, LoopStage, Settlement, StoredLetter
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Instant, Wire
from heardback_shared.contracts.events import (
    FEEDBACK_DEAD,
    FEEDBACK_ROUTED,
    ITEM_CHANGED,
    LOOP_CHANGED,
    DeadLetter,
    ItemChanged,
    ItemRef,
    LoopChanged,
    LoopRef,
)
from heardback_shared.db.database import Database
from heardback_shared.errors import PermanentError
from heardback_shared.stream.dead_letters import NO_TENANT
from heardback_shared.stream.ports import Incoming, Outgoing

T = TypeVar("T", bound=BaseModel)


class Routed(Wire):
    """`FeedbackRouted` as far as the ledger looks into it; the score is kept as it came."""

    feedback_id: str
    revision: int
    pass_number: int = 1
    item: ItemRef
    score: dict[str, Any]
    scored_at: Instant
    routed_at: Instant
    loop: LoopRef | None = None


class Settle:
    """`feedback.routed`: the outcome of one pass."""

    def __init__(
        self, database: Database, ledger: Ledger, clock: Clock, policy: RedrivePolicy = DEFAULT_POLICY
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._policy = policy

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        now = self._clock.now()
        for tenant_id, events in by_tenant(batch, FEEDBACK_ROUTED).items():
            latest: dict[tuple[str, int], Settlement] = {}
            loops: list[LoopStage] = []
            for incoming in events:
                routed = read(incoming, Routed)
                key = (routed.feedback_id, routed.revision)
                if key not in latest or latest[key].pass_number <= routed.pass_number:
                    latest[key] = self._settlement(routed)
                if routed.loop is not None:
                    loops.append(_loop_of(routed, incoming.event.id))
            async with self._database.tenant(tenant_id) as c:
                await self._ledger.settle(c, tenant_id, list(latest.values()), now)
                if loops:
                    await self._ledger.add_loop_stages(c, tenant_id, loops)
        return ()

    def _settlement(self, routed: Routed) -> Settlement:
        degraded = routed.score.get("status") == "degraded"
        return Settlement(
            feedback_id=routed.feedback_id,
            revision=routed.revision,
            pass_number=routed.pass_number,
            item_id=routed.item.id,
            team=routed.item.team,
            score=orjson.dumps(routed.score).decode(),
            scored_at=routed.scored_at,
            routed_at=routed.routed_at,
            due_at=self._policy.rescore_due(routed.routed_at, routed.pass_number) if degraded else None,
        )


class FollowBacklog:
    """`backlog.changed`: what people and customers did to the item and the loop.

    How an item was opened and fed is told by `feedback.routed` already, so those events are passed over.
    """

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        for tenant_id, events in by_tenant(batch).items():
            loops: list[LoopStage] = []
            items: list[ItemStage] = []
            for incoming in events:
                if incoming.event.type == LOOP_CHANGED:
                    loops += _loop_stages(read(incoming, LoopChanged), incoming.event.id)
                elif incoming.event.type == ITEM_CHANGED:
                    items.append(_item_stage(read(incoming, ItemChanged)))
            if loops or items:
                async with self._database.tenant(tenant_id) as c:
                    await self._ledger.add_loop_stages(c, tenant_id, loops)
                    await self._ledger.add_item_stages(c, tenant_id, items)
        return ()


class CollectDeadLetters:
    """`feedback.dead`: kept for replay, and the feedback it was about is settled as dead."""

    def __init__(
        self, database: Database, ledger: Ledger, letters: DeadLetters, clock: Clock, fallback_tenant: str
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._letters = letters
        self._clock = clock
        self._fallback_tenant = fallback_tenant

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        now = self._clock.now()
        grouped: dict[str, list[StoredLetter]] = defaultdict(list)
        for incoming in batch:
            if incoming.event.type == FEEDBACK_DEAD:
                letter = _stored(read(incoming, DeadLetter), self._fallback_tenant)
                grouped[letter.tenant_id].append(letter)
        for tenant_id, letters in grouped.items():
            dead = [
                (x.feedback_id, x.revision, x.pass_number, f"{x.service}: {x.error}: {x.reason}")
                for x in letters
                if x.feedback_id is not None and x.revision is not None and x.pass_number is not None
            ]
            async with self._database.tenant(tenant_id) as c:
                await self._letters.add(c, letters)
                if dead:
                    await self._ledger.bury(c, tenant_id, dead, now)
        return ()


def by_tenant(batch: Sequence[Incoming], *types: str) -> dict[str, list[Incoming]]:
    """The events of these types (all, if none is named) by tenant, in order.

    Raises PermanentError on an event that names no tenant.
    """
    grouped: dict[str, list[Incoming]] = defaultdict(list)
    for incoming in batch:
        if types and incoming.event.type not in types:
            continue
        if not incoming.event.tenant_id:
            raise PermanentError("the event names no tenant")
        grouped[incoming.event.tenant_id].append(incoming)
    return grouped


def read(incoming: Incoming, model: type[T]) -> T:
    try:
        return model.model_validate_json(incoming.event.data)
    except ValidationError as error:
        findings = ", ".join(".".join(map(str, e["loc"])) + ": " + e["type"] for e in error.errors())
        raise PermanentError(f"{model.__name__} does not have its shape: {findings}") from error


def _loop_of(routed: Routed, event_id: str) -> LoopStage:
    assert routed.loop is not None
    loop = routed.loop
    return LoopStage(routed.feedback_id, f"{event_id}.{loop.state}", loop.id, loop.state, None, loop.at)


def _loop_stages(change: LoopChanged, event_id: str) -> list[LoopStage]:
    return [
        LoopStage(fid, event_id, change.loop_id, change.state, change.reason, change.at)
        for fid in change.feedback_ids
    ]


def _item_stage(change: ItemChanged) -> ItemStage:
    return ItemStage(change.item_id, change.sequence, change.change, change.state, change.team, change.at)


def _stored(letter: DeadLetter, fallback_tenant: str) -> StoredLetter:
    try:
        value = base64.b64decode(letter.value, validate=True)
    except binascii.Error as error:
        raise PermanentError("the value of the dead letter is not base64") from error
    about = _about(letter.topic, value)
    tenant_id = letter.tenant_id if letter.tenant_id and letter.tenant_id != NO_TENANT else fallback_tenant
    return StoredLetter(
        tenant_id=tenant_id,
        id=letter.id,
        service=letter.service,
        version=letter.version,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        key=None if letter.key is None else letter.key.encode(),
        headers=tuple((name, said.encode()) for name, said in letter.headers),
        value=value,
        error=letter.error,
        reason=letter.reason.replace("\x00", "\ufffd"),
        attempts=letter.attempts,
        failed_at=letter.failed_at,
        feedback_id=about[0] if about else None,
        revision=about[1] if about else None,
        pass_number=about[2] if about else None,
    )


PATHS: dict[str, Literal["", "accepted"]] = {"feedback.accepted": "", "feedback.scored": "accepted"}
"""Where in the data of a topic the accepted feedback lies."""


def _about(topic: str, value: bytes) -> tuple[str, int, int] | None:
    """(feedback id, revision, pass) the record was about, as far as its bytes can be read."""
    if topic not in PATHS:
        return None
    path: Callable[[Any], Any] = (lambda d: d[PATHS[topic]]) if PATHS[topic] else (lambda d: d)
    try:
        data = path(orjson.loads(value))
        return str(data["feedback_id"]), int(data["revision"]), int(data.get("pass_number", 1))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None
