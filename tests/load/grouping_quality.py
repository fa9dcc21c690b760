"""How well grouping finds what is one problem, on streams whose problems are known.

    python -m tests.load.grouping_quality tune --data DIR      # on train: a grid of thresholds
    python -m tests.load.grouping_quality report --data DIR    # on dev: the policy that comes with heardback
    python -m tests.load.grouping_quality report --data DIR --split test --sets banking77
    python -m tests.load.grouping_quality postgres --data DIR  # a dev stream through the router's database

Pairs of feedback are what is counted. Precision: of the pairs put into one item, the share that are one
problem; noise is one problem with nothing. Recall: of the pairs that are one problem, the share put into one
item; `reachable` counts only pairs for which scoring found the same root cause, surely enough.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from heardback_router.backlog.domain import Item, Weight
from heardback_router.configuration.source import load_policies
from heardback_router.grouping.deciding import Join, group
from heardback_router.grouping.domain import GroupingPolicy, Matter, context_of, entity_of
from heardback_router.grouping.neighbourhood import Neighbourhood, newcomer_of
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate
from heardback_shared.settings import DatabaseSettings
from tests.load.problem_streams import PROBLEMS, Event, Reading, read, stream
from tests.load.texts import DATA

MODEL = "reader@1"
TRAIN_SEEDS, DEV_SEEDS = (1, 2, 3, 4, 5, 6), (11, 12, 13, 14, 15)
SIZE = 1_000
THRESHOLDS = (0.76, 0.80, 0.84, 0.86, 0.88, 0.92)
AGREEING = (1, 2, 3, 5)

Groups = Mapping[int, tuple[str, str]]
"""Event number → (tenant, item)."""


@dataclass
class Backlog:
    """Just so much of a tenant's backlog as grouping looks at."""

    policy: GroupingPolicy
    around: Neighbourhood = field(default_factory=Neighbourhood)
    items: dict[str, Item] = field(default_factory=dict)

    def take(self, event: Event) -> str:
        matter = Matter(
            customer_id=f"c-{event.number}",
            cause=event.said.cause,
            entity=entity_of(event.context, self.policy),
            confidence=event.said.confidence,
            channel="email",
            context=context_of(event.context, self.policy),
        )
        newcomer = newcomer_of(
            f"fb_{event.number:06d}",
            event.at,
            matter,
            MODEL,
            event.said.vector.tobytes(),
            self.policy,
            event.said.text,
        )
        answer = group(self.around.evidence(newcomer, self.items, self.policy), self.policy)
        item_id = answer.item_id if isinstance(answer, Join) else f"it_{event.number:06d}"
        self.items[item_id] = self._fed(item_id, event)
        self.around.add(newcomer, item_id)
        return item_id

    def _fed(self, item_id: str, event: Event) -> Item:
        known = self.items.get(item_id)
        if known is None:
            return Item(
                id=item_id, title="t", team="t", assignee=None, state="open", weight=Weight(1.0, "P4"),
                domain=None, category=None, key=None, entity=None, feedback_count=1,
                customers=(f"c-{event.number}",), opened_at=event.at, last_feedback_at=event.at,
                updated_at=event.at, version=1,
            )  # fmt: skip
        return replace(
            known,
            feedback_count=known.feedback_count + 1,
            last_feedback_at=max(known.last_feedback_at, event.at),
            customers=(*known.customers, f"c-{event.number}"),
        )


def grouped(events: Sequence[Event], policy: GroupingPolicy) -> Groups:
    backlogs: dict[str, Backlog] = defaultdict(lambda: Backlog(policy))
    return {e.number: (e.tenant, backlogs[e.tenant].take(e)) for e in events}


def judged(events: Sequence[Event], groups: Groups, policy: GroupingPolicy) -> dict[str, float]:
    """Precision, recall, and the share of the planted pairs that were put together."""
    members: dict[tuple[str, str], list[Event]] = defaultdict(list)
    problems: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        members[groups[event.number]].append(event)
        if event.problem is not None:
            problems[event.tenant, event.problem].append(event)
    put = right = 0
    for many in members.values():
        put += len(many) * (len(many) - 1) // 2
        right += sum(_together(a, b) for a, b in combinations(many, 2))
    least = policy.similarity.min_confidence if policy.similarity else 0.0
    true = reachable = 0
    for many in problems.values():
        for a, b in combinations(many, 2):
            if _together(a, b):
                true += 1
                reachable += (
                    a.said.cause == b.said.cause is not None
                    and min(a.said.confidence, b.said.confidence) >= least
                )
    return {
        "precision": right / put if put else 1.0,
        "recall": right / true,
        "recall_reachable": right / reachable if reachable else 0.0,
        "pairs": put,
        "largest": max(map(len, members.values())),
        **_planted(events, groups),
    }


def _together(a: Event, b: Event) -> bool:
    return a.problem is not None and a.problem == b.problem and (a.twins is None or a.twins != b.twins)


def _planted(events: Sequence[Event], groups: Groups) -> dict[str, float]:
    """The share of look-alike pairs put together, per kind."""
    twins: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.twins is not None:
            twins[event.twins].append(event)
    pairs: Counter[str] = Counter()
    merged: Counter[str] = Counter()
    for a, b in twins.values():
        pairs[str(a.look_alike)] += 1
        merged[str(a.look_alike)] += groups[a.number] == groups[b.number]
    return {f"merged_{kind}": merged[kind] / pairs[kind] for kind in sorted(pairs)}


def tune(readings: Mapping[str, Reading]) -> dict[str, Any]:
    """Per set, threshold and number of agreeing neighbours: mean precision and recall on train streams."""
    policy = load_policies().grouping
    found: dict[str, Any] = {}
    for name, reading in readings.items():
        streams = [stream(reading, SIZE, seed) for seed in TRAIN_SEEDS]
        for agreeing in AGREEING:
            for threshold in THRESHOLDS:
                tried = _with(policy, threshold, agreeing)
                figures = [judged(events, grouped(events, tried), tried) for events in streams]
                found[f"{name} agreeing {agreeing} threshold {threshold:.2f}"] = _summed(figures)
    return found


def report(readings: Mapping[str, Reading]) -> dict[str, Any]:
    policy = load_policies().grouping
    found = {}
    for name, reading in readings.items():
        figures = []
        for seed in DEV_SEEDS:
            events = stream(reading, SIZE, seed)
            figures.append(judged(events, grouped(events, policy), policy))
        found[name] = _summed(figures)
    return found


async def through_postgres(reading: Reading, settings: DatabaseSettings) -> dict[str, Any]:
    """One stream through the router on a real database, and how far memory and database agree."""
    from tests.load.routed_streams import routed

    policy = load_policies().grouping
    events = stream(reading, SIZE, DEV_SEEDS[0])
    await migrate(settings)
    database = Database(settings)
    stored = await routed(database, events)
    await database.close()
    memory = grouped(events, policy)
    return {
        "postgres": judged(events, stored, policy),
        "memory": judged(events, memory, policy),
        "pairs_only_in_one": len(_pairs(stored) ^ _pairs(memory)),
    }


def _pairs(groups: Groups) -> set[tuple[int, int]]:
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, where in sorted(groups.items()):
        members[where].append(number)
    return {pair for many in members.values() for pair in combinations(many, 2)}


def _with(policy: GroupingPolicy, threshold: float, agreeing: int) -> GroupingPolicy:
    assert policy.similarity is not None
    return replace(policy, similarity=replace(policy.similarity, threshold=threshold, agreeing=agreeing))


def _summed(figures: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Means over the streams, the least precision of any, and the precision over all their pairs."""
    many = list(figures)
    pairs = sum(one["pairs"] for one in many)
    pooled = sum(one["precision"] * one["pairs"] for one in many) / pairs if pairs else 1.0
    return {
        **{name: round(statistics.mean(one[name] for one in many), 4) for name in many[0]},
        "least_precision": round(min(one["precision"] for one in many), 4),
        "precision_of_all_pairs": round(pooled, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("tune", "report", "postgres"))
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the labelled sets")
    parser.add_argument("--sets", nargs="+", default=PROBLEMS)
    parser.add_argument("--split", choices=("dev", "test"), default="dev", help="what is reported on")
    chosen = parser.parse_args()
    split = "train" if chosen.what == "tune" else chosen.split
    readings = {name: read(chosen.data, name, split) for name in chosen.sets}
    if chosen.what == "postgres":
        figures: Any = _on_postgres(readings)
    else:
        figures = tune(readings) if chosen.what == "tune" else report(readings)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _on_postgres(readings: Mapping[str, Reading]) -> dict[str, Any]:
    from tests.support.postgres import PostgresServer

    with tempfile.TemporaryDirectory(prefix="hb-pg-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder) / "data")
        try:
            found = {}
            for name, reading in readings.items():
                asyncio.run(server.run(f"CREATE DATABASE {name}"))
                settings = DatabaseSettings(url=server.url(name), pool_size=2)
                found[name] = asyncio.run(through_postgres(reading, settings))
            return found
        finally:
            server.stop()


if __name__ == "__main__":
    main()
