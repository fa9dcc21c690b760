"""The examples on the page about the backlog are what the code does."""

import doctest
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.clock import NOON
from tests.support.logs import opened

from heardback_router.backlog import order
from heardback_router.backlog.commands import Resolve, decide
from heardback_router.backlog.domain import Counts, Item, ItemEvent, Weight
from heardback_router.backlog.fold import apply, fold
from heardback_router.backlog.gate import GateError
from heardback_router.backlog.order import Comparison, Placed
from heardback_router.backlog.weighing import Weighed, weigh
from heardback_router.configuration.source import load_policies
from heardback_router.wording import CustomerText, InternalText

PAGE = Path(__file__).parents[3] / "docs" / "backlog.md"
WEIGHING = load_policies().weighing


def weighing_of(*, worst: float, customers: int = 1, **counts: int) -> Weighed:
    weight = Weight(float(worst), WEIGHING.band_of(worst))
    return weigh(weight, customers, (NOON,), Counts(**counts), NOON, WEIGHING)


def item(item_id: str, *, worst: float, opened: str, **counts: int) -> Item:
    weighed = weighing_of(worst=worst, **counts)
    at = datetime.fromisoformat(opened).replace(tzinfo=UTC)
    return replace(BASE, id=item_id, weight=weighed.weight, contributions=weighed.contributions, opened_at=at)


def compare(one: Item, other: Item) -> Comparison:
    return order.compare(Placed(one, None), Placed(other, None))


def _after(item_: Item, kind: Any, data: dict[str, Any]) -> Item:
    return apply(item_, ItemEvent(item_.id, item_.version + 1, kind, "ana", NOON, None, data))


def with_criterion(item_: Item, text: str) -> Item:
    return _after(item_, "criterion_set", {"text": text, "source": "call"})


def settled(item_: Item, outcome: str, because: str) -> Item:
    return _after(item_, "criterion_settled", {"outcome": outcome, "because": because})


def try_to_resolve(item_: Item) -> None:
    said = InternalText("The rate table was old"), InternalText("Loaded the new one")
    try:
        event = decide(item_, Resolve(*said, CustomerText("It is corrected.")), "ana", NOON, WEIGHING)
    except GateError as error:
        print("409", error)  # noqa: T201
    else:
        print(event.kind)  # noqa: T201


BASE = fold([opened()])
KNOWN: dict[str, Callable[..., Any]] = {
    "weighing_of": weighing_of,
    "item": item,
    "because": order.because,
    "compare": compare,
    "with_criterion": with_criterion,
    "settled": settled,
    "try_to_resolve": try_to_resolve,
}


def test_the_examples_of_the_page_run_as_they_stand() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, globs=dict(KNOWN))
    assert (failed, tried > 8) == (0, True)
