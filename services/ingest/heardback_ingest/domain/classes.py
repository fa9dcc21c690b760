"""Tier and segment of a customer: what was told, else what rules give; and what has to wait. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from heardback_ingest.domain.customer import Ages, Usable, current, usable
from heardback_shared.contracts.customer import Tier

ORDER: Mapping[Tier | None, int] = {"strategic": 3, "key": 2, "standard": 1, None: 0}
HISTORY = ("contacts_30d", "open_items", "transfers", "open_promises", "broken_promises", "breaches")
NUMBERS = ("lifetime_value", *HISTORY)
DATES = ("renewal_date", "since")
WORDS = ("currency", "region", "language", "time_zone", "owner", "tier", "segment")

Operator = Literal["at_least", "at_most", "is", "one_of", "within_days", "older_than_days", "known"]
WaitCode = Literal["open_items", "facts_outdated"]
"""Why a lower tier waits: a matter is open, or a higher one cannot be told any more from outdated facts."""


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class ClassRule:
    """Holds where every condition does."""

    name: str
    because: str
    when: tuple[Condition, ...]
    tier: Tier | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class SourceRule:
    hear_every_hours: float
    lag_minutes: float


@dataclass(frozen=True, slots=True)
class ClassesPolicy:
    """`required` are the parts that must be known, by tier; `sources` by name, `usual` for any other."""

    name: str
    ages: Ages
    currency: str | None
    rules: tuple[ClassRule, ...]
    required: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, SourceRule]
    usual: SourceRule


@dataclass(frozen=True, slots=True)
class Given:
    """What rules say. `undecided` are (rule, field) that could not be told, in order."""

    tier: Tier | None = None
    segment: str | None = None
    rules: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    undecided: tuple[tuple[str, str], ...] = ()
    outdated: Tier | None = None
    """The highest tier that a rule might still give, were its facts not outdated."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The customer stays in `tier`, known by `provenance`, although `lower` is what is known now."""

    tier: Tier
    provenance: str
    lower: Tier | None
    code: WaitCode
    because: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """The class of a customer as it was settled: `tier` counts, `keeps` says where a lower one waits."""

    tier: Tier | None
    segment: str | None
    provenance: str | None
    """Of the tier: stated, observed or inferred."""
    source: str | None
    given: Given
    policy: str
    at: datetime
    keeps: Wait | None = None


def holds(
    condition: Condition, known: Usable, history: Mapping[str, int], currency: str | None, today: date
) -> bool | None:
    """None: cannot be told, because the field is not known or may not be used."""
    values: Mapping[str, Any] = history if condition.field in HISTORY else known.values
    value = values.get(condition.field)
    if condition.operator == "known":
        return (value is not None) is condition.value
    if value is None or (condition.field == "lifetime_value" and currency != known.values.get("currency")):
        return None
    return _COMPARED[condition.operator](value, condition.value, today)


_COMPARED: Mapping[str, Callable[[Any, Any, date], bool]] = {
    "at_least": lambda value, limit, _: bool(value >= limit),
    "at_most": lambda value, limit, _: bool(value <= limit),
    "is": lambda value, wanted, _: bool(value == wanted),
    "one_of": lambda value, wanted, _: value in wanted,
    "within_days": lambda value, days, today: abs((date.fromisoformat(value) - today).days) <= days,
    "older_than_days": lambda value, days, today: (today - date.fromisoformat(value)).days > days,
}


def given_by_rules(policy: ClassesPolicy, known: Usable, history: Mapping[str, int], now: datetime) -> Given:
    """The first rule that holds and gives a tier gives the tier; the same, on its own, for the segment."""
    today = now.astimezone(UTC).date()
    tier: Tier | None = None
    segment: str | None = None
    rules: list[str] = []
    because: list[str] = []
    undecided: list[tuple[str, str]] = []
    outdated: Tier | None = None
    for rule in policy.rules:
        gives = (rule.tier is not None and tier is None) or (rule.segment is not None and segment is None)
        if not gives:
            continue
        told = {c.field: holds(c, known, history, policy.currency, today) for c in rule.when}
        if all(told.values()):
            tier, segment = tier or rule.tier, segment or rule.segment
            rules.append(rule.name)
            because.append(rule.because)
        elif False not in told.values():
            missing = [name for name, said in told.items() if said is None]
            undecided += [(rule.name, name) for name in missing]
            if tier is None and any(_outdated(name, known) for name in missing):
                outdated = max(outdated, rule.tier, key=lambda t: ORDER[t])
    return Given(tier, segment, tuple(rules), tuple(because), tuple(undecided), outdated)


def _outdated(name: str, known: Usable) -> bool:
    return name in known.stale or (name == "lifetime_value" and "currency" in known.stale)


def settle(
    before: Standing | None,
    facts: Mapping[str, Mapping[str, Any]],
    history: Mapping[str, int],
    policy: ClassesPolicy,
    now: datetime,
) -> Standing:
    """The class as it is from now on. A lower tier waits while the customer has open items, and while a
    higher one only cannot be told because facts are outdated; a higher one counts at once."""
    known = usable(facts, policy.ages, now)
    given = given_by_rules(policy, known, history, now)
    tier, provenance, source = _tier(facts, given, policy, now)
    segment = _told("segment", facts, policy.ages, now) or given.segment or known.values.get("segment")
    settled = Standing(tier, segment, provenance, source, given, policy.name, now)
    if before is None or before.tier is None or ORDER[tier] >= ORDER[before.tier]:
        return settled
    code, because = _must_wait(before.tier, settled, history)
    if code is None:
        return settled
    since = before.keeps.since if before.keeps and before.keeps.code == code else now
    keeps = Wait(before.tier, before.provenance or "stated", tier, code, because, since)
    return Standing(before.tier, segment, before.provenance, before.source, given, policy.name, now, keeps)


def _must_wait(kept: Tier, settled: Standing, history: Mapping[str, int]) -> tuple[WaitCode | None, str]:
    lower = settled.tier or "no tier"
    if open_items := history.get("open_items", 0):
        matters = "1 matter is" if open_items == 1 else f"{open_items} matters are"
        return "open_items", f"{matters} open: {kept} stays until then, {lower} waits."
    outdated = settled.given.outdated
    if settled.provenance in (None, "inferred") and ORDER[outdated] >= ORDER[kept]:
        return "facts_outdated", f"Facts are outdated, which is no reason to lower {kept}; {lower} waits."
    return None, ""


def _tier(
    facts: Mapping[str, Mapping[str, Any]], given: Given, policy: ClassesPolicy, now: datetime
) -> tuple[Tier | None, str | None, str | None]:
    """(tier, provenance, source): told by somebody, else by the rules, else guessed by another source."""
    telling = current("tier", facts.get("tier"), policy.ages, now)
    if telling is not None and telling["provenance"] != "inferred":
        return telling["value"], telling["provenance"], telling["source"]
    if given.tier is not None:
        return given.tier, "inferred", f"classes:{policy.name}"
    if telling is not None:
        return telling["value"], "inferred", telling["source"]
    return None, None, None


def _told(name: str, facts: Mapping[str, Mapping[str, Any]], ages: Ages, now: datetime) -> Any:
    telling = current(name, facts.get(name), ages, now)
    return telling["value"] if telling is not None and telling["provenance"] != "inferred" else None


@dataclass(frozen=True, slots=True)
class Move:
    """What a change of policy would do to one customer."""

    customer_id: str
    before: Tier | None
    after: Tier | None
    segment_before: str | None
    segment_after: str | None
    waits: Wait | None
    because: tuple[str, ...]
    clocks: Literal["faster", "slower", "same"] = field(default="same")


def move_of(customer_id: str, before: Standing | None, after: Standing) -> Move | None:
    """None where nothing would change. Clocks go by tier, a higher one has the faster."""
    was, will = _face(before), _face(after)
    if was == will:
        return None
    rise = ORDER[will[0]] - ORDER[was[0]]
    clocks: Literal["faster", "slower", "same"] = "faster" if rise > 0 else "slower" if rise < 0 else "same"
    because = (after.keeps.because,) if after.keeps else after.given.because or ("No rule holds any more.",)
    return Move(customer_id, was[0], will[0], was[1], will[1], after.keeps, because, clocks)


def _face(standing: Standing | None) -> tuple[Tier | None, str | None, Tier | None]:
    """(tier, segment, lower tier that waits)."""
    if standing is None:
        return None, None, None
    return standing.tier, standing.segment, standing.keeps.lower if standing.keeps else None


def record_of(standing: Standing) -> dict[str, Any]:
    """As it is stored with the customer; `standing_in` reads it back."""
    record: dict[str, Any] = {
        "tier": standing.tier,
        "segment": standing.segment,
        "provenance": standing.provenance,
        "source": standing.source,
        "given": {**asdict(standing.given)},
        "policy": standing.policy,
        "at": standing.at.isoformat(),
    }
    if standing.keeps is not None:
        record["keeps"] = asdict(standing.keeps) | {"since": standing.keeps.since.isoformat()}
    return record


def standing_in(record: Mapping[str, Any] | None) -> Standing | None:
    if record is None:
        return None
    given = {k: _tuples(v) for k, v in record["given"].items()}
    keeps = record.get("keeps")
    wait = Wait(**(keeps | {"since": datetime.fromisoformat(keeps["since"])})) if keeps else None
    plain = {k: record[k] for k in ("tier", "segment", "provenance", "source", "policy")}
    return Standing(given=Given(**given), at=datetime.fromisoformat(record["at"]), keeps=wait, **plain)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def counts_differently(before: Standing | None, after: Standing) -> bool:
    """Whether the class changed, or what waits: then a record of it is kept."""
    if before is None:
        return after.tier is not None or after.segment is not None
    return (before.tier, before.segment, before.provenance, before.keeps) != (
        after.tier,
        after.segment,
        after.provenance,
        after.keeps,
    )
