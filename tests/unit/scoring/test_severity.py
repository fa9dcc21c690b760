"""Severity: the points add up, stay within 0 to 100, and a worse input never lowers the score."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.support.scoring import POLICIES, nps

from heardback_scoring.domain.severity import SeverityInputs, assess, fall_below_usual
from heardback_scoring.domain.severity_policy import SeverityPolicy
from heardback_shared.contracts.customer import CustomerHistory, CustomerSnapshot
from heardback_shared.contracts.feedback import Metric
from heardback_shared.contracts.score import Cue, Severity

POLICY = POLICIES.severity
TODAY = date(2026, 11, 22)
TIERS = ("standard", "key", "strategic")
COUNTS = ("contacts_30d", "open_items", "transfers", "broken_promises")

score = st.floats(-1, 1)
names = st.sampled_from(sorted({*POLICY.cues, "gratitude"}))
cues = st.lists(
    st.builds(Cue, name=names, probability=st.floats(0, 1), turn=st.just(0), by=st.just("pattern")),
    max_size=6,
).map(tuple)
csat = st.builds(
    Metric,
    kind=st.just("csat"),
    value=st.floats(1, 5),
    min=st.just(1.0),
    max=st.just(5.0),
    direction=st.sampled_from(["higher_is_better", "lower_is_better"]),
)
history = st.builds(
    CustomerHistory,
    **{name: st.none() | st.integers(0, 8) for name in COUNTS},
    last_scores=st.lists(st.floats(0, 11), max_size=4).map(tuple),
)
customers = st.builds(
    CustomerSnapshot,
    tier=st.none() | st.sampled_from(TIERS),
    lifetime_value=st.none() | st.floats(0, 5e6),
    renewal_date=st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1)),
    history=history,
)
inputs = st.builds(
    SeverityInputs,
    lowest=st.none() | score,
    end=st.none() | score,
    silent=st.booleans(),
    mismatch=st.booleans(),
    cues=cues,
    metric=st.none() | csat,
    customer=st.none() | customers,
    touchpoint=st.none() | st.sampled_from(["billing", "Cancellation", "elsewhere"]),
    today=st.none() | st.just(TODAY),
)


def changed(given_inputs: SeverityInputs, **fields: Any) -> SeverityInputs:
    known = {name: getattr(given_inputs, name) for name in SeverityInputs.__dataclass_fields__}
    return SeverityInputs(**{**known, **fields})


def with_customer(given_inputs: SeverityInputs, **fields: Any) -> SeverityInputs:
    customer = given_inputs.customer or CustomerSnapshot()
    return changed(given_inputs, customer=customer.model_copy(update=fields))


def worse(before: SeverityInputs, after: SeverityInputs) -> None:
    assert assess(after, POLICY).score >= assess(before, POLICY).score


@given(inputs)
def test_the_points_add_up_and_stay_in_range(case: SeverityInputs) -> None:
    found = assess(case, POLICY)
    assert sum(c.points for c in found.contributions) == found.score
    assert 0 <= found.score <= 100
    assert all(c.because.endswith(".") for c in found.contributions)
    factors = [c.factor for c in found.contributions]
    assert len(factors) == len(set(factors))
    assert assess(case, POLICY) == found


@given(inputs, score, score, st.sampled_from(["lowest", "end"]))
def test_worse_words_never_lower_it(case: SeverityInputs, one: float, other: float, which: str) -> None:
    worse(changed(case, **{which: max(one, other)}), changed(case, **{which: min(one, other)}))


@given(inputs, cues)
def test_more_cues_never_lower_it(case: SeverityInputs, more: tuple[Cue, ...]) -> None:
    worse(case, changed(case, cues=case.cues + more))


@given(inputs, csat, st.floats(1, 5))
def test_a_worse_answer_never_lowers_it(case: SeverityInputs, metric: Metric, value: float) -> None:
    other = metric.model_copy(update={"value": value})
    good, bad = sorted((metric, other), key=lambda m: -m.share_of_best)
    worse(changed(case, metric=good), changed(case, metric=bad))


@given(inputs, csat, st.floats(1, 5), st.floats(1, 5))
def test_a_deeper_fall_never_lowers_it(
    case: SeverityInputs, metric: Metric, one: float, other: float
) -> None:
    before = [
        with_customer(changed(case, metric=metric), history=CustomerHistory(last_scores=(usual,)))
        for usual in (one, other)
    ]
    before.sort(key=lambda i: fall_below_usual(metric, i.customer) or 0.0)
    worse(before[0], before[1])


@given(inputs, st.sampled_from(TIERS), st.sampled_from(TIERS))
def test_a_higher_tier_never_lowers_it(case: SeverityInputs, one: str, other: str) -> None:
    low, high = sorted((one, other), key=TIERS.index)
    worse(with_customer(case, tier=low), with_customer(case, tier=high))


@given(inputs, st.floats(0, 5e6), st.floats(0, 5e6))
def test_more_value_never_lowers_it(case: SeverityInputs, one: float, other: float) -> None:
    low, high = sorted((one, other))
    worse(with_customer(case, lifetime_value=low), with_customer(case, lifetime_value=high))


@given(inputs, st.integers(0, 400), st.integers(0, 400))
def test_a_nearer_renewal_never_lowers_it(case: SeverityInputs, one: int, other: int) -> None:
    near, far = sorted((one, other))
    at_near, at_far = (
        with_customer(changed(case, today=TODAY), renewal_date=TODAY + timedelta(days=days))
        for days in (near, far)
    )
    worse(at_far, at_near)


@given(inputs, st.sampled_from(COUNTS), st.integers(0, 9), st.integers(0, 9))
def test_larger_counts_never_lower_it(case: SeverityInputs, name: str, one: int, other: int) -> None:
    few, many = sorted((one, other))
    known = case.customer.history if case.customer else CustomerHistory()
    at_few, at_many = (
        with_customer(case, history=known.model_copy(update={name: count})) for count in (few, many)
    )
    worse(at_few, at_many)


def cue(name: str, probability: float = 0.85) -> Cue:
    return Cue(name=name, probability=probability, turn=0, span=(0, 1), by="pattern")


STRATEGIC = CustomerSnapshot(
    tier="strategic", lifetime_value=120_000, currency="EUR", renewal_date=date(2026, 12, 20)
)


def factors(found: Severity) -> dict[str, float]:
    return {c.factor: c.points for c in found.contributions}


def test_a_furious_strategic_customer_who_wants_to_leave_before_renewal_is_p1() -> None:
    case = SeverityInputs(
        lowest=-0.95,
        end=-0.95,
        cues=(cue("wants_to_leave"), cue("anger")),
        customer=STRATEGIC,
        today=TODAY,
    )
    found = assess(case, POLICY)
    assert found.band == "P1"
    assert {"wants_to_leave", "tier", "renewal", "sentiment_lowest", "lifetime_value"} <= set(factors(found))
    assert "28 days" in next(c.because for c in found.contributions if c.factor == "renewal")


def test_a_delighted_promoter_is_zero_whoever_it_is() -> None:
    found = assess(
        SeverityInputs(
            lowest=0.95, end=0.95, cues=(cue("gratitude"),), metric=nps(10), customer=STRATEGIC, today=TODAY
        ),
        POLICY,
    )
    assert (found.score, found.band, found.contributions) == (0.0, "P4", ())


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
    assert factors(found)["tier"] == round(POLICY.tiers["strategic"] / 2)
    assert {"text", "metric", "touchpoint", "customer.history.transfers"} <= set(found.missing)
    assert assess(SeverityInputs(), POLICY).missing == ("text", "metric", "touchpoint", "customer")


def test_without_a_day_a_renewal_date_counts_nothing_and_is_reported() -> None:
    found = assess(SeverityInputs(lowest=-0.9, end=-0.9, customer=STRATEGIC), POLICY)
    assert "renewal" not in factors(found)
    assert "at" in found.missing


def test_safety_lifts_to_p1_even_when_said_calmly() -> None:
    found = assess(SeverityInputs(lowest=0.0, end=0.0, cues=(cue("safety"),)), POLICY)
    assert found.band == "P1"
    assert factors(found)["floor"] == POLICY.floors["safety"] - round(POLICY.cues["safety"].points * 0.85)


def test_what_exceeds_100_is_taken_off_by_the_cap() -> None:
    every = tuple(cue(name, 1.0) for name in POLICY.cues)
    found = assess(SeverityInputs(lowest=-1, end=-1, cues=every, metric=nps(0)), POLICY)
    assert found.score == 100
    assert factors(found)["cap"] < 0


def test_a_mismatch_is_flagged_and_takes_nothing_off() -> None:
    plain = SeverityInputs(lowest=-0.8, end=-0.8, metric=nps(9))
    flagged = assess(changed(plain, mismatch=True), POLICY)
    assert factors(flagged)["score_text_mismatch"] == 0
    assert flagged.score == assess(plain, POLICY).score > 0


def test_a_fall_is_measured_on_this_scale_only() -> None:
    known = CustomerSnapshot(history=CustomerHistory(last_scores=(9, 10, 80)))
    assert fall_below_usual(nps(2), known) == pytest.approx(0.75)
    assert fall_below_usual(nps(2), CustomerSnapshot()) is None
    assert fall_below_usual(nps(2), None) is None
    effort = Metric(kind="ces", value=6, min=1, max=7, direction="lower_is_better")
    usual = CustomerSnapshot(history=CustomerHistory(last_scores=(3,)))
    assert fall_below_usual(effort, usual) == pytest.approx(0.5)
    found = assess(SeverityInputs(silent=True, metric=nps(2), customer=known), POLICY)
    assert factors(found)["metric_fall"] == POLICY.fall_points


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"bands": {"p1": 40, "p2": 50, "p3": 20}}, "bands must fall"),
        ({"sentiment": {"sentiment_end": 3}}, "sentiment_lowest"),
        ({"sentiment_shape": {"none_at": -0.9, "full_at": -0.1}}, "lower is worse"),
        ({"fall_shape": {"none_at": 0.6, "full_at": 0.1}}, "deeper fall"),
        ({"fall_shape": {"none_at": 0.1, "full_at": 0.1}}, "must differ"),
        ({"tiers": {"standard": 9, "key": 8, "strategic": 15}}, "must not fall"),
        ({"tiers": {"key": 8}}, "give points for"),
    ],
)
def test_a_policy_that_breaks_the_promise_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SeverityPolicy.model_validate({**POLICY.model_dump(), **change})
