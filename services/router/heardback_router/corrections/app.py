"""Use cases: correct a feedback, take it back, erase. One transaction holds all that belongs to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, heaviest
from heardback_router.backlog.log import Entry, append
from heardback_router.backlog.store import PostgresItems
from heardback_router.configuration.source import PolicySource
from heardback_router.corrections.announce import (
    embedding_of,
    erased,
    feedback_corrected,
    taken_back,
)
from heardback_router.corrections.domain import Correction, Word, overlaid, said_by
from heardback_router.corrections.store import InForce, PostgresCorrections
from heardback_router.routing.announce import feedback_routed
from heardback_router.routing.domain import Decision, decide
from heardback_router.routing.inputs import inputs_of
from heardback_router.routing.plan import Arrival, Link, arrival_of
from heardback_shared.clock import Clock
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.envelope import Envelope
from heardback_shared.contracts.events import FEEDBACK_SCORED, FeedbackAccepted, FeedbackScored
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.score import Score
from heardback_shared.db.database import Database, to_json
from heardback_shared.db.outbox import Outbox
from heardback_shared.errors import TransientError
from heardback_shared.ids import derived_id
from heardback_shared.stream.ports import Outgoing

TRIES = 3


class UnknownFeedbackError(Exception):
    """No feedback of this tenant that was scored has this id."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A feedback afterwards. `in_force` is None where nothing is corrected, or no longer."""

    in_force: Correction | None
    score: Score
    item: Item


@dataclass(frozen=True, slots=True)
class _Held:
    """A feedback and its item, locked, with the score the machine made."""

    link: RowMapping
    item: Item
    machine: Score
    known: InForce | None


class Corrections:
    def __init__(
        self,
        database: Database,
        items: PostgresItems,
        store: PostgresCorrections,
        outbox: Outbox,
        policies: PolicySource,
        clock: Clock,
    ) -> None:
        self._database = database
        self._items = items
        self._store = store
        self._outbox = outbox
        self._policies = policies
        self._clock = clock

    async def correct(
        self, tenant_id: str, feedback_id: str, word: Word, *, actor: str, reason: str
    ) -> Corrected:
        """Puts the word in force at once. The same word by the same person again changes nothing.

        Raises UnknownFeedbackError, and IllegalCommandError where the item's state does not allow it.
        """
        async with self._database.tenant(tenant_id) as connection:
            held = await self._hold(connection, tenant_id, feedback_id)
            before = held.known.correction if held.known else None
            if before is not None and (before.word, before.actor, before.reason) == (word, actor, reason):
                return Corrected(before, Score.model_validate_json(held.link["score"]), held.item)
            history = await self._store.history(connection, tenant_id, feedback_id)
            at = self._after(history)
            number = len(history) + 1
            said = said_by(held.machine) if held.known is None else held.known.correction.said
            correction = Correction(feedback_id, number, word, actor, reason, at, said)
            values, model = held.link["embedding"], held.link["embedding_model"]
            machine = held.machine.model_dump_json(exclude_none=True)
            await self._store.keep(connection, tenant_id, correction, machine, values, model)
            after = await self._put(connection, tenant_id, held, correction, word, actor, reason, at)
            told = feedback_corrected(tenant_id, feedback_id, word, at, embedding_of(values, model))
            if word.about_causes or (before is not None and before.word.about_causes):
                await self._outbox.add(connection, [told])
        self._outbox.wake()
        return after

    async def take_back(
        self, tenant_id: str, feedback_id: str, *, actor: str, reason: str | None
    ) -> Corrected:
        """What the machine said counts again. Where nothing is in force, nothing changes.

        Raises as `correct`.
        """
        async with self._database.tenant(tenant_id) as connection:
            held = await self._hold(connection, tenant_id, feedback_id)
            if held.known is None:
                return Corrected(None, held.machine, held.item)
            before = held.known.correction
            at = self._after([before])
            await self._store.end(connection, tenant_id, feedback_id, at, actor)
            after = await self._put(connection, tenant_id, held, None, Word(), actor, reason, at)
            if before.word.about_causes:
                await self._outbox.add(connection, [taken_back(tenant_id, feedback_id, at)])
        self._outbox.wake()
        return after

    async def history(self, tenant_id: str, feedback_id: str) -> list[Correction]:
        """Every word about a feedback, the oldest first. Raises UnknownFeedbackError."""
        async with self._database.tenant(tenant_id) as connection:
            if await self._store.link(connection, tenant_id, feedback_id) is None:
                raise UnknownFeedbackError(feedback_id)
            return await self._store.history(connection, tenant_id, feedback_id)

    async def erase(
        self, connection: AsyncConnection, tenant_id: str, feedback_ids: Sequence[str]
    ) -> list[Outgoing]:
        """Drops all that was ever said about these feedbacks; what is returned is still to be announced."""
        gone = await self._store.forget(connection, tenant_id, feedback_ids)
        return erased(tenant_id, gone, self._clock.now())

    def _after(self, history: Sequence[Correction]) -> datetime:
        """Later than all that was said before, so that whoever learns knows which word counts."""
        known = [one.ended_at or one.at for one in history]
        return max([self._clock.now(), *(at + timedelta(microseconds=1) for at in known)])

    async def _hold(self, connection: AsyncConnection, tenant_id: str, feedback_id: str) -> _Held:
        """The item is locked first, as routing does, so that the two wait for each other."""
        for _ in range(TRIES):
            link = await self._store.link(connection, tenant_id, feedback_id)
            if link is None:
                raise UnknownFeedbackError(feedback_id)
            item = await self._items.lock_one(connection, tenant_id, link["item_id"])
            link = await self._store.link(connection, tenant_id, feedback_id)
            if item is not None and link is not None and link["item_id"] == item.id:
                known = await self._store.in_force(connection, tenant_id, [feedback_id])
                one = known.get(feedback_id)
                machine = one.machine if one else Score.model_validate_json(link["score"])
                return _Held(link, item, machine, one)
        raise TransientError("the feedback is being moved between items")

    async def _put(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        held: _Held,
        correction: Correction | None,
        word: Word,
        actor: str,
        reason: str | None,
        at: datetime,
    ) -> Corrected:
        """Writes the word's effect to link and item, and announces both."""
        policies = await self._policies.of(connection, tenant_id)
        scored = _scored(held.link, overlaid(held.machine, word, policies.weighing.band_of))
        decision = decide(inputs_of(scored, at), policies.routing)
        number = correction.number if correction else 0
        event = _event(tenant_id, held.link, number, at)
        arrival = arrival_of(event.id, scored, True, policies.grouping)
        await self._store.relink(
            connection,
            tenant_id,
            arrival.feedback_id,
            {
                "score": arrival.score_json.decode(),
                "severity": arrival.weight.score,
                "band": arrival.weight.band,
                "decision": to_json(decision.record),
                "at": at,
            },
        )
        entry = await self._entry(connection, tenant_id, held, arrival, decision, correction, actor, reason)
        item, outgoing = await append(
            self._items, connection, tenant_id, held.item, [entry], at, policies.weighing
        )
        link = Link(arrival.feedback_id, item.id, arrival.standing, arrival.weight, "", at)
        answer = feedback_routed(tenant_id, event, arrival, link, item, arrival.score_json, None)
        await self._outbox.add(connection, [*outgoing, answer])
        return Corrected(correction, scored.score, item)

    async def _entry(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        held: _Held,
        arrival: Arrival,
        decision: Decision,
        correction: Correction | None,
        actor: str,
        reason: str | None,
    ) -> Entry:
        item = held.item
        weights = (await self._items.weights(connection, tenant_id, [item.id])).get(item.id, {})
        worst = heaviest([*weights.values()] or [arrival.weight])
        score = arrival.scored.score
        data: dict[str, Any] = {
            "feedback_id": arrival.feedback_id,
            "number": correction.number if correction else None,
            "taken_back": correction is None,
            "said": said_by(held.machine),
            "root_causes": [cause.path for cause in score.root_causes],
            "sentiment": score.sentiment.label if score.sentiment else None,
            "severity": arrival.weight.score,
            "band": arrival.weight.band,
            "worst_severity": worst.score,
            "worst_band": worst.band,
        }
        if item.feedback_count == 1:
            data["follows"] = _follows(item, arrival, decision)
            if data["follows"].get("team") not in (None, item.team):
                data["rule"] = decision.rule
                reason = f"{reason or 'taken back'}; {decision.because}"
        return Entry("corrected", actor, reason, data)


def _follows(item: Item, arrival: Arrival, decision: Decision) -> dict[str, Any]:
    """What the item of a single feedback becomes. Where a person moved it to a team, it stays there."""
    causes = arrival.scored.score.root_causes
    follows: dict[str, Any] = {
        "domain": causes[0].domain if causes else None,
        "category": causes[0].category if causes else None,
        "key": arrival.matter.key,
    }
    unresolved = item.state in {"open", "in_progress"}
    if unresolved and not item.counts.transfers and decision.team != item.team:
        # Whoever works on it works in the former team.
        follows |= {"team": decision.team, "assignee": None, "assigned_by": None, "state": "open"}
    return follows


def _scored(link: RowMapping, score: Score) -> FeedbackScored:
    customer = link["customer"]
    accepted = FeedbackAccepted(
        feedback_id=link["feedback_id"],
        revision=link["revision"],
        pass_number=link["pass_number"],
        accepted_at=link["accepted_at"],
        content=FeedbackContent.model_validate_json(link["content"]),
        customer=CustomerSnapshot.model_validate_json(customer) if customer else None,
    )
    embedding = embedding_of(link["embedding"], link["embedding_model"])
    return FeedbackScored(accepted=accepted, score=score, scored_at=link["scored_at"], embedding=embedding)


def _event(tenant_id: str, link: RowMapping, number: int, at: datetime) -> Envelope:
    """What the announced answer is about: as if the feedback had been scored so."""
    feedback_id = link["feedback_id"]
    return Envelope(
        id=derived_id("ev", "correction", tenant_id, feedback_id, number, at.isoformat()),
        source="/heardback/router",
        type=FEEDBACK_SCORED,
        data=b"{}",
        time=at,
        subject=feedback_id,
        tenant_id=tenant_id,
        key=feedback_id,
    )
