"""What changes for one feedback or item, and what that comes to. Pure, and in one order: what is read in the
same order gives the same report and the same digest."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import orjson

from heardback_shared.contracts.score import Band

REPLAYED = frozenset({"severity", "taxonomy", "routing", "weighing", "sla"})
"""Kinds of which stored feedback tells what they would change; they need a run before they are activated.
The table of versions refuses them without one."""

BANDS: tuple[Band, ...] = ("P1", "P2", "P3", "P4")
PAIRS_KEPT = 2_000
"""Pairs of labels, or of teams, that are counted one by one; further ones are counted together."""
_OTHERS = ("others", "others")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is decided about one feedback or item. `causes` are paths, the first one counts.

    `breached` are the clocks that run out; None where clocks are not looked at.
    """

    team: str
    band: Band
    severity: float
    causes: tuple[str, ...] = ()
    triage: bool = False
    rule: str | None = None
    because: str | None = None
    breached: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One feedback, or one item, before and after.

    `sits_with` is the team that has the item now if it is open and this feedback opened it. `movable`: no
    person has touched the item, so the decision moves it. `replayed` says whether what was stored came out
    again, None where there was nothing to compare with. `held`: a person's correction stays.
    """

    item_id: str
    before: Outcome
    after: Outcome
    feedback_id: str | None = None
    sits_with: str | None = None
    opened: bool = False
    movable: bool = True
    replayed: bool | None = None
    held: bool = False
    not_judged: bool = False

    def told(self, *, replayed: bool | None, held: bool) -> "Case":
        return replace(self, replayed=replayed, held=held)


_COMPARED = ("causes", "severity", "band", "team", "triage", "breached")


def changes_of(case: Case) -> list[dict[str, Any]]:
    """What differs, in a fixed order; empty where the outcome is the same."""
    found = []
    for name in _COMPARED:
        old, new = getattr(case.before, name), getattr(case.after, name)
        if old != new:
            found.append({"what": name, "before": old, "after": new})
    return found


@dataclass
class Tally:
    """What was counted so far. As JSON it can be put away and gone on with."""

    looked_at: int = 0
    changed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    relabels: Counter[tuple[str, str]] = field(default_factory=Counter)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    before: dict[str, Counter[str]] = field(default_factory=dict)
    after: dict[str, Counter[str]] = field(default_factory=dict)
    chain: str = ""
    """Digest of every change so far, in order."""

    def add(self, case: Case) -> dict[str, Any] | None:
        """Counts it; what a report shows of it, None where nothing changes."""
        self.looked_at += 1
        self._load(case)
        if case.replayed is not None:
            self.counts["replayed"] += 1
            self.counts["replayed_the_same"] += case.replayed
        self.counts["held_by_people"] += case.held
        self.counts["not_judged"] += case.not_judged
        self.counts["breached_before"] += len(case.before.breached or ())
        self.counts["breached_after"] += len(case.after.breached or ())
        found = changes_of(case)
        if not found:
            return None
        self.changed += 1
        self._count(case, {one["what"] for one in found})
        shown = {
            "number": self.changed,
            "feedback_id": case.feedback_id,
            "item_id": case.item_id,
            "changes": found,
            "rule": {"before": case.before.rule, "after": case.after.rule},
            "because": case.after.because,
        }
        self.chain = sha256(self.chain.encode() + canonical(shown)).hexdigest()
        return shown

    def _count(self, case: Case, what: set[str]) -> None:
        before, after = case.before, case.after
        for name in what:
            self.counts[f"{name}_changed"] += 1
        if "causes" in what:
            _pair(self.relabels, _label(before), _label(after))
        if "team" in what:
            _pair(self.moves, before.team, after.team)
            self.counts["items_moved"] += case.opened and case.movable
        if "triage" in what:
            self.counts["to_triage" if after.triage else "from_triage"] += 1
        if "severity" in what:
            self.counts["raised" if after.severity > before.severity else "lowered"] += 1

    def _load(self, case: Case) -> None:
        after_sits = case.sits_with
        if after_sits is not None and case.movable and case.before.team != case.after.team:
            after_sits = case.after.team
        sides = (
            (self.before, case.before, case.sits_with),
            (self.after, case.after, after_sits),
        )
        for teams, outcome, sits in sides:
            load = teams.setdefault(outcome.team, Counter())
            load["arrivals"] += 1
            load[outcome.band] += 1
            load["opened"] += case.opened
            if sits is not None:
                teams.setdefault(sits, Counter())["open"] += 1

    @property
    def data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "looked_at": self.looked_at,
            "changed": self.changed,
            "counts": dict(self.counts),
            "relabels": _pairs(self.relabels),
            "moves": _pairs(self.moves),
            "before": {team: dict(load) for team, load in self.before.items()},
            "after": {team: dict(load) for team, load in self.after.items()},
            "chain": self.chain,
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Tally":
        if not data:
            return cls()
        return cls(
            looked_at=data["looked_at"],
            changed=data["changed"],
            counts=Counter(data["counts"]),
            relabels=_counted(data["relabels"]),
            moves=_counted(data["moves"]),
            before={team: Counter(load) for team, load in data["before"].items()},
            after={team: Counter(load) for team, load in data["after"].items()},
            chain=data["chain"],
        )


def report_of(
    tally: Tally, kind: str, candidate: Mapping[str, str], base: Mapping[str, str], unit: str, days: int
) -> dict[str, Any]:
    """The report: what was looked at, what changes, the load of every team before and after."""
    teams = sorted({*tally.before, *tally.after})
    return {
        "kind": kind,
        "candidate": dict(candidate),
        "base": dict(base),
        "unit": unit,
        "looked_at": tally.looked_at,
        "changed": tally.changed,
        "counts": {name: count for name, count in sorted(tally.counts.items()) if count},
        "relabels": _pairs(tally.relabels),
        "moves": _pairs(tally.moves),
        "bands": {
            "before": {band: _sum(tally.before.values(), band) for band in BANDS},
            "after": {band: _sum(tally.after.values(), band) for band in BANDS},
        },
        "teams": [
            {
                "team": team,
                "before": _shown_load(tally.before.get(team, Counter())),
                "after": _shown_load(tally.after.get(team, Counter())),
            }
            for team in teams
        ],
        "replay": {
            "checked": tally.counts["replayed"],
            "same": tally.counts["replayed_the_same"],
        },
        "says": _in_words(tally, unit, days),
        "changes_digest": tally.chain,
    }


def digest_of(report: Mapping[str, Any]) -> str:
    """The same for the same data, the same candidate and the same policies in force."""
    return sha256(canonical(report)).hexdigest()


def canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)


def _in_words(tally: Tally, unit: str, days: int) -> str:
    counts = tally.counts
    whole = f"Of the {tally.looked_at} {unit} of the last {days} days"
    if not tally.changed:
        return f"{whole} nothing would be another."
    parts = [
        f"{counts[name]} would {what}"
        for name, what in (
            ("causes_changed", "be re-labelled"),
            ("severity_changed", "have another severity"),
            ("band_changed", "be in another band"),
            ("team_changed", "go to another team"),
            ("to_triage", "newly wait in triage"),
            ("from_triage", "no longer wait in triage"),
            ("breached_changed", "keep or miss other clocks"),
        )
        if counts[name]
    ]
    words = f"{whole}, {', '.join(parts)}."
    if counts["breached_before"] or counts["breached_after"]:
        words += f" Clocks run out: {counts['breached_before']} before, {counts['breached_after']} after."
    return words


def _label(outcome: Outcome) -> str:
    return ", ".join(outcome.causes) or "unclear"


def _pair(counter: Counter[tuple[str, str]], old: str, new: str) -> None:
    pair = (old, new)
    if pair not in counter and len(counter) >= PAIRS_KEPT:
        pair = _OTHERS
    counter[pair] += 1


def _pairs(counter: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    """The most frequent first."""
    ordered = sorted(counter.items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"before": old, "after": new, "count": count} for (old, new), count in ordered]


def _counted(pairs: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter({(one["before"], one["after"]): one["count"] for one in pairs})


def _sum(loads: Iterable[Counter[str]], name: str) -> int:
    return sum(load[name] for load in loads)


def _shown_load(load: Counter[str]) -> dict[str, Any]:
    bands = {band: load[band] for band in BANDS}
    return {
        "arrivals": load["arrivals"],
        "opened": load["opened"],
        "open": load["open"],
        "bands": bands,
    }
