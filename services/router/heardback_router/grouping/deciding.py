"""The grouping decision: what a feedback joins, or why it opens its own item, from nothing but the evidence.

People's rules come first, the newest before the older; then the policy's fingerprint rules in their order;
then similarity. The record holds the evidence, so that the decision can be made again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from heardback_router.grouping.domain import (
    FingerprintRule,
    GroupingPolicy,
    Matter,
    Similarity,
    contradiction,
)

BY_PERSON, BY_SIMILARITY, ALONE = "person", "similarity", "alone"
FULL = "it is full"
Side = Literal["left", "right"]
SIDES: tuple[Side, Side] = ("left", "right")


@dataclass(frozen=True, slots=True)
class Seen:
    """An unresolved item as grouping sees it. `named` are the context values of its feedback, `marks` the
    sides of people's rules that its feedback is on."""

    item_id: str
    accepts: bool
    size: int
    last_at: datetime
    customers: tuple[str, ...] = ()
    """At most two: more do not matter here."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """An open feedback with an equal fingerprint; `rule` is the policy's, or the id of a person's."""

    rule: str
    item_id: str
    feedback_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Near:
    """An open feedback of the same root cause and model; cosine similarity, rounded to four places.

    `unlike`: it says of another thing, or denies, what this one says in the same words.
    """

    feedback_id: str
    item_id: str
    similarity: float
    at: datetime
    unlike: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A person's rule that this feedback falls under. `similarity` None: by fingerprint."""

    rule_id: str
    kind: Literal["together", "apart"]
    side: Side
    at: datetime
    by: str
    similarity: float | None = None

    @property
    def mark(self) -> str:
        """What the feedback carries from then on, so that later ones find it."""
        return self.rule_id if self.kind == "together" else f"{self.rule_id}:{self.side}"

    @property
    def opposite(self) -> str:
        return f"{self.rule_id}:{SIDES[self.side == 'left']}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a decision may look at. Holds no customer text."""

    feedback_id: str
    at: datetime
    matter: Matter
    model: str | None = None
    hits: tuple[Hit, ...] = ()
    near: tuple[Near, ...] = ()
    case: tuple[Hit, ...] = ()
    told: tuple[Told, ...] = ()
    items: Mapping[str, Seen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Join:
    """`with_` are the feedbacks that decided it, the most telling first."""

    item_id: str
    because: str
    by: str
    with_: tuple[str, ...]
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alone:
    """It opens its own item; `case_with` is one of the same customer about the same matter."""

    because: str
    case_with: str | None = None
    sibling_of: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict)


_EVIDENCE = TypeAdapter(Evidence)


def group(evidence: Evidence, policy: GroupingPolicy) -> Join | Alone:
    """The item this feedback joins, or why it opens its own."""
    passed: dict[str, str] = {}
    answer = (
        _by_people(evidence, policy, passed)
        or _by_rules(evidence, policy, passed)
        or _by_similarity(evidence, policy, passed)
    )
    if isinstance(answer, Join):
        said: dict[str, Any] = {"joins": answer.item_id, "by": answer.by, "with": list(answer.with_)}
        because = answer.because
    else:
        full = next((item_id for item_id, why in passed.items() if why.startswith(FULL)), None)
        case_with = _case(evidence, policy, passed)
        because = _why_alone(evidence, policy, passed, answer, full)
        said = {"joins": None, "by": ALONE, "case_with": case_with, "sibling_of": full}
    record = {
        "policy": policy.name,
        "evidence": _EVIDENCE.dump_python(evidence, mode="json"),
        **said,
        "because": because,
        "passed_over": [{"item": item_id, "because": why} for item_id, why in passed.items()],
    }
    if isinstance(answer, Join):
        return Join(answer.item_id, because, answer.by, answer.with_, record)
    return Alone(because, case_with, full, record)


def again(record: Mapping[str, Any], policy: GroupingPolicy) -> Join | Alone:
    """The decision a record tells of, made again; equal to it under the same policy."""
    return group(_EVIDENCE.validate_python(record["evidence"]), policy)


def _by_people(evidence: Evidence, policy: GroupingPolicy, passed: dict[str, str]) -> Join | None:
    by_rule: dict[str, list[Hit]] = {}
    for hit in evidence.hits:
        by_rule.setdefault(hit.rule, []).append(hit)
    together = [told for told in evidence.told if told.kind == "together"]
    for told in sorted(together, key=lambda t: (t.at, t.rule_id), reverse=True):
        # Words alone made it fall under the rule, so what contradicts words counts here too.
        apart_by = policy.similarity.apart_by if told.similarity is not None and policy.similarity else ()
        hits = [
            hit
            for hit in by_rule.get(told.rule_id, ())
            if _open(hit.item_id, evidence, policy, apart_by, told.at, passed)
        ]
        if hits:
            hit = _latest(hits, evidence.items)
            because = f"{told.by} decided that feedback like this belongs together (rule {told.rule_id})"
            return Join(hit.item_id, because, BY_PERSON, (hit.feedback_id,))
    return None


def _by_rules(evidence: Evidence, policy: GroupingPolicy, passed: dict[str, str]) -> Join | None:
    for rule in policy.rules:
        hits = [
            hit
            for hit in evidence.hits
            if hit.rule == rule.name
            and abs(evidence.at - hit.at) <= rule.window
            and _open(hit.item_id, evidence, policy, rule.apart_by, None, passed)
        ]
        if hits:
            hit = _latest(hits, evidence.items)
            because = _same(rule, evidence.matter, evidence.items[hit.item_id])
            return Join(hit.item_id, because, rule.name, (hit.feedback_id,))
    return None


def _by_similarity(evidence: Evidence, policy: GroupingPolicy, passed: dict[str, str]) -> Join | str:
    """The item that says the same, or why none does."""
    by, matter = policy.similarity, evidence.matter
    if by is None:
        return "the policy does not group by similarity"
    unfit = _unfit(evidence, by)
    if unfit is not None:
        return unfit
    scores = _scores(evidence, policy, by, passed)
    if not scores:
        return _nothing_near(evidence, by)
    best, item_id, nears = scores[0]
    if best < by.threshold:
        return f"{_too_far(item_id, matter, best, by)} over its {len(nears)} nearest"
    if len(scores) > 1 and best - scores[1][0] < by.margin:
        return f"{item_id} and {scores[1][1]} are equally near, so neither is joined"
    shown = ", ".join(f"{near.similarity:.2f}" for near in nears)
    because = (
        f"says nearly the same as {len(nears)} of the item's feedbacks (similarity {shown}; "
        f"{by.threshold:.2f} is needed), with the same root cause {matter.cause}"
    )
    return Join(item_id, because, BY_SIMILARITY, tuple(near.feedback_id for near in nears))


def _unfit(evidence: Evidence, by: Similarity) -> str | None:
    """Why words may not decide about this feedback."""
    matter = evidence.matter
    if matter.cause is None:
        return "its root cause is unclear, so words alone join it to nothing"
    if matter.confidence < by.min_confidence:
        return (
            f"its root cause {matter.cause} is too unsure to join by words "
            f"({matter.confidence:.2f}; {by.min_confidence:.2f} is needed)"
        )
    return "there is no embedding to compare it by" if evidence.model is None else None


def _scores(
    evidence: Evidence, policy: GroupingPolicy, by: Similarity, passed: dict[str, str]
) -> list[tuple[float, str, list[Near]]]:
    """(score, item, the feedbacks it is the mean over) of the open items that come near, best first."""
    per_item: dict[str, list[Near]] = {}
    for near in sorted(evidence.near, key=lambda n: (-n.similarity, n.feedback_id)):
        if abs(evidence.at - near.at) <= by.window:
            per_item.setdefault(near.item_id, []).append(near)
    scores = []
    for item_id, nears in per_item.items():
        against = next((n for n in nears if n.unlike and n.similarity >= by.threshold), None)
        if against is not None:
            passed.setdefault(item_id, f"{against.feedback_id} says the same words of another thing")
            continue
        if nears[0].similarity < by.threshold or not _open(
            item_id, evidence, policy, by.apart_by, None, passed
        ):
            continue
        needed = min(by.agreeing, evidence.items[item_id].size)
        if len(nears) >= needed:
            score = round(sum(n.similarity for n in nears[:needed]) / needed, 4)
            scores.append((score, item_id, nears[:needed]))
    return sorted(scores, key=lambda s: (-s[0], s[1]))


def _nothing_near(evidence: Evidence, by: Similarity) -> str:
    nearest = max(evidence.near, key=lambda n: (n.similarity, n.feedback_id), default=None)
    if nearest is None:
        return f"no open feedback about {evidence.matter.cause} is there to compare it with"
    return _too_far(nearest.item_id, evidence.matter, nearest.similarity, by)


def _too_far(item_id: str, matter: Matter, similarity: float, by: Similarity) -> str:
    return (
        f"the nearest item about {matter.cause} is {item_id} with similarity {similarity:.2f}, "
        f"and {by.threshold:.2f} is needed"
    )


def _open(
    item_id: str,
    evidence: Evidence,
    policy: GroupingPolicy,
    apart_by: tuple[str, ...],
    told_at: datetime | None,
    passed: dict[str, str],
) -> bool:
    """True when a machine may add to the item; else why not is noted.

    `told_at` is when a person said that it belongs there; only what was said apart later outweighs that.
    """
    seen = evidence.items.get(item_id)
    if seen is None or not seen.accepts:
        return False
    why = contradiction(evidence.matter.context, seen.named, apart_by)
    for told in evidence.told:
        if told.kind == "apart" and told.opposite in seen.marks and (told_at is None or told.at > told_at):
            why = f"{told.by} decided that feedback like this does not belong there (rule {told.rule_id})"
    if why is None and seen.size >= policy.most:
        why = f"{FULL}: it holds {seen.size} feedbacks, and {policy.most} is the most"
    if why is not None:
        passed.setdefault(item_id, why)
    return why is None


def _case(evidence: Evidence, policy: GroupingPolicy, passed: dict[str, str]) -> str | None:
    """The item with which a new one makes a case: of this customer alone, about the same matter, lately."""
    apart_by = policy.similarity.apart_by if policy.similarity else policy.entities
    hits = [
        hit
        for hit in evidence.case
        if abs(evidence.at - hit.at) <= policy.case_window
        and hit.item_id in evidence.items
        and evidence.items[hit.item_id].customers == (evidence.matter.customer_id,)
        and _open(hit.item_id, evidence, policy, apart_by, None, dict(passed))
    ]
    return _latest(hits, evidence.items).item_id if hits else None


def _latest(hits: Iterable[Hit], items: Mapping[str, Seen]) -> Hit:
    """Of several the item that heard last, and of its feedback the latest."""
    return max(hits, key=lambda hit: (items[hit.item_id].last_at, hit.item_id, hit.at, hit.feedback_id))


def _same(rule: FingerprintRule, matter: Matter, seen: Seen) -> str:
    names = []
    for name in rule.fields:
        value = matter.value(name)
        names.append("customer" if name == "customer" else f"{name.removeprefix('context.')} {value}")
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    about, _, value = (matter.entity or "").partition("=")
    named = "entity" not in rule.fields and value in seen.named.get(about, ())
    both = f", both naming {matter.entity}" if named else ""
    return f"same {listed}{both}, within {rule.window.days} days (rule {rule.name})"


def _why_alone(
    evidence: Evidence, policy: GroupingPolicy, passed: Mapping[str, str], unlike: str, full: str | None
) -> str:
    if full is not None:
        return f"{full} would have fitted, but {passed[full]}; so this opens a sibling of it"
    if passed:
        item_id, why = next(iter(passed.items()))
        return f"{item_id} would have fitted, but {why}; otherwise {unlike}"
    nobody = " and names no customer" if evidence.matter.customer_id is None else ""
    return f"no rule of {policy.name} found an open item for it{nobody}; {unlike}"
