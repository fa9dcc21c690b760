"""What doctor says about what it finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heardback_local.doctor.broker import LAG_WARNING, judge_broker, judge_memory
from heardback_local.doctor.database import judge_ledger
from heardback_local.lag import BrokerView, Lag
from heardback_local.ledger import Ledger


@pytest.mark.parametrize(
    ("ledger", "verdict"),
    [(Ledger(5, 3, 2, 0), "ok"), (Ledger(5, 3, 1, 1), "warn"), (Ledger(5, 3, 1, 0), "fail")],
)
def test_the_ledger_is_judged_by_its_invariant(ledger: Ledger, verdict: str) -> None:
    assert judge_ledger(ledger).verdict == verdict


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(-9, 9))
def test_a_ledger_that_does_not_add_up_never_passes(settled: int, flying: int, dead: int, off: int) -> None:
    finding = judge_ledger(Ledger(settled + flying + dead + off, settled, flying, dead))
    assert (finding.verdict == "fail") == (off != 0)


def test_missing_topics_fail_and_lag_warns() -> None:
    view = BrokerView(
        ("feedback.dead",),
        (Lag("a", "feedback.scored", LAG_WARNING), Lag("b", "feedback.scored", LAG_WARNING + 1)),
    )
    verdicts = {finding.subject: finding.verdict for finding in judge_broker(view)}
    assert verdicts == {"broker": "ok", "topics": "fail", "lag of a": "ok", "lag of b": "warn"}


def test_every_finding_that_is_not_ok_says_what_to_do() -> None:
    findings = [
        *judge_broker(BrokerView(("x",), (Lag("b", "t", LAG_WARNING + 1),))),
        judge_ledger(Ledger(2, 1, 0, 0)),
        judge_ledger(Ledger(1, 0, 0, 1)),
        judge_memory(10_000),
    ]
    assert all(finding.mend for finding in findings if finding.verdict != "ok")
    assert sum(finding.verdict != "ok" for finding in findings) == 5
