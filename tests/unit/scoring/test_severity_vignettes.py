"""Severity puts feedback in the order a head of operations would, given what a careful reader hears."""

from tests.support.severity_figures import SETS, stated_scores

VIGNETTES = SETS["first"]


def test_there_are_enough_and_every_one_is_compared() -> None:
    assert len(VIGNETTES.rows) >= 40
    assert len(VIGNETTES.pairs) >= 60
    assert len({(worse, less) for worse, less, _ in VIGNETTES.pairs}) == len(VIGNETTES.pairs)
    named = {name for worse, less, _ in VIGNETTES.pairs for name in (worse, less)}
    assert named == set(VIGNETTES.rows) == set(VIGNETTES.heard)
    assert all(why for *_, why in VIGNETTES.pairs)


def test_the_order_is_that_of_the_pairs() -> None:
    wrong = VIGNETTES.wrong(stated_scores(VIGNETTES))
    assert len(wrong) <= 0.05 * len(VIGNETTES.pairs), "\n".join(wrong)
