"""The shipped model and policies put raw feedback in the order that a head of operations would."""

import pytest
from tests.support.clock import NOON
from tests.support.vignettes import Vignettes

from heardback_scoring.adapters.models import open_model
from heardback_scoring.adapters.policy_files import load_policies
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.score_rows import score_rows
from heardback_scoring.app.understanding import Understanding, understanding_of


@pytest.fixture(scope="module")
def shipped() -> Understanding:
    opened = open_model("default", threads=1)
    assert opened.why_degraded is None
    return understanding_of(
        load_policies(), Py3langidGuesser(), opened.reader, opened.fallback, satisfaction=opened.satisfaction
    )


async def wrong(by: Understanding, vignettes: Vignettes) -> list[str]:
    names = list(vignettes.rows)
    answers = await score_rows([(vignettes.rows[name], vignettes.parsed[name]) for name in names], by, NOON)
    severities = [answer["score"]["severity"] for answer in answers]
    for severity in severities:
        assert sum(c["points"] for c in severity["contributions"]) == severity["score"]
    return vignettes.wrong({name: s["score"] for name, s in zip(names, severities, strict=True)})


async def test_the_first_set_is_in_order(shipped: Understanding) -> None:
    vignettes = Vignettes.of("vignettes.yaml")
    found = await wrong(shipped, vignettes)
    print(f"first: {len(vignettes.pairs) - len(found)} of {len(vignettes.pairs)}", *found, sep="\n")
    assert len(found) <= 0.05 * len(vignettes.pairs), "\n".join(found)


async def test_the_further_sets_are_in_order_mostly(shipped: Understanding) -> None:
    total, found = 0, []
    for name in ("later", "third", "fourth"):
        vignettes = Vignettes.of(f"vignettes_{name}.yaml")
        here = await wrong(shipped, vignettes)
        print(f"{name}: {len(vignettes.pairs) - len(here)} of {len(vignettes.pairs)}", *here, sep="\n")
        total += len(vignettes.pairs)
        found += here
    assert total >= 60
    assert len(found) <= 0.08 * total, "\n".join(found)
