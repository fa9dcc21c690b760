"""Severity of single cases, with their reasons; what holds for all is in test_severity_properties."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.scoring import POLICIES, nps

from heardback_scoring.domain.severity import SeverityInputs, assess, surest
from heardback_scoring.domain.severity_customer import fall_below_usual
from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_shared.contracts.customer import CustomerHistory, CustomerSnapshot
from heardback_shared.contracts.feedback import Metric
from heardback_shared.contracts.score import Cue, Severity

POLICY = POLICIES.severity
TODAY = date(2026, 11, 22)
STRATEGIC = CustomerSnapshot(
    tier="strategic", lifetime_value=120_000, currency="EUR", renewal_date=date(2026, 12, 20)
)


def cue(name: str, probability: float = 0.85, turn: int = 0) -> Cue:
    return Cue(name=name, probability=probability, turn=turn, span=(0, 1), by="pattern")


def points(found: Severity) -> dict[str, float]:
    return {c.factor: c.points for c in found.contributions}


def because(found: Severity, factor: str) -> str:
    return next(c.because for c in found.contributions if c.factor == factor)


def test_a_furious_strategic_customer_who_wants_to_leave_before_renewal_is_p1() -> None:
    case = SeverityInputs(
        lowest=-0.95,
        end=-0.95,
        intensity=1.0,
        cues=(cue("wants_to_leave"), cue("anger")),
        customer=STRATEGIC,
        today=TODAY,
    )
    found = assess(case, POLICY)
    assert found.band == "P1"
    assert {"wants_to_leave", "tier", "renewal", "sentiment_lowest", "lifetime_value", "intensity"} <= set(
        points(found)
    )
    assert "28 days" in because(found, "renewal")
    assert "probability 0.85" in because(found, "wants_to_leave")


def test_a_delighted_promoter_is_zero_whoever_it_is() -> None:
    burdened = STRATEGIC.model_copy(update={"history": CustomerHistory(broken_promises=2, breaches=3)})
    case = SeverityInputs(
        lowest=0.95, end=0.95, cues=(cue("gratitude"),), metric=nps(10), customer=burdened, today=TODAY
    )
    found = assess(case, POLICY)
    assert (found.score, found.band, found.contributions) == (0.0, "P4", ())


def test_a_calm_text_is_weighed_by_what_went_before() -> None:
    calm = SeverityInputs(lowest=-0.3, end=-0.3, customer=STRATEGIC, today=TODAY)
    burdened = STRATEGIC.model_copy(
        update={"history": CustomerHistory(broken_promises=1, open_promises=1, breaches=2)}
    )
    found = assess(SeverityInputs(lowest=-0.3, end=-0.3, customer=burdened, today=TODAY), POLICY)
    assert found.score - assess(calm, POLICY).score > 20
    assert because(found, "broken_promises").startswith("1 promise broken before.")
    assert because(found, "breaches").startswith("2 agreed times missed before.")


def test_a_mild_complaint_of_a_standard_customer_is_p3() -> None:
    case = SeverityInputs(lowest=-0.6, end=-0.6, customer=CustomerSnapshot(tier="standard"))
    assert assess(case, POLICY).band == "P3"


def test_silence_without_a_metric_is_p4_and_its_text_is_not_missing() -> None:
    found = assess(SeverityInputs(silent=True, customer=STRATEGIC, today=TODAY), POLICY)
    assert (found.score, found.band) == (0.0, "P4")
    assert "text" not in found.missing


def test_a_detractor_without_a_comment_is_p3() -> None:
    assert assess(SeverityInputs(silent=True, metric=nps(1)), POLICY).band == "P3"


def test_an_unreadable_text_counts_the_customer_at_half_and_says_what_is_missing() -> None:
    found = assess(SeverityInputs(customer=STRATEGIC, today=TODAY), POLICY)
    assert points(found)["tier"] == POLICY.tiers["strategic"] / 2
    assert {"text", "metric", "touchpoint", "customer.history.breaches"} <= set(found.missing)
    assert assess(SeverityInputs(), POLICY).missing == ("text", "metric", "touchpoint", "customer")


def test_without_a_day_neither_renewal_nor_age_counts_and_that_is_reported() -> None:
    old = STRATEGIC.model_copy(update={"profile_at": datetime(2020, 1, 1, tzinfo=UTC)})
    found = assess(SeverityInputs(lowest=-0.9, end=-0.9, customer=old), POLICY)
    assert "renewal" not in points(found)
    assert "confirmed" not in because(found, "tier")
    assert "at" in found.missing


def test_a_stale_profile_counts_less_and_says_so() -> None:
    stale = STRATEGIC.model_copy(update={"profile_at": datetime(2025, 11, 22, tzinfo=UTC)})
    bad = SeverityInputs(lowest=-0.95, end=-0.95, today=TODAY, customer=STRATEGIC)
    old = SeverityInputs(lowest=-0.95, end=-0.95, today=TODAY, customer=stale)
    fresh, found = assess(bad, POLICY), assess(old, POLICY)
    for factor in ("tier", "lifetime_value", "renewal"):
        assert points(found)[factor] == pytest.approx(0.7 * points(fresh)[factor], abs=0.5)
    assert "last confirmed 365 days ago and counts at 70%" in because(found, "tier")
    assert "customer.profile_at" in fresh.missing
    assert "customer.profile_at" not in found.missing


def test_a_renewal_that_has_passed_fades() -> None:
    def renewal(day: date) -> float:
        customer = CustomerSnapshot(renewal_date=day)
        found = assess(SeverityInputs(lowest=-1, end=-1, customer=customer, today=TODAY), POLICY)
        return points(found).get("renewal", 0.0)

    assert renewal(TODAY) > renewal(date(2026, 11, 15)) > renewal(date(2026, 10, 1)) == 0


def test_safety_lifts_to_p1_even_when_said_calmly() -> None:
    found = assess(SeverityInputs(lowest=0.0, end=0.0, cues=(cue("safety"),)), POLICY)
    assert found.band == "P1"
    assert "safety" in because(found, "floor")


def test_a_floor_rises_with_the_probability() -> None:
    floors = [
        assess(SeverityInputs(lowest=1.0, end=1.0, cues=(cue("safety", p / 100),)), POLICY).score
        for p in range(101)
    ]
    assert max(b - a for a, b in pairwise(floors)) <= 2.5
    assert floors[0] == 0
    assert floors[70] > POLICY.floors["safety"].most


def test_high_sums_are_bent_to_end_at_100() -> None:
    every = tuple(cue(name, 1.0) for name in POLICY.cues)
    found = assess(SeverityInputs(lowest=-1, end=-1, cues=every, metric=nps(0)), POLICY)
    assert 95 < found.score <= 100
    assert points(found)["cap"] < 0


def test_of_two_with_the_same_grave_cue_the_worse_is_above() -> None:
    calm = SeverityInputs(lowest=0.0, end=0.0, cues=(cue("safety"),), today=TODAY)
    strategic = SeverityInputs(lowest=0.0, end=0.0, cues=(cue("safety"),), today=TODAY, customer=STRATEGIC)
    assert assess(strategic, POLICY).score > assess(calm, POLICY).score


def test_the_words_are_believed_where_they_contradict_the_answer() -> None:
    angry = assess(SeverityInputs(lowest=-0.8, end=-0.8, metric=nps(9)), POLICY)
    assert points(angry)["score_text_mismatch"] > 0
    assert "worse than the answer" in because(angry, "score_text_mismatch")
    pleased = assess(SeverityInputs(lowest=0.9, end=0.9, metric=nps(1)), POLICY)
    assert -points(pleased)["metric"] < points(pleased)["score_text_mismatch"] < 0
    agreed = assess(SeverityInputs(lowest=-0.8, end=-0.8, metric=nps(1)), POLICY)
    assert "score_text_mismatch" not in points(agreed)


def test_sarcastic_praise_counts_as_a_complaint() -> None:
    praise = SeverityInputs(lowest=0.9, end=0.9)
    found = assess(SeverityInputs(lowest=0.9, end=0.9, cues=(cue("sarcasm_suspected"),)), POLICY)
    assert found.score > assess(praise, POLICY).score + 10
    assert points(found)["praise_not_believed"] > 0
    open_anger = assess(SeverityInputs(lowest=-0.9, end=-0.9, cues=(cue("sarcasm_suspected"),)), POLICY)
    assert "praise_not_believed" not in points(open_anger)


def test_a_conversation_that_ended_well_counts_less_on_the_way() -> None:
    on_the_way: dict[str, Any] = {"lowest": -0.95, "cues": (cue("anger"),), "conversation": True}
    ended_well = assess(SeverityInputs(**on_the_way, end=0.9, resolution="resolved"), POLICY)
    not_told = assess(SeverityInputs(**on_the_way, end=0.9), POLICY)
    ended_badly = assess(SeverityInputs(**on_the_way, end=-0.9, resolution="unresolved"), POLICY)
    assert ended_well.score < not_told.score < ended_badly.score
    assert ended_well.band == "P4"
    assert points(ended_well)["recovery"] < points(not_told)["recovery"] < 0
    assert points(ended_badly)["resolution"] == POLICY.feeling.unresolved
    assert "resolution" in not_told.missing
    assert "resolution" not in ended_well.missing + ended_badly.missing


def test_mild_words_count_less_and_strong_ones_more() -> None:
    mild, plain, strong = (
        assess(SeverityInputs(lowest=-0.9, end=-0.9, intensity=i), POLICY) for i in (-1.0, 0.0, 1.0)
    )
    assert mild.score < plain.score < strong.score
    assert points(mild)["intensity"] < 0 < points(strong)["intensity"]
    assert "intensity" not in points(plain)


def test_of_equal_cues_the_earliest_is_shown() -> None:
    for order in ((1, 3), (3, 1)):
        [found] = surest(tuple(cue("anger", 0.8, turn) for turn in order)).values()
        assert found.turn == 1


def test_a_fall_is_measured_on_this_scale_only() -> None:
    known = CustomerSnapshot(history=CustomerHistory(last_scores=(9, 10, 80)))
    assert fall_below_usual(nps(2), known) == pytest.approx(0.75)
    assert fall_below_usual(nps(2), CustomerSnapshot()) is None
    assert fall_below_usual(nps(2), None) is None
    effort = Metric(kind="ces", value=6, min=1, max=7, direction="lower_is_better")
    usual = CustomerSnapshot(history=CustomerHistory(last_scores=(3,)))
    assert fall_below_usual(effort, usual) == pytest.approx(0.5)
    found = assess(SeverityInputs(silent=True, metric=nps(2), customer=known), POLICY)
    assert points(found)["metric_fall"] == POLICY.answer.fall_points


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"bands": {"p1": 40, "p2": 50, "p3": 20}}, "bands must fall"),
        ({"feeling": {"share": [[-1, 0], [1, 1]]}}, "lower sentiment is worse"),
        ({"feeling": {"played_down": 17}}, "mild words would praise"),
        ({"feeling": {"recovered": [[0, 1], [1, 0]]}}, "a better end"),
        ({"answer": {"share": [[0, 0], [1, 1]]}}, "answer.share"),
        ({"answer": {"fall": [[0, 1], [1, 0]]}}, "deeper fall"),
        ({"answer": {"doubted": [[0, 2], [1, 1]]}}, "within 0 and 1"),
        ({"record_counts": {"by_mood": [[0, 0], [1, 1]]}}, "by_mood must fall"),
        ({"standing_counts": {"by_hurt": [[0, 1], [1, 0]]}}, "by_hurt must rise"),
        ({"record": {"breaches": [[0, 5], [1, 1]]}}, "more is worse"),
        ({"floors": {"safety": [[0, 70], [1, 10]]}}, "must rise with the probability"),
        ({"renewal": [[0, 1], [30, 5]]}, "nearer is worse"),
        ({"renewal": [[-30, 9], [0, 5], [30, 1]]}, "none above those of day 0"),
        ({"renewal": [[5, 5], [30, 1]]}, "give the points at day 0"),
        ({"freshness": [[0, 0.5], [100, 1]]}, "older profile"),
        ({"lifetime_value": [[5, 1], [5, 2]]}, "must ascend"),
        ({"tiers": {"standard": 29, "key": 8, "strategic": 15}}, "must not fall"),
        ({"floors": {"safety": [[0, 0], [1, 95]]}}, "within 0 and 85"),
        ({"ceiling": [[0, 5], [100, 90]]}, "begin at"),
        ({"ceiling": [[0, 0], [50, 90]]}, "no more than the sum"),
        ({"ceiling": [[0, 0], [120, 120]]}, "100 at most"),
        ({"largest_step": 1}, "allow a step of"),
        ({"floors": {"safety": [[0.6, 0], [0.601, 80]]}}, "less steep"),
    ],
)
def test_a_policy_that_breaks_the_promise_is_refused(change: dict[str, Any], why: str) -> None:
    whole = POLICY.model_dump()
    for name, part in change.items():
        whole[name] = {**whole[name], **part} if isinstance(part, dict) else part
    with pytest.raises(ValidationError, match=why):
        SeverityPolicy.model_validate(whole)


@pytest.mark.parametrize(("field", "key"), [("tiers", "key"), ("record", "breaches")])
def test_a_policy_names_every_tier_and_count(field: str, key: str) -> None:
    whole = POLICY.model_dump()
    del whole[field][key]
    with pytest.raises(ValidationError, match=f"{field}: give points for"):
        SeverityPolicy.model_validate(whole)
