"""The shipped model and policies have the capabilities that the behavioural tests ask for."""

import asyncio

import pytest

from heardback_scoring.evaluation.behaviour import bounded, load_behaviours, measure_behaviour
from heardback_scoring.evaluation.figures import Bounded
from heardback_scoring.evaluation.known_gaps import fault_of
from heardback_scoring.evaluation.subject import open_subject

DATA = load_behaviours()


@pytest.fixture(scope="module")
def rates() -> dict[str, Bounded]:
    async def measured() -> list[Bounded]:
        async with open_subject("default") as subject:
            return bounded(await measure_behaviour(subject, DATA))

    return {one.name: one for one in asyncio.run(measured())}


@pytest.mark.parametrize("capability", [capability.name for capability in DATA.capability])
def test_no_more_cases_fail_than_the_bound_allows(rates: dict[str, Bounded], capability: str) -> None:
    assert fault_of(rates[capability], DATA.known_gap) is None


def test_every_known_gap_names_a_figure(rates: dict[str, Bounded]) -> None:
    assert {(gap.name, gap.figure) for gap in DATA.known_gap} <= {(r.name, r.figure) for r in rates.values()}
