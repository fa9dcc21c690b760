"""Follows what tenants and their people teach, while the service goes on scoring."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

import structlog
from pydantic import ValidationError

from heardback_scoring.app.policy_texts import Policy, PolicyRefused, read_policy
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.taught import NOTHING_TAUGHT, Taught
from heardback_scoring.app.taxonomies import Taxonomies
from heardback_scoring.app.understanding import Understanding, taught_by
from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_scoring.domain.taxonomy import Taxonomy
from heardback_scoring.inference.thread import InferenceBusy
from heardback_shared.contracts.envelope import Envelope, EnvelopeError, from_record
from heardback_shared.contracts.events import (
    FEEDBACK_CORRECTED,
    POLICY_ACTIVATED,
    FeedbackCorrected,
    PolicyActivated,
)
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Record, Whole

MOST_RECORDS = 1_000
POLL_SECONDS = 0.5
NOTE_LENGTH = 300
PATIENCE_SECONDS = 30.0

_log = structlog.get_logger(__name__)


class FollowJudgement:
    """Every process reads the whole topic. What cannot be used is refused, and the former stays in force."""

    def __init__(self, topic: Whole, serving: Serving, taxonomies: Taxonomies, metrics: Metrics) -> None:
        self._topic = topic
        self._serving = serving
        self._taxonomies = taxonomies
        self._metrics = metrics
        self._taught: dict[str, Taught] = {}
        self._since: dict[tuple[str, str], tuple[datetime, str | None]] = {}
        self._waiting: set[str] = set()
        self._refused: dict[tuple[str, str], str] = {}
        self._ready = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Learns until told to stop."""
        await self._topic.start()
        try:
            while not stop.is_set():
                await self.look()
        finally:
            await self._topic.stop()

    async def look(self) -> None:
        """Takes what is there. At the start nothing is learnt before everything was taken."""
        for record in await self._topic.poll(MOST_RECORDS, POLL_SECONDS):
            await self._take(record)
        if self._ready.is_set() or await self._topic.caught_up():
            await self._learn()
            if not self._waiting:
                self._ready.set()

    async def ready(self, stop: asyncio.Event, seconds: float = PATIENCE_SECONDS) -> None:
        """Returns once all that had been taught before the start is in effect; at the latest after this time,
        since late reading by the deployment's own policies is better than none.
        """
        waits = [asyncio.create_task(event.wait()) for event in (self._ready, stop)]
        done, pending = await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if not done:
            _log.warning("judgement.not_caught_up", seconds=seconds)

    async def note(self) -> str | None:
        """What a person should know: policies that were refused, corrections that teach nothing."""
        told = _told(self._serving.understanding)
        notes = [f"{kind} of tenant {t}: {why}" for (t, kind), why in sorted(self._refused.items())]
        if told:
            notes.append(
                f"{told} corrections were made under another model: they hold for their own feedback, and "
                "nothing is learnt from them."
            )
        return " ".join(notes) or None

    async def _take(self, record: Record) -> None:
        if record.value is None:  # what compaction leaves of a deleted record
            return
        try:
            event = from_record(record.key, record.headers, record.value)
            await self._understand(event)
        except (EnvelopeError, ValidationError, PolicyRefused) as error:
            self._metrics.teachings.labels("refused").inc()
            _log.warning("judgement.refused", offset=record.offset, error=type(error).__name__)
        else:
            self._metrics.teachings.labels("taken").inc()

    async def _understand(self, event: Envelope) -> None:
        """Raises ValidationError, and PolicyRefused."""
        tenant_id = event.tenant_id
        if tenant_id is None:
            raise EnvelopeError("the event names no tenant")
        if event.type == POLICY_ACTIVATED:
            await self._activate(tenant_id, PolicyActivated.model_validate_json(event.data))
        elif event.type == FEEDBACK_CORRECTED:
            said = FeedbackCorrected.model_validate_json(event.data)
            before = self._taught.get(tenant_id, NOTHING_TAUGHT)
            self._teach(tenant_id, before.corrected_by(said))

    async def _activate(self, tenant_id: str, activated: PolicyActivated) -> None:
        key = (tenant_id, activated.kind)
        known = self._since.get(key)
        if known is not None and known[0] > activated.at:
            return
        if known is not None and known[1] == activated.text:
            self._since[key] = (activated.at, activated.text)
            return
        policy: Policy | None = None
        if activated.text is not None:
            try:
                policy = await asyncio.to_thread(read_policy, activated.kind, activated.text)
            except PolicyRefused as refused:
                why = str(refused)[:NOTE_LENGTH]
                self._refused[key] = f"{activated.version} is refused ({why}); the former stays in force."
                raise
        self._refused.pop(key, None)
        self._since[key] = (activated.at, activated.text)
        before = self._taught.get(tenant_id, NOTHING_TAUGHT)
        if activated.kind == "severity":
            after = replace(before, severity=cast("SeverityPolicy | None", policy))
        else:
            after = replace(before, taxonomy=cast("Taxonomy | None", policy))
        self._teach(tenant_id, after)

    def _teach(self, tenant_id: str, taught: Taught) -> None:
        if taught is not self._taught.get(tenant_id, NOTHING_TAUGHT):
            self._taught[tenant_id] = taught
            self._waiting.add(tenant_id)

    async def _learn(self) -> None:
        """Puts in force what is new. While the model is too busy to embed, it is tried again later."""
        if not self._waiting:
            return
        async with self._serving.changing:
            base = self._serving.understanding
            tenants = dict(base.tenants)
            for tenant_id in sorted(self._waiting):
                try:
                    tenants[tenant_id] = await self._learnt(tenant_id, base)
                except InferenceBusy:
                    continue
                except Exception as error:  # a policy that only fails in use must not stop the others
                    self._refused[tenant_id, "judgement"] = f"it failed ({type(error).__name__})."
                    _log.error("judgement.failed", tenant_id=tenant_id, error=type(error).__name__)
                self._waiting.discard(tenant_id)
            self._serving.amend(replace(base, tenants=tenants))
        self._measure(self._serving.understanding)

    async def _learnt(self, tenant_id: str, base: Understanding) -> Understanding:
        taught = self._taught[tenant_id]
        embedded = await self._taxonomies.embedded(taught.taxonomy or base.policies.taxonomy, base)
        own = await asyncio.to_thread(taught_by, base, taught, embedded)
        self._refused.pop((tenant_id, "judgement"), None)
        _log.info("judgement.learnt", tenant_id=tenant_id, taxonomy=own.taxonomy_version)
        return own

    def _measure(self, by: Understanding) -> None:
        owns: Sequence[Understanding] = list(by.tenants.values())
        learnt = sum(len(own.embedded.corrections) for own in owns if own.embedded is not None)
        for what, count in (
            ("severity", sum(own.taught.severity is not None for own in owns)),
            ("taxonomy", sum(own.taught.taxonomy is not None for own in owns)),
            ("corrections_learnt", learnt),
            ("corrections_told", _told(by)),
        ):
            self._metrics.taught.labels(what).set(count)


def _told(by: Understanding) -> int:
    return sum(len(own.remembered.right) for own in by.tenants.values())
