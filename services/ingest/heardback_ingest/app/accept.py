"""Accept feedback: the one use case behind every door.

`Accept.__call__` is the whole story: check, redact, look up, write the ledger, outbox and vault in one
transaction. When it returns, what it calls accepted is on disk.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.surveys.answers import answer_to_invitation
from heardback_ingest.app.surveys.ports import Invitations
from heardback_ingest.customer_ports import Policies, classes_of
from heardback_ingest.domain.content import Prepared, prepare
from heardback_ingest.domain.ledger import (
    DEFAULT_POLICY,
    SUPERSEDED,
    RedrivePolicy,
    event_id,
    event_key,
    feedback_id,
)
from heardback_ingest.domain.limits import DEFAULT_LIMITS, Finding, Limits, too_large, unstorable
from heardback_ingest.ports import CustomerFacts, Customers, Known, Ledger, NewRow, Original, Vault
from heardback_shared.clock import Clock
from heardback_shared.contracts.customer import CustomerHistory, CustomerSnapshot
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import FEEDBACK_ACCEPTED, FeedbackAccepted
from heardback_shared.contracts.feedback import FeedbackIn
from heardback_shared.contracts.topics import ACCEPTED
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing

SOURCE = "/heardback/ingest"
CHUNK = 250
"""Rows per transaction: small enough that other work gets its turn in between."""
LAST_SCORES = 5


@dataclass(frozen=True, slots=True)
class Submitted:
    submission: FeedbackIn
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one submission. `errors` only when rejected; 413 marks sizes, 422 everything else."""

    outcome: Literal["accepted", "duplicate", "rejected"]
    id: str | None = None
    same_content: bool = True
    errors: tuple[Finding, ...] = ()
    problem: Literal[413, 422] = 422


@dataclass(frozen=True, slots=True)
class _Draft:
    index: int
    feedback_id: str
    submitted: Submitted
    prepared: Prepared
    digest: bytes

    @property
    def key(self) -> tuple[str, int]:
        return self.feedback_id, self.submitted.submission.revision

    @property
    def customer_id(self) -> str | None:
        customer = self.submitted.submission.customer
        return customer.id if customer else None


class Accept:
    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        customers: Customers,
        vault: Vault,
        outbox: Outbox,
        keyring: Keyring,
        clock: Clock,
        metrics: Metrics,
        *,
        policies: Policies,
        invitations: Invitations,
        limits: Limits = DEFAULT_LIMITS,
        policy: RedrivePolicy = DEFAULT_POLICY,
        max_event_bytes: int = 1_000_000,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._customers = customers
        self._vault = vault
        self._invitations = invitations
        self._outbox = outbox
        self._digest_key = keyring.key("content-digest")
        self._clock = clock
        self._metrics = metrics
        self._policies = policies
        self._limits = limits
        self._policy = policy
        self._max_event_bytes = max_event_bytes

    async def __call__(self, tenant_id: str, door: str, batch: Sequence[Submitted]) -> list[Result]:
        """One result per submission, in order. All of a chunk of CHUNK rows commits, or none of it."""
        results: list[Result] = []
        for start in range(0, len(batch), CHUNK):
            results += await self._accept_chunk(tenant_id, batch[start : start + CHUNK])
        for result in results:
            self._metrics.accepted.labels(door, result.outcome).inc()
        return results

    async def _accept_chunk(self, tenant_id: str, batch: Sequence[Submitted]) -> list[Result]:
        results: list[Result | None] = [None] * len(batch)
        drafts: list[_Draft] = []
        for index, submitted in enumerate(batch):
            rejected = self._check(submitted.submission)
            if rejected is None:
                drafts.append(self._draft(index, tenant_id, submitted))
            else:
                results[index] = rejected
        if drafts:
            await self._store(tenant_id, drafts, results)
            self._outbox.wake()
        return [result for result in results if result is not None]

    def _check(self, submission: FeedbackIn) -> Result | None:
        if errors := too_large(submission, self._limits):
            return Result("rejected", errors=errors, problem=413)
        if errors := unstorable(submission):
            return Result("rejected", errors=errors)
        return None

    def _draft(self, index: int, tenant_id: str, submitted: Submitted) -> _Draft:
        submission = submitted.submission
        prepared = prepare(submission)
        for kind, count in prepared.content.redactions.items():
            self._metrics.redactions.labels(kind).inc(count)
        canonical = orjson.dumps(orjson.loads(to_bytes(submission)), option=orjson.OPT_SORT_KEYS)
        return _Draft(
            index,
            feedback_id(tenant_id, submission.source, submission.external_id),
            submitted,
            prepared,
            hmac.digest(self._digest_key, canonical, "sha256"),
        )

    async def _store(self, tenant_id: str, drafts: list[_Draft], results: list[Result | None]) -> None:
        now = self._clock.now()
        first = {draft.key: draft for draft in reversed(drafts)}
        async with self._database.tenant(tenant_id, by_key=True) as c:
            known = await self._ledger.known(c, tenant_id, sorted({d.feedback_id for d in drafts}))
            customer_ids = sorted({d.customer_id for d in drafts if d.customer_id is not None})
            facts = await self._facts(c, tenant_id, customer_ids, now) if customer_ids else {}
            newest = {fid: k.newest_revision for fid, k in known.items()}
            rows: list[tuple[_Draft, NewRow]] = []
            for draft in drafts:
                if first[draft.key] is not draft:
                    continue
                row = self._row(draft, now, known.get(draft.feedback_id), facts, newest)
                if row is not None:
                    rows.append((draft, row))
            new = await self._ledger.insert(c, tenant_id, [row for _, row in rows])
            fresh = [(draft, row) for draft, row in rows if draft.key in new]
            await self._outbox.add(c, [_outgoing(tenant_id, row) for _, row in fresh if row.reason is None])
            answers = [answer_to_invitation(d.feedback_id, d.submitted.submission, now) for d, _ in fresh]
            await self._invitations.answered(c, tenant_id, [one for one in answers if one is not None])
            originals = [_original(draft) for draft, _ in fresh if draft.prepared.altered]
            if originals:
                await self._vault.keep(c, tenant_id, originals, now)
            old = [d.key for d, _ in rows if d.key not in new]
            digests = await self._ledger.contents(c, tenant_id, old) if old else {}
        digests |= {draft.key: draft.digest for draft, _ in fresh}
        for draft in drafts:
            if draft.key not in digests:  # it, or what it repeats, was too large
                results[draft.index] = _too_large_event(self._max_event_bytes)
                continue
            is_new = first[draft.key] is draft and draft.key in new
            same = digests[draft.key] == draft.digest
            results[draft.index] = Result("accepted" if is_new else "duplicate", draft.feedback_id, same)

    async def _facts(
        self, c: AsyncConnection, tenant_id: str, customer_ids: Sequence[str], now: datetime
    ) -> dict[str, CustomerFacts]:
        ages = (await classes_of(self._policies, c, tenant_id)).ages
        return await self._customers.facts(c, tenant_id, customer_ids, ages, now)

    def _row(
        self,
        draft: _Draft,
        now: datetime,
        known: Known | None,
        facts: Mapping[str, CustomerFacts],
        newest: dict[str, int],
    ) -> NewRow | None:
        """The ledger row; None when its event would be too large. Keeps `newest` up to date."""
        fid, revision = draft.key
        content = draft.prepared.content
        event = to_bytes(
            FeedbackAccepted.model_construct(
                feedback_id=fid,
                revision=revision,
                pass_number=1,
                accepted_at=now,
                content=content,
                customer=_snapshot(draft, known, facts, now),
            )
        )
        if len(event) > self._max_event_bytes:
            return None
        stale = revision < newest.get(fid, 0)
        newest[fid] = max(revision, newest.get(fid, 0))
        return NewRow(
            feedback_id=fid,
            revision=revision,
            source=content.source,
            external_id=content.external_id,
            kind=content.kind,
            customer_id=draft.customer_id,
            metric_value=content.metric.value if content.metric else None,
            content_hmac=draft.digest,
            event=event,
            traceparent=draft.submitted.traceparent,
            accepted_at=now,
            state="settled" if stale else "in_flight",
            reason=SUPERSEDED if stale else None,
            due_at=None if stale else self._policy.first_due(now),
        )


def _snapshot(
    draft: _Draft, known: Known | None, facts: Mapping[str, CustomerFacts], now: datetime
) -> CustomerSnapshot | None:
    """The customer as known now. The feedback itself, in an earlier revision, is not its own history."""
    if draft.customer_id is None:
        return None
    found = facts.get(draft.customer_id)
    if found is None:
        return CustomerSnapshot(id=draft.customer_id, taken_at=now)
    contacts = found.contacts_30d
    if known is not None and known.newest_accepted_at > now - timedelta(days=30):
        contacts = max(contacts - 1, 0)
    earlier: dict[str, float] = {}
    for answered, value in found.answers:
        if answered != draft.feedback_id:
            earlier.setdefault(answered, value)
    history = CustomerHistory.model_construct(
        contacts_30d=contacts,
        open_items=found.standing.get("open_items"),
        transfers=found.standing.get("transfers"),
        broken_promises=found.standing.get("broken_promises"),
        open_promises=found.standing.get("open_promises"),
        breaches=found.standing.get("breaches"),
        last_scores=tuple(earlier.values())[:LAST_SCORES],
    )
    return found.snapshot.model_copy(update={"history": history})


def outgoing(
    tenant_id: str,
    fid: str,
    revision: int,
    pass_number: int,
    customer_id: str | None,
    data: bytes,
    at: datetime,
    traceparent: str | None,
) -> Outgoing:
    """The accepted event of one pass; the same pass is always the same event id."""
    envelope = Envelope(
        id=event_id(tenant_id, fid, revision, pass_number),
        source=SOURCE,
        type=FEEDBACK_ACCEPTED,
        data=data,
        time=at,
        subject=fid,
        tenant_id=tenant_id,
        key=event_key(tenant_id, customer_id, fid),
        traceparent=traceparent,
    )
    return Outgoing(ACCEPTED.name, envelope)


def _outgoing(tenant_id: str, row: NewRow) -> Outgoing:
    return outgoing(
        tenant_id,
        row.feedback_id,
        row.revision,
        1,
        row.customer_id,
        row.event,
        row.accepted_at,
        row.traceparent,
    )


def subject_of_customer(customer_id: str) -> str:
    """Whose data key protects what this customer said."""
    return f"customer:{customer_id}"


def _original(draft: _Draft) -> Original:
    fid, revision = draft.key
    subject = subject_of_customer(draft.customer_id) if draft.customer_id else f"feedback:{fid}"
    return Original(fid, revision, subject, to_bytes(draft.submitted.submission))


def _too_large_event(limit: int) -> Result:
    errors = (("", f"is larger than {limit} bytes once accepted; send it in parts"),)
    return Result("rejected", errors=errors, problem=413)
