"""The demo must be able to fail."""

from heardback_local.demo.checks import Checks
from heardback_local.demo.report import backlog, decision_in_words


def test_one_wrong_number_is_enough() -> None:
    checks = Checks()
    verdicts = [checks.ok]
    checks.equal("a", 1, 1)
    verdicts.append(checks.ok)
    checks.true("b", found=False)
    verdicts.append(checks.ok)
    assert verdicts == [False, True, False]


def test_the_backlog_counts_what_is_still_to_do() -> None:
    items = [
        {"team": team, "state": state, "severity": {"band": band}}
        for team, state, band in [
            ("ops", "open", "P1"),
            ("ops", "in_progress", "P1"),
            ("ops", "resolved", "P2"),
        ]
    ]
    assert {team: dict(bands) for team, bands in backlog(items).items()} == {"ops": {"P1": 2}}


def test_a_decision_is_told_by_its_heaviest_feedback() -> None:
    light = {"score": {"severity": {"score": 10}}, "decision": {"reason": "Goes to product."}}
    parts = [{"factor": "tier", "points": 12, "because": "key customer"}]
    heavy = {
        "score": {"severity": {"score": 70, "contributions": parts}},
        "decision": {"reason": "Goes to ops."},
    }
    told = decision_in_words({"title": "Invoice", "feedback": [light, heavy]})
    assert "Goes to ops." in told
    assert "+12 tier: key customer" in told
    assert "No reason" in decision_in_words({"title": "Invoice"})
