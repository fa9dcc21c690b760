"""The figures of docs/severity.md: how many pairs of vignettes come out in order.

python -m tests.support.severity_figures
"""

import asyncio
from collections.abc import Mapping

from heardback_scoring.adapters.models import open_model
from heardback_scoring.adapters.py3langid_guesser import Py3langidGuesser
from heardback_scoring.app.score_rows import score_rows
from heardback_scoring.app.understanding import understanding_of
from heardback_scoring.domain.severity import assess
from tests.support.clock import NOON
from tests.support.scoring import POLICIES
from tests.support.vignettes import Vignettes

SETS: Mapping[str, Vignettes] = {
    "first": Vignettes.of("vignettes.yaml"),
    "second": Vignettes.of("vignettes_later.yaml"),
    "third": Vignettes.of("vignettes_third.yaml"),
    "fourth": Vignettes.of("vignettes_fourth.yaml"),
    "fifth": Vignettes.of("vignettes_fifth.yaml"),
    "sixth": Vignettes.of("vignettes_sixth.yaml"),
    "seventh": Vignettes.of("vignettes_seventh.yaml"),
}


def stated_scores(vignettes: Vignettes) -> dict[str, float]:
    """The severity of each, read as its author says."""
    return {name: assess(vignettes.stated(name), POLICIES.severity).score for name in vignettes.heard}


def shipped_scores(vignettes: Vignettes) -> dict[str, float]:
    """The severity of each as raw feedback, by the packaged model. Raises RuntimeError without the model."""
    opened = open_model("default", threads=1)
    if opened.why_degraded is not None:
        raise RuntimeError(opened.why_degraded)
    by = understanding_of(
        POLICIES, Py3langidGuesser(), opened.reader, opened.fallback, satisfaction=opened.satisfaction
    )

    async def scored() -> dict[str, float]:
        try:
            rows = [(vignettes.rows[name], row) for name, row in vignettes.parsed.items()]
            answers = await score_rows(rows, by, NOON, "off")
        finally:
            await opened.reader.close()
        scores = [answer["score"]["severity"]["score"] for answer in answers]
        return dict(zip(vignettes.parsed, scores, strict=True))

    return asyncio.run(scored())


def main() -> None:
    for name, vignettes in SETS.items():
        of = len(vignettes.pairs)
        wrong = vignettes.wrong(shipped_scores(vignettes))
        print(f"{name}, shipped model: {of - len(wrong)} of {of}", *wrong, sep="\n  ")  # noqa: T201
        if vignettes.heard:
            wrong = vignettes.wrong(stated_scores(vignettes))
            print(f"{name}, heard as stated: {of - len(wrong)} of {of}", *wrong, sep="\n  ")  # noqa: T201


if __name__ == "__main__":
    main()
