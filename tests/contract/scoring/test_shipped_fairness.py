"""The shipped model and policies read the same feedback alike, whoever it is from and whoever it is about."""

import asyncio

import pytest

from heardback_scoring.evaluation.bias import QUANTITIES, bounded, load_counterfactuals, measure_bias
from heardback_scoring.evaluation.figures import Bounded
from heardback_scoring.evaluation.known_gaps import fault_of
from heardback_scoring.evaluation.subject import open_subject

DATA = load_counterfactuals()
AXES = [axis.name for axis in DATA.axis]


@pytest.fixture(scope="module")
def shifts() -> dict[tuple[str, str], Bounded]:
    async def measured() -> list[Bounded]:
        async with open_subject("default") as subject:
            return bounded(await measure_bias(subject, DATA), DATA.bounds)

    return {(one.name, one.figure): one for one in asyncio.run(measured())}


@pytest.mark.parametrize("figure", ["mean shift", "pair shift"])
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("axis", AXES)
def test_neither_sentiment_nor_severity_follows_the_group(
    shifts: dict[tuple[str, str], Bounded], axis: str, quantity: str, figure: str
) -> None:
    assert fault_of(shifts[f"{axis} {quantity}", figure], DATA.known_gap) is None


def test_every_known_gap_names_a_figure(shifts: dict[tuple[str, str], Bounded]) -> None:
    assert {(gap.name, gap.figure) for gap in DATA.known_gap} <= shifts.keys()


@pytest.mark.parametrize("axis", AXES)
def test_no_group_goes_unread(shifts: dict[tuple[str, str], Bounded], axis: str) -> None:
    assert shifts[axis, "unread"].worst == ()
