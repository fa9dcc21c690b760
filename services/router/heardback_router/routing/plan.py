"""What one batch of scored feedback does to the backlog, worked out in memory before anything is written.

Pure: what is stored comes in, what to store goes out. Feedback of a batch is taken in order, so that the
second of two about the same matter joins the item the first one opened.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from heardback_router.backlog.domain import ROUTER, EventKind, Item, ItemEvent, Weight, heaviest
from heardback_router.backlog.fold import ARRIVALS_KEPT, apply
from heardback_router.backlog.titles import title_of
from heardback_router.backlog.weighing import Weighed, weigh
from heardback_router.configuration.policies import Policies
from heardback_router.grouping.domain import Alone, GroupingPolicy, Join, Matter, entity_of, group
from heardback_router.routing.domain import Decision, decide
from heardback_router.routing.inputs import inputs_of
from heardback_shared.contracts.envelope import to_bytes
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.contracts.score import Score
from heardback_shared.ids import derived_id


@dataclass(frozen=True, slots=True)
class Arrival:
    """One scored event, with what is asked of it many times. Make it with `arrival_of`.

    `known` when its event id has had its effect before; `score_json` is its score, serialised once for all
    the places it is written to.
    """

    event_id: str
    scored: FeedbackScored
    known: bool
    feedback_id: str
    standing: "Standing"
    weight: Weight
    matter: Matter
    score_json: bytes
    machine: Score
    """The score as the machine made it; `scored` has what a person corrected in it."""

    @property
    def corrected(self) -> bool:
        """True when a person's word is over what the machine said."""
        return self.machine is not self.scored.score

    @property
    def customer_id(self) -> str | None:
        return self.matter.customer_id


@dataclass(frozen=True, slots=True, order=True)
class Standing:
    """Of two scores of one feedback the greater counts: by revision, then pass, then time of scoring."""

    revision: int
    pass_number: int
    scored_at: datetime


def arrival_of(
    event_id: str, scored: FeedbackScored, known: bool, policy: GroupingPolicy, machine: Score | None = None
) -> Arrival:
    accepted, severity = scored.accepted, scored.score.severity
    return Arrival(
        event_id,
        scored,
        known,
        accepted.feedback_id,
        Standing(accepted.revision, accepted.pass_number, scored.scored_at),
        Weight(severity.score, severity.band),
        matter_of(scored, policy),
        to_bytes(scored.score),
        machine or scored.score,
    )


@dataclass(frozen=True, slots=True)
class Link:
    """The one tie between a feedback and its item. `arrival` and `decision` are None when it is as stored."""

    feedback_id: str
    item_id: str
    standing: Standing
    weight: Weight
    joined_because: str
    routed_at: datetime
    arrival: Arrival | None = None
    decision: Decision | None = None


@dataclass
class Plan:
    """The backlog's part that a batch touches, and what the batch changes in it."""

    policies: Policies
    at: datetime
    items: dict[str, Item]
    links: dict[str, Link]
    weights: Mapping[str, Mapping[str, Weight]]
    """Per item that may be rescored: the weight of each of its stored feedbacks."""
    opened: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    events: list[tuple[ItemEvent, Item]] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    by_key: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for item in self.items.values():
            self._index(item)

    def take(self, tenant_id: str, arrival: Arrival) -> None:
        """Gives one scored event its effect, or none if it is known or overtaken."""
        if arrival.known:
            return
        link = self.links.get(arrival.feedback_id)
        if link is None:
            self._link(tenant_id, arrival)
        elif arrival.standing > link.standing:
            self._rescore(arrival, link)

    def _link(self, tenant_id: str, arrival: Arrival) -> None:
        decision = decide(inputs_of(arrival.scored, self.at), self.policies.routing)
        matter = arrival.matter
        candidates = [self.items[i] for i in self.by_key.get(matter.key or "", ())]
        accepted_at = arrival.scored.accepted.accepted_at
        answer = group(matter, accepted_at, candidates, self.policies.grouping)
        if isinstance(answer, Join):
            item_id = answer.item_id
            self._join(arrival, matter, answer)
        else:
            item_id = derived_id("it", tenant_id, arrival.feedback_id)
            self._open(item_id, arrival, matter, decision, answer)
        self.links[arrival.feedback_id] = Link(
            arrival.feedback_id,
            item_id,
            arrival.standing,
            arrival.weight,
            f"{answer.because} (grouping {self.policies.grouping.name})",
            self.at,
            arrival,
            decision,
        )
        self.written.add(arrival.feedback_id)

    def _open(self, item_id: str, arrival: Arrival, matter: Matter, decision: Decision, alone: Alone) -> None:
        data = {
            "feedback_id": arrival.feedback_id,
            "customer_id": arrival.customer_id,
            "opened_at": arrival.scored.accepted.accepted_at.isoformat(),
            "severity": arrival.weight.score,
            "band": arrival.weight.band,
            "entity": matter.entity,
            "because": alone.because,
            "rule": decision.rule,
            **_face(arrival.scored, matter, decision),
        }
        self.opened.append(item_id)
        self._record(None, item_id, "opened", decision.because, data)

    def _join(self, arrival: Arrival, matter: Matter, join: Join) -> None:
        item = self.items[join.item_id]
        accepted_at = arrival.scored.accepted.accepted_at
        data = {
            "feedback_id": arrival.feedback_id,
            "customer_id": arrival.customer_id,
            "accepted_at": accepted_at.isoformat(),
            "severity": arrival.weight.score,
            "band": arrival.weight.band,
            "entity": matter.entity,
            **self._weigh_joined(item, arrival).data,
        }
        self._record(item, item.id, "feedback_joined", join.because, data)

    def _rescore(self, arrival: Arrival, link: Link) -> None:
        item = self.items[link.item_id]
        decision = decide(inputs_of(arrival.scored, self.at), self.policies.routing)
        self.links[arrival.feedback_id] = replace(
            link,
            standing=arrival.standing,
            weight=arrival.weight,
            routed_at=self.at,
            arrival=arrival,
            decision=decision,
        )
        self.written.add(arrival.feedback_id)
        worst = heaviest(self._weights_of(item.id))
        weighed = weigh(
            worst, len(item.customers), item.arrivals, item.counts, self.at, self.policies.weighing
        )
        data: dict[str, Any] = {
            "feedback_id": arrival.feedback_id,
            "revision": arrival.standing.revision,
            "pass_number": arrival.standing.pass_number,
            "severity": arrival.weight.score,
            "band": arrival.weight.band,
            "worst_severity": worst.score,
            "worst_band": worst.band,
            **weighed.data,
        }
        reason = "the feedback was read again"
        if item.follows_its_feedback:
            matter = arrival.matter
            data["follows"] = {"entity": matter.entity, **_face(arrival.scored, matter, decision)}
            if decision.team != item.team:
                reason = f"{reason}; {decision.because}"
        self._record(item, item.id, "feedback_rescored", reason, data)

    def _weigh_joined(self, item: Item, arrival: Arrival) -> Weighed:
        customers = {*item.customers, arrival.customer_id} - {None}
        return weigh(
            heaviest((item.worst, arrival.weight)),
            len(customers),
            (*item.arrivals, arrival.scored.accepted.accepted_at)[-ARRIVALS_KEPT:],
            item.counts,
            self.at,
            self.policies.weighing,
        )

    def _weights_of(self, item_id: str) -> Iterable[Weight]:
        weights = dict(self.weights.get(item_id, {}))
        for feedback_id, link in self.links.items():
            if link.item_id == item_id:
                weights[feedback_id] = link.weight
        return weights.values()

    def _record(
        self, item: Item | None, item_id: str, kind: EventKind, reason: str, data: Mapping[str, Any]
    ) -> None:
        sequence = item.version + 1 if item else 1
        event = ItemEvent(item_id, sequence, kind, ROUTER, self.at, reason, data)
        after = apply(item, event)
        self.items[item_id] = after
        self._index(after)
        self.changed.add(item_id)
        self.events.append((event, after))

    def _index(self, item: Item) -> None:
        if item.key is not None:
            ids = self.by_key.setdefault(item.key, [])
            if item.id not in ids:
                ids.append(item.id)


def matter_of(scored: FeedbackScored, policy: GroupingPolicy) -> Matter:
    customer = scored.accepted.customer
    causes = scored.score.root_causes
    return Matter(
        customer.id if customer else None,
        causes[0].path if causes else None,
        entity_of(scored.accepted.content.context, policy),
    )


def keys_of(arrivals: Iterable[Arrival]) -> list[str]:
    """The matter keys a batch may join, sorted, each once."""
    keys = {arrival.matter.key for arrival in arrivals}
    return sorted(key for key in keys if key is not None)


def _face(scored: FeedbackScored, matter: Matter, decision: Decision) -> dict[str, Any]:
    causes = scored.score.root_causes
    return {
        "title": title_of(scored.accepted.content),
        "team": decision.team,
        "domain": causes[0].domain if causes else None,
        "category": causes[0].category if causes else None,
        "key": matter.key,
    }
