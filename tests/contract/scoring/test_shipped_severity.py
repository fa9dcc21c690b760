"""The shipped model and policies put raw feedback in the order that a head of operations would."""

from collections.abc import Mapping

import pytest
from tests.support.severity_figures import SETS, shipped_scores
from tests.support.vignettes import Vignettes


@pytest.fixture(scope="module")
def sets() -> Mapping[str, tuple[Vignettes, list[str]]]:
    """Each set, and the pairs in the wrong order."""
    return {name: (found, found.wrong(shipped_scores(found))) for name, found in SETS.items()}


def test_the_first_set_is_in_order(sets: Mapping[str, tuple[Vignettes, list[str]]]) -> None:
    vignettes, wrong = sets["first"]
    assert len(wrong) <= 0.05 * len(vignettes.pairs), "\n".join(wrong)


def test_all_sets_together_are_in_order(sets: Mapping[str, tuple[Vignettes, list[str]]]) -> None:
    total = sum(len(vignettes.pairs) for vignettes, _ in sets.values())
    wrong = [pair for _, pairs in sets.values() for pair in pairs]
    assert total >= 300
    assert len(wrong) <= 0.05 * total, "\n".join(wrong)
