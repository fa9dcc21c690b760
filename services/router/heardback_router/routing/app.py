"""Use case: route scored feedback. One transaction per tenant and batch holds inbox, effects and outbox."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.assignment.ports import Assignment
from heardback_router.assignment.queueing import teams_to_drain
from heardback_router.backlog.announce import item_changed
from heardback_router.backlog.domain import Weight
from heardback_router.backlog.titles import words_of
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.corrections.domain import Word, answered_by, answers_of, overlaid
from heardback_router.grouping.held import OpenFeedback
from heardback_router.grouping.neighbours import candidates
from heardback_router.grouping.open_feedback import hold
from heardback_router.loops.ports import Opening
from heardback_router.outreach.discomfort import Discomfort
from heardback_router.routing.announce import answers_for, feedback_routed
from heardback_router.routing.plan import Arrival, Link, Plan, Standing, arrival_of
from heardback_router.routing.ports import CorrectionsInForce, Inbox, Items, LoopStates, Neighbours
from heardback_shared.clock import Clock
from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import FEEDBACK_SCORED, FeedbackScored, LoopRef
from heardback_shared.contracts.score import Score
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.errors import PermanentError
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Outgoing


@dataclass(frozen=True, slots=True)
class Scored:
    """A scored event, read."""

    event: Envelope
    feedback: FeedbackScored


class RouteFeedback:
    """The stage's handler, idempotent by event id: what has had its effect is only answered again."""

    def __init__(
        self,
        database: Database,
        inbox: Inbox,
        items: Items,
        loops: LoopStates,
        outbox: Outbox,
        policies: PolicySource,
        clock: Clock,
        metrics: Metrics,
        *,
        assignment: Assignment,
        neighbours: Neighbours,
        corrections: CorrectionsInForce,
        discomfort: Discomfort,
    ) -> None:
        self._discomfort = discomfort
        self._neighbours = neighbours
        self._database = database
        self._inbox = inbox
        self._items = items
        self._loops = loops
        self._outbox = outbox
        self._policies = policies
        self._corrections = corrections
        self._clock = clock
        self._metrics = metrics
        self._assignment = assignment

    async def __call__(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        """Everything goes through the outbox, so nothing is left for the stage to send."""
        by_tenant: dict[str, list[Scored]] = defaultdict(list)
        for incoming in batch:
            tenant_id, scored = read(incoming.event)
            by_tenant[tenant_id].append(scored)
        for tenant_id, scored_events in by_tenant.items():
            await self.route(tenant_id, scored_events)
        return ()

    async def route(self, tenant_id: str, batch: Sequence[Scored]) -> None:
        """Gives a tenant's events their effect and answers them, all in one transaction."""
        async with self._database.tenant(tenant_id) as connection:
            await look_up_by_key(connection)
            plan, arrivals = await self._plan(connection, tenant_id, batch)
            fresh = [arrival.scored for arrival in arrivals if not arrival.known]
            await self._discomfort.heed(connection, tenant_id, fresh, plan.at)
            await self._write(connection, tenant_id, plan)
            opened, taken_up = await self._open_loops(connection, tenant_id, plan)
            answers = await self._answers(connection, tenant_id, plan, arrivals, batch, opened)
            causes = {a.feedback_id: s.event for a, s in zip(arrivals, batch, strict=True) if not a.known}
            given = await self._give_out(connection, tenant_id, plan)
            changes = _changes(tenant_id, plan, causes)
            await self._outbox.add(connection, [*answers, *changes, *given, *taken_up])
        self._outbox.wake()
        self._measure(plan, arrivals)

    async def _plan(
        self, connection: AsyncConnection, tenant_id: str, batch: Sequence[Scored]
    ) -> tuple[Plan, list[Arrival]]:
        at = self._clock.now()
        policies = await self._policies.of(connection, tenant_id)
        fresh = await self._inbox.remember(connection, tenant_id, (s.event.id for s in batch), at)
        arrivals = []
        for scored in batch:
            event_id = scored.event.id
            known = event_id not in fresh
            arrivals.append(arrival_of(event_id, scored.feedback, known, policies.grouping))
            fresh.discard(event_id)
        rows = await self._items.links(connection, tenant_id, [a.feedback_id for a in arrivals])
        links = {row["feedback_id"]: _link_of(row) for row in rows}
        newcomers = [a.newcomer for a in arrivals if not a.known]
        around = await self._neighbours.around(connection, tenant_id, newcomers, policies.grouping)
        found = candidates(around, policies.grouping)
        items = await self._items.lock(connection, tenant_id, {k.item_id for k in links.values()} | found)
        await self._neighbours.traits(connection, tenant_id, around, found)
        arrivals = await self._corrected(connection, tenant_id, arrivals, links, policies)
        weights = {}
        if _may_rescore(arrivals, links):
            weights = await self._items.weights(connection, tenant_id, items)
        plan = Plan(policies, at, items, links, weights, around)
        for arrival in arrivals:
            plan.take(tenant_id, arrival)
        return plan, arrivals

    async def _corrected(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        arrivals: list[Arrival],
        links: Mapping[str, Link],
        policies: Policies,
    ) -> list[Arrival]:
        """With what people said over what the machine says; only what has a link can have been corrected."""
        known = sorted({a.feedback_id for a in arrivals if a.feedback_id in links})
        words = await self._corrections.words(connection, tenant_id, known) if known else {}
        return [
            _with(words[arrival.feedback_id], arrival, policies) if arrival.feedback_id in words else arrival
            for arrival in arrivals
        ]

    async def _write(self, connection: AsyncConnection, tenant_id: str, plan: Plan) -> None:
        opened = set(plan.opened)
        await self._items.open(connection, tenant_id, [plan.items[i] for i in plan.opened])
        changed = [plan.items[i] for i in sorted(plan.changed - opened)]
        await self._items.update(connection, tenant_id, changed)
        rows = [_link_row(tenant_id, plan.links[i], plan) for i in sorted(plan.written)]
        await self._items.link(connection, rows)
        await self._hold(connection, tenant_id, plan)
        arrivals = [link.arrival for i in sorted(plan.written) if (link := plan.links[i]).arrival is not None]
        if again := [arrival for arrival in arrivals if arrival.corrected]:
            told = await self._corrections.read_again(connection, tenant_id, again)
            await self._outbox.add(connection, told)
        await self._items.log(connection, tenant_id, [event for event, _ in plan.events])

    async def _open_loops(
        self, connection: AsyncConnection, tenant_id: str, plan: Plan
    ) -> tuple[Mapping[str, LoopRef], Sequence[Outgoing]]:
        """A stake for everybody whose feedback has come to an item."""
        openings = []
        for feedback_id in sorted(plan.written):
            link = plan.links[feedback_id]
            if link.grouping is not None and link.arrival is not None:
                accepted = link.arrival.scored.accepted
                customer_id = link.arrival.customer_id
                openings.append(Opening(feedback_id, link.item_id, customer_id, accepted.accepted_at))
        policy = plan.policies.telling
        return await self._loops.open(connection, tenant_id, openings, plan.items, policy, plan.at)

    async def _give_out(self, connection: AsyncConnection, tenant_id: str, plan: Plan) -> Sequence[Outgoing]:
        """Gives what the batch opened or moved to people, where their teams want that."""
        teams: set[str] = set()
        for item_id in plan.changed:
            teams |= teams_to_drain(None, plan.items[item_id], plan.policies.capacity)
        if not teams:
            return ()
        drained = await self._assignment.drain(connection, tenant_id, teams, plan.policies, plan.at)
        return drained.outgoing

    async def _hold(self, connection: AsyncConnection, tenant_id: str, plan: Plan) -> None:
        """Later arrivals find what was placed, or read again, in items that still take feedback."""
        changed = [plan.links[i] for i in sorted(plan.written)]
        held = [_held(link, plan) for link in changed if plan.items[link.item_id].accepts_feedback]
        again = any(link.grouping is None for link in changed)
        await hold(connection, tenant_id, held, again=again, large=plan.around.large)

    async def _answers(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        plan: Plan,
        arrivals: Sequence[Arrival],
        batch: Sequence[Scored],
        opened: Mapping[str, LoopRef],
    ) -> list[Outgoing]:
        again = sorted({a.feedback_id for a in arrivals} - plan.written)
        before = sorted({a.feedback_id for a in arrivals} - opened.keys())
        held = await self._loops.of_feedback(connection, tenant_id, before) if before else {}
        loops = {**held, **opened}
        stored = await self._items.scores(connection, tenant_id, again) if again else {}
        answers = []
        for arrival, scored in zip(arrivals, batch, strict=True):
            link = plan.links[arrival.feedback_id]
            answers.append(
                feedback_routed(
                    tenant_id,
                    scored.event,
                    arrival,
                    link,
                    plan.items[link.item_id],
                    _score_for(arrival, link, stored),
                    loops.get(arrival.feedback_id),
                )
            )
        return answers

    def _measure(self, plan: Plan, arrivals: Sequence[Arrival]) -> None:
        at = self._clock.now()
        routed: Counter[str] = Counter()
        decided = Counter(link.decision.by for link in plan.links.values() if link.decision is not None)
        for arrival in arrivals:
            if not arrival.known:
                routed[plan.items[plan.links[arrival.feedback_id].item_id].team] += 1
                waited = (at - arrival.scored.accepted.accepted_at).total_seconds()
                self._metrics.intake_to_item.observe(max(waited, 0.0))
        for team, number in routed.items():
            self._metrics.routed.labels(team).inc(number)
        for by, number in decided.items():
            self._metrics.routed_by.labels(by).inc(number)


def read(event: Envelope) -> tuple[str, Scored]:
    """(tenant, event). Raises PermanentError for what this stage can never handle."""
    if event.type != FEEDBACK_SCORED:
        raise PermanentError(
            f"events of type {event.type} are not routed; this release reads {FEEDBACK_SCORED}"
        )
    if not event.tenant_id:
        raise PermanentError("the event names no tenant")
    try:
        return event.tenant_id, Scored(event, FeedbackScored.model_validate_json(event.data))
    except ValidationError as error:
        faults = "; ".join(f"/{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise PermanentError(f"not a scored feedback: {faults}") from error


def _with(word: Word, arrival: Arrival, policies: Policies) -> Arrival:
    scored, machine = arrival.scored, arrival.scored.score
    said = scored.model_copy(update={"score": overlaid(machine, word, policies.weighing.band_of)})
    return arrival_of(arrival.event_id, said, arrival.known, policies.grouping, machine)


def _may_rescore(arrivals: Sequence[Arrival], links: Mapping[str, Link]) -> bool:
    ids = [a.feedback_id for a in arrivals if not a.known]
    return len(set(ids)) < len(ids) or any(feedback_id in links for feedback_id in ids)


def _score_for(arrival: Arrival, link: Link, stored: Mapping[str, Score]) -> bytes:
    if not answers_for(arrival, link):
        return arrival.score_json
    return link.arrival.score_json if link.arrival else to_bytes(stored[arrival.feedback_id])


def _changes(tenant_id: str, plan: Plan, causes: Mapping[str, Envelope]) -> list[Outgoing]:
    changes = []
    for event, after in plan.events:
        cause = causes.get(event.data["feedback_id"])
        changes.append(
            item_changed(
                tenant_id,
                event,
                after,
                causation_id=cause.id if cause else None,
                traceparent=cause.traceparent if cause else None,
            )
        )
    return changes


def _link_of(row: RowMapping) -> Link:
    return Link(
        feedback_id=row["feedback_id"],
        item_id=row["item_id"],
        standing=Standing(row["revision"], row["pass_number"], row["scored_at"]),
        weight=Weight(row["severity"], row["band"]),
        joined_because=row["joined_because"],
        routed_at=row["routed_at"],
        moved=row["moved"],
    )


def _held(link: Link, plan: Plan) -> OpenFeedback:
    if link.arrival is None:
        raise ValueError("only a link that was just made or changed is held")
    told = plan.around.told.get(link.feedback_id, ())
    held = OpenFeedback.of_newcomer(link.arrival.newcomer, link.item_id, (one.mark for one in told))
    return replace(held, placed_by="person") if link.moved else held


def _link_row(tenant_id: str, link: Link, plan: Plan) -> dict[str, Any]:
    if link.arrival is None or link.decision is None:
        raise ValueError("only a link that was just made or changed is written")
    accepted, embedding = link.arrival.scored.accepted, link.arrival.scored.embedding
    return {
        "tenant_id": tenant_id,
        "feedback_id": link.feedback_id,
        "item_id": link.item_id,
        "customer_id": link.arrival.customer_id,
        "channel": accepted.content.channel,
        "revision": link.standing.revision,
        "pass_number": link.standing.pass_number,
        "severity": link.weight.score,
        "band": link.weight.band,
        "joined_because": link.joined_because,
        "accepted_at": accepted.accepted_at,
        "scored_at": link.standing.scored_at,
        "routed_at": link.routed_at,
        "content": to_bytes(accepted.content).decode(),
        "customer": to_bytes(accepted.customer).decode() if accepted.customer else None,
        "embedding": embedding.data if embedding else None,
        "embedding_model": embedding.model if embedding else None,
        "score": link.arrival.score_json.decode(),
        "decision": link.decision.record,
        "words": words_of(accepted.content),
        "grouping": link.grouping,
        "place": _held(link, plan).place,
        "answered": answers_of(link.arrival.machine),
        "answered_by": answered_by(link.arrival.machine),
    }
