"""The shipped model and policies have the capabilities that the behavioural tests ask for."""

import asyncio

import pytest

from heardback_scoring.evaluation.behaviour import bounded, load_behaviours, measure_behaviour
from heardback_scoring.evaluation.figures import Bounded
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
    found = rates[capability]
    failures = "\n".join(found.worst)
    assert found.value <= found.bound, f"{found.failed} of {found.of} fail, such as\n{failures}"
