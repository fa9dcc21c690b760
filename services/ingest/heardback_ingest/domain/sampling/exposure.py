"""How much a customer was asked lately: every earlier ask counts, half as much after each 45 days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

HALF_LIFE_DAYS = 45.0
NOT_DRAWN = 0
"""The gap of an ask that no experiment decided about."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ask:
    """One survey that was sent. `gap`: the days that the customer's arm asked for when it was sent, None
    outside of any experiment. `opened`: seen but not necessarily answered. `opted_out`: refused after this
    ask and before the next. `same_again`: the third time or more in a row the same score, None without an
    answer."""

    customer_id: str
    at: datetime
    gap: int | None
    answered: bool
    opened: bool = False
    opted_out: bool = False
    same_again: bool | None = None


@dataclass(frozen=True, slots=True)
class Asks:
    """The same as columns, by customer and time. `customer` numbers from 0; `exposure` is before the ask."""

    customer: Ints
    day: Floats
    gap: Ints
    exposure: Floats
    answered: Bools
    opened: Bools
    opted_out: Bools
    same_again: Bools

    def __len__(self) -> int:
        return len(self.customer)

    def where(self, which: Bools) -> "Asks":
        return Asks(*(getattr(self, name)[which] for name in self.__slots__))


def columns(asks: Iterable[Ask]) -> Asks:
    """In whatever order they come. An ask that comes twice at the same instant counts twice."""
    found = sorted(asks, key=lambda one: (one.customer_id, one.at))
    numbers: dict[str, int] = {}
    customer = np.array([numbers.setdefault(one.customer_id, len(numbers)) for one in found], np.int64)
    start = min((one.at for one in found), default=None)
    day = np.array([(one.at - start).total_seconds() / 86_400 for one in found if start], np.float64)

    def flags(of: Any) -> Bools:
        return np.array([bool(of(one)) for one in found], np.bool_)

    return Asks(
        customer,
        day,
        np.array([one.gap or NOT_DRAWN for one in found], np.int64),
        exposures(customer, day),
        flags(lambda one: one.answered),
        flags(lambda one: one.opened),
        flags(lambda one: one.opted_out),
        flags(lambda one: one.same_again),
    )


def exposures(customer: Ints, day: Floats) -> Floats:
    """Σ 2^(−days since/45) over the customer's earlier asks. Rows stand by customer and time."""
    held = np.zeros(len(customer))
    for row in range(1, len(customer)):
        if customer[row] == customer[row - 1]:
            held[row] = (held[row - 1] + 1) * 2 ** (-(day[row] - day[row - 1]) / HALF_LIFE_DAYS)
    return held
