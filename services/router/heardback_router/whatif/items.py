"""One item seen under two policies, from what its row and its log say. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from heardback_router.backlog.domain import Item, ItemEvent, Weight
from heardback_router.backlog.weighing import WeighingPolicy, weigh
from heardback_router.sla.domain import SlaPolicy
from heardback_router.whatif.domain import Case, Outcome
from heardback_router.whatif.feedback import OPEN
from heardback_router.whatif.ports import Clocks


def weighed(item: Item, base: WeighingPolicy, candidate: WeighingPolicy, at: datetime) -> Case:
    """What the item weighs at `at` under both, as its feedback and its history stand now."""
    return _case(item, _outcome(item, _weight(item, base, at)), _outcome(item, _weight(item, candidate, at)))


def clocked(
    item: Item, log: Sequence[ItemEvent], base: SlaPolicy, candidate: SlaPolicy, clocks: Clocks, at: datetime
) -> Case:
    """Which of the item's clocks run out up to `at`, had each policy counted from its opening."""
    before, after = clocks.breached(log, base, at), clocks.breached(log, candidate, at)
    return _case(item, _outcome(item, item.weight, before), _outcome(item, item.weight, after))


def timed(case: Case, log: Sequence[ItemEvent], policy: SlaPolicy, clocks: Clocks, at: datetime) -> Case:
    """The case with the clocks that run out, had its item been opened as before, and as after. What people
    did stays as it was."""
    before = clocks.breached(_opened_as(log, case.before), policy, at)
    same = (case.before.team, case.before.band) == (case.after.team, case.after.band)
    after = before if same else clocks.breached(_opened_as(log, case.after), policy, at)
    return replace(
        case, before=replace(case.before, breached=before), after=replace(case.after, breached=after)
    )


def _opened_as(log: Sequence[ItemEvent], outcome: Outcome) -> list[ItemEvent]:
    first, *rest = log
    anew = {"severity": outcome.severity, "band": outcome.band, "team": outcome.team}
    return [replace(first, data={**first.data, **anew}), *rest]


def _weight(item: Item, policy: WeighingPolicy, at: datetime) -> Weight:
    return weigh(item.worst, len(item.customers), item.arrivals, item.counts, at, policy).weight


def _outcome(item: Item, weight: Weight, breached: tuple[str, ...] | None = None) -> Outcome:
    causes = (f"{item.domain}/{item.category}",) if item.domain else ()
    return Outcome(item.team, weight.band, weight.score, causes, breached=breached)


def _case(item: Item, before: Outcome, after: Outcome) -> Case:
    return Case(
        item_id=item.id,
        before=before,
        after=after,
        sits_with=item.team if item.state in OPEN else None,
        opened=True,
        movable=not item.touched,
    )
