"""The example of docs/clocks.md is carried out: its policy, and its table row by row."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.support.clock_stories import Deed, Watched

from heardback_router.backlog.domain import ItemEvent
from heardback_router.configuration.source import load_policies
from heardback_router.sla.policy import read_sla

TEXT = (Path(__file__).parents[3] / "docs" / "clocks.md").read_text("utf-8")
KINDS = ("first_response", "next_response", "resolution")
DEEDS: dict[str, Deed] = {
    "asked": lambda log, at: log.responded(at, "waiting_for_customer"),
    "wrote": lambda log, at: log.wrote(at),
    "answered": lambda log, at: log.responded(at),
    "solved": lambda log, at: log.resolved(at),
    "reopened by the customer": lambda log, at: log.reopened(at, by_customer=True),
}


def rows() -> Iterator[tuple[datetime, str, list[str], str]]:
    for line in TEXT.splitlines():
        if re.match(r"\| \d{4}-", line):
            when, what, *clocks, told = (cell.strip() for cell in line.strip("|").split("|"))
            yield datetime.fromisoformat(when).replace(tzinfo=ZoneInfo("Europe/Berlin")), what, clocks, told


def spoken(events: list[ItemEvent]) -> str:
    return ", ".join(
        "resumed" if e.kind == "resumed" else f"{e.data['clock']} {e.data.get('percent', 'breach')}"
        for e in events
    )


def test_the_example_of_the_document_is_true() -> None:
    found = re.search(r"```yaml\n(policy: example.*?)```", TEXT, re.DOTALL)
    assert found is not None
    sla = read_sla(found[1])
    (start, what, _, _), *_ = steps = list(rows())
    assert (what, len(steps)) == ("opened", 8)
    watched = Watched(start, "P3", replace(load_policies(), sla=sla), sla=sla.name)
    heard = 0
    for at, happens, expected, told in steps:
        watched.wait(at - watched.at)
        if happens in DEEDS:
            watched.do(DEEDS[happens])
        clocks = watched.log.clocks(watched.at, sla)
        shown = [
            f"{clocks[k].state} {clocks[k].shown['used_minutes']}/{clocks[k].shown['target_minutes']}"
            if k in clocks
            else ""
            for k in KINDS
        ]
        assert (shown, spoken(watched.said[heard:])) == (expected, told), at
        heard = len(watched.said)
