"""A year with surveys that ask at every turn, and one that asks every quarter: the rare one gets its turn."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.surveys import ADA, DAY, cap, days, gap, past, policy, sent

from heardback_ingest.domain.surveys.engine import decide
from heardback_ingest.domain.surveys.facts import Facts, Invitation, Request
from heardback_ingest.domain.surveys.policy import SurveysPolicy

QUARTER = 91
RARE = Request("c-1", "quarterly", "nps", "email")
FREQUENT = (Request("c-1", "pulse", "csat", "email"), Request("c-1", "after-contact", "ces", "email"))
KEPT: list[dict[str, Any]] = [{"surveys": ["quarterly"], "slots": 1}]
SHORT: list[dict[str, Any]] = [{"surveys": ["quarterly"], "gap": {"rolling": "2d"}}]


def year(rules: SurveysPolicy, chance: random.Random) -> tuple[list[timedelta], int]:
    """(how long the rare survey waited each quarter, frequent invitations). The frequent ones ask every hour
    of the day, the rare one once a day and only after them, from when its quarter begins until it may."""
    history: list[Invitation] = []
    waited: list[timedelta] = []
    frequent, due = 0, 0
    for day in range(4 * QUARTER):
        morning = NOON + day * DAY
        for hour in sorted(chance.sample(range(20), 6)):
            request = chance.choice(FREQUENT)
            frequent += take(history, request, rules, morning + timedelta(hours=hour))
        if day >= due * QUARTER and take(history, RARE, rules, morning + timedelta(hours=21)):
            waited.append(morning - (NOON + due * QUARTER * DAY))
            due += 1
    return waited, frequent


def take(history: list[Invitation], request: Request, rules: SurveysPolicy, at: datetime) -> bool:
    facts: Facts = past(*history[-40:]) if history else ADA
    if not decide(request, facts, rules, at).allowed:
        return False
    history.append(sent(at, request.survey, request.type))
    return True


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_survey_is_asked_every_quarter_however_often_others_ask(seed: int) -> None:
    rules = policy(
        cap(5, days(90), reserved=KEPT),
        gap(days(7), "week", shorter_for=SHORT),
    )
    waited, frequent = year(rules, random.Random(seed))
    assert len(waited) == 4
    assert max(waited) <= 3 * DAY
    assert frequent >= 12  # the others get theirs too


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "rules",
    [
        [cap(5, days(90)), gap(days(7), "week")],
        [cap(20, days(90), reserved=KEPT), gap(days(7), "week")],
    ],
    ids=["nothing kept", "only a place is kept"],
)
def test_without_both_it_comes_by_luck_or_not_at_all(rules: list[dict[str, Any]], seed: int) -> None:
    waited, _ = year(policy(*rules), random.Random(seed))
    assert len(waited) < 4 or max(waited) >= 14 * DAY
