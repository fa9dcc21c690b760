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
from heardback_router.backlog.titles import title_of, words_of
from heardback_router.backlog.weighing import Weighed, weigh
from heardback_router.configuration.policies import Policies
from heardback_router.grouping.deciding import Alone, Join, group
from heardback_router.grouping.domain import GroupingPolicy, Matter, context_of, entity_of
from heardback_router.grouping.neighbourhood import Neighbourhood, Newcomer, newcomer_of
from heardback_router.grouping.sizes import rings
from heardback_router.routing.children import entries_of, parts_of
from heardback_router.routing.domain import Decision, decide
from heardback_router.routing.inputs import inputs_of
from heardback_router.sla.pin import facts_of, pinned
from heardback_shared.contracts.customer import Tier
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
    newcomer: Newcomer
    score_json: bytes
    machine: Score
    """The score as the machine made it; `scored` has what a person corrected in it."""

    @property
    def corrected(self) -> bool:
        """True when a person's word is over what the machine said."""
        return self.machine is not self.scored.score

    @property
    def matter(self) -> Matter:
        return self.newcomer.matter

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
    accepted, severity, embedding = scored.accepted, scored.score.severity, scored.embedding
    newcomer = newcomer_of(
        accepted.feedback_id,
        accepted.accepted_at,
        matter_of(scored, policy),
        embedding.model if embedding else None,
        embedding.data if embedding else None,
        policy,
        words_of(accepted.content),
    )
    return Arrival(
        event_id,
        scored,
        known,
        accepted.feedback_id,
        Standing(accepted.revision, accepted.pass_number, scored.scored_at),
        Weight(severity.score, severity.band),
        newcomer,
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
    moved: bool = False
    """True once a person has put it where it is."""
    arrival: Arrival | None = None
    decision: Decision | None = None
    grouping: Mapping[str, Any] | None = None
    """The record of the grouping decision that made the link."""


@dataclass
class Plan:
    """The backlog's part that a batch touches, and what the batch changes in it."""

    policies: Policies
    at: datetime
    items: dict[str, Item]
    links: dict[str, Link]
    weights: Mapping[str, Mapping[str, Weight]]
    """Per item that may be rescored: the weight of each of its stored feedbacks."""
    around: Neighbourhood = field(default_factory=Neighbourhood)
    """The open feedback that the batch may be grouped with."""
    opened: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    events: list[tuple[ItemEvent, Item]] = field(default_factory=list)
    written: set[str] = field(default_factory=set)

    def take(self, tenant_id: str, arrival: Arrival) -> None:
        """Gives one scored event its effect, or none if it is known or overtaken."""
        if arrival.known:
            return
        link = self.links.get(arrival.feedback_id)
        if link is None:
            self._link(tenant_id, arrival)
        elif arrival.standing > link.standing:
            self._rescore(tenant_id, arrival, link)

    def _link(self, tenant_id: str, arrival: Arrival) -> None:
        inputs = inputs_of(arrival.scored, self.at)
        decision = decide(inputs, self.policies.routing)
        matter = arrival.matter
        evidence = self.around.evidence(arrival.newcomer, self.items, self.policies.grouping)
        answer = group(evidence, self.policies.grouping)
        if isinstance(answer, Join):
            item_id = answer.item_id
            self._join(arrival, matter, answer)
        else:
            item_id = derived_id("it", tenant_id, arrival.feedback_id)
            self._open(item_id, arrival, matter, decision, answer, tenant_id)
        self._open_children(tenant_id, item_id, arrival, inputs, decision)
        self.around.add(arrival.newcomer, item_id)
        self.links[arrival.feedback_id] = Link(
            arrival.feedback_id,
            item_id,
            arrival.standing,
            arrival.weight,
            f"{answer.because} (grouping {self.policies.grouping.name})",
            self.at,
            arrival=arrival,
            decision=decision,
            grouping=answer.record,
        )
        self.written.add(arrival.feedback_id)

    def _open(
        self,
        item_id: str,
        arrival: Arrival,
        matter: Matter,
        decision: Decision,
        alone: Alone,
        tenant_id: str,
    ) -> None:
        first = self.items[alone.case_with] if alone.case_with else None
        data = {
            "feedback_id": arrival.feedback_id,
            "customer_id": arrival.customer_id,
            "opened_at": arrival.scored.accepted.accepted_at.isoformat(),
            "severity": arrival.weight.score,
            "band": arrival.weight.band,
            "entity": matter.entity,
            "because": alone.because,
            "rule": decision.rule,
            "processes": list(decision.processes),
            **_face(arrival.scored, matter, decision),
            **pinned(arrival.scored, self.policies.sla),
        }
        because = decision.because
        if first is not None:
            data["team"] = first.team
            because = f"{first.team} has {first.id} of the same customer about the same matter already"
        self.opened.append(item_id)
        self._record(None, item_id, "opened", because, data)
        if first is not None:
            self._link_case(item_id, first, arrival.feedback_id, tenant_id)

    def _link_case(self, item_id: str, first: Item, feedback_id: str, tenant_id: str) -> None:
        """Ties a new item to one of the same customer about the same matter, under one owner."""
        case_id = first.case_id or derived_id("cs", tenant_id, first.id)
        for one, other in ((first.id, item_id), (item_id, first.id)):
            data = {"case_id": case_id, "with": other, "feedback_id": feedback_id}
            reason = f"the same customer's same matter is also {other}; the customer hears about both at once"
            self._record(self.items[one], one, "case_linked", reason, data)
        if first.assignee is not None:
            data = {"assignee": first.assignee, "feedback_id": feedback_id}
            self._record(self.items[item_id], item_id, "assigned", f"has {first.id} already", data)

    def _open_children(
        self,
        tenant_id: str,
        item_id: str,
        arrival: Arrival,
        inputs: Mapping[str, Any],
        decision: Decision,
    ) -> None:
        """A child for each further domain of the feedback that has none yet."""
        for part in parts_of(inputs, decision, self.policies.routing):
            parent = self.items[item_id]
            child_id = derived_id("it", tenant_id, item_id, "child", part.domain)
            if part.domain == parent.domain or child_id in parent.children:
                continue
            opened, noted = entries_of(part, parent, child_id, arrival.feedback_id, arrival.weight, self.at)
            self.opened.append(child_id)
            pin = pinned(arrival.scored, self.policies.sla)
            self._record(None, child_id, "opened", part.because, {**opened, **pin})
            self._record(parent, item_id, "child_opened", part.because, noted)

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
            "tier": _tier(arrival.scored),
            **facts_of(arrival.scored),
            **self._weigh_joined(item, arrival).data,
        }
        self._record(item, item.id, "feedback_joined", join.because, data)
        for alarm, says in rings(self.items[item.id], self.policies.grouping.alarms):
            rung = {"alarm": alarm.name, "at_least": alarm.at_least, "feedback_id": arrival.feedback_id}
            self._record(self.items[item.id], item.id, "size_alarmed", says, rung)

    def _rescore(self, tenant_id: str, arrival: Arrival, link: Link) -> None:
        item = self.items[link.item_id]
        inputs = inputs_of(arrival.scored, self.at)
        decision = decide(inputs, self.policies.routing)
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
            "accepted_at": arrival.scored.accepted.accepted_at.isoformat(),
            **weighed.data,
        }
        reason = "the feedback was read again"
        follows = item.follows_its_feedback
        if follows:
            matter = arrival.matter
            data["follows"] = {"entity": matter.entity, **_face(arrival.scored, matter, decision)}
            if item.case_id is not None:
                data["follows"]["team"] = item.team
            elif decision.team != item.team:
                reason = f"{reason}; {decision.because}"
        self._record(item, item.id, "feedback_rescored", reason, data)
        if follows:
            self._open_children(tenant_id, item.id, arrival, inputs, decision)

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
        self.changed.add(item_id)
        self.events.append((event, after))


def matter_of(scored: FeedbackScored, policy: GroupingPolicy) -> Matter:
    customer = scored.accepted.customer
    causes = scored.score.root_causes
    content = scored.accepted.content
    return Matter(
        customer_id=customer.id if customer else None,
        cause=causes[0].path if causes else None,
        entity=entity_of(content.context, policy),
        confidence=causes[0].confidence if causes else 0.0,
        channel=content.channel,
        touchpoint=content.touchpoint,
        context=context_of(content.context, policy),
    )


def _face(scored: FeedbackScored, matter: Matter, decision: Decision) -> dict[str, Any]:
    causes = scored.score.root_causes
    return {
        "title": title_of(scored.accepted.content),
        "team": decision.team,
        "domain": causes[0].domain if causes else None,
        "category": causes[0].category if causes else None,
        "key": matter.key,
        "tier": _tier(scored),
        "owner": decision.owner,
    }


def _tier(scored: FeedbackScored) -> Tier | None:
    customer = scored.accepted.customer
    return customer.tier if customer else None
