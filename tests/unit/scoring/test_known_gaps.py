"""A known gap may shrink, must go once it is closed, and excuses nothing else."""

import pytest

from heardback_scoring.evaluation.figures import Bounded
from heardback_scoring.evaluation.known_gaps import KnownGap, fault_of

GAP = KnownGap(name="names sentiment", figure="pair shift", value=0.3, because="names at the very end")


def found(value: float, name: str = GAP.name, figure: str = GAP.figure) -> Bounded:
    return Bounded(name=name, figure=figure, value=value, bound=0.1, holds=value <= 0.1, of=1)


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (found(0.3), None),
        (found(0.2), None),
        (found(0.31), "worse than the known 0.3"),
        (found(0.1), "remove it from the known gaps"),
        (found(0.2, figure="mean shift"), "over its bound of 0.1"),
        (found(0.2, name="names severity"), "over its bound of 0.1"),
        (found(0.1, name="names severity"), None),
    ],
)
def test_what_is_wrong_with_a_figure(one: Bounded, fault: str | None) -> None:
    told = fault_of(one, [GAP])
    assert told is None if fault is None else fault in str(told)
