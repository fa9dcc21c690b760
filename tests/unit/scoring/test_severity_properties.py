"""Severity of any feedback: points add up, worse is never lower, a small change is a small step."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.support.scoring import POLICIES

from heardback_scoring.domain.severity import SeverityInputs, assess, band_of
from heardback_scoring.domain.severity_customer import fall_below_usual
from heardback_scoring.domain.severity_policy import RECORD, SMALL, SeverityPolicy
from heardback_shared.contracts.customer import CustomerHistory, CustomerSnapshot
from heardback_shared.contracts.feedback import Metric
from heardback_shared.contracts.score import Cue

POLICY = POLICIES.severity
TODAY = date(2026, 11, 22)
TIERS = (None, "standard", "key", "strategic")
RESOLUTIONS = ("resolved", "unknown", "unresolved")
TOUCHPOINTS = ("elsewhere", *sorted(POLICY.touchpoints, key=lambda name: POLICY.touchpoints[name]))
MANY = settings(max_examples=400)


def confirmed(days_ago: int) -> datetime:
    return datetime.combine(TODAY - timedelta(days=days_ago), time(12), UTC)


score = st.floats(-1, 1)
probability = st.floats(0, 1)
names = st.sampled_from(sorted({*POLICY.cues, "gratitude"}))
one_cue = st.builds(
    Cue, name=names, probability=probability, turn=st.integers(0, 5), by=st.sampled_from(["pattern", "model"])
)
cues = st.lists(one_cue, max_size=6).map(tuple)
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
    **{name: st.none() | st.integers(0, 8) for name in RECORD},
    last_scores=st.lists(st.floats(0, 11), max_size=4).map(tuple),
)
customers = st.builds(
    CustomerSnapshot,
    tier=st.sampled_from(TIERS),
    lifetime_value=st.none() | st.floats(0, 5e6),
    currency=st.none() | st.just("EUR"),
    renewal_date=st.none() | st.dates(date(2026, 9, 1), date(2028, 1, 1)),
    profile_at=st.none() | st.integers(-10, 2000).map(confirmed),
    history=history,
)
inputs = st.builds(
    SeverityInputs,
    lowest=st.none() | score,
    end=st.none() | score,
    silent=st.booleans(),
    intensity=score,
    wish=st.booleans(),
    consequence=st.booleans(),
    cues=cues,
    metric=st.none() | csat,
    customer=st.none() | customers,
    touchpoint=st.none() | st.sampled_from(["billing", "Cancellation", "elsewhere"]),
    conversation=st.booleans(),
    resolution=st.none() | st.sampled_from(RESOLUTIONS),
    today=st.none() | st.just(TODAY),
)


def changed(case: SeverityInputs, **fields: Any) -> SeverityInputs:
    known = {name: getattr(case, name) for name in SeverityInputs.__dataclass_fields__}
    return SeverityInputs(**{**known, **fields})


def with_customer(case: SeverityInputs, **fields: Any) -> SeverityInputs:
    customer = case.customer or CustomerSnapshot()
    return changed(case, customer=customer.model_copy(update=fields))


def with_history(case: SeverityInputs, **fields: Any) -> SeverityInputs:
    known = case.customer.history if case.customer else CustomerHistory()
    return with_customer(case, history=known.model_copy(update=fields))


def of(case: SeverityInputs) -> float:
    return assess(case, POLICY).score


def worse(before: SeverityInputs, after: SeverityInputs) -> None:
    assert of(after) >= of(before)


def near(one: SeverityInputs, other: SeverityInputs) -> None:
    assert abs(of(one) - of(other)) <= POLICY.largest_step


@MANY
@given(inputs)
def test_the_points_add_up_and_stay_in_range(case: SeverityInputs) -> None:
    found = assess(case, POLICY)
    assert sum(c.points for c in found.contributions) == found.score
    assert sum(c.points for c in reversed(found.contributions)) == found.score
    assert 0 <= found.score <= 100
    assert all(c.points and c.because.endswith(".") for c in found.contributions)
    factors = [c.factor for c in found.contributions]
    assert len(factors) == len(set(factors))
    assert found.band == band_of(found.score, POLICY)
    assert assess(case, POLICY) == found


@MANY
@given(inputs, score, score, st.sampled_from(["lowest", "end"]))
def test_worse_words_never_lower_it(case: SeverityInputs, one: float, other: float, which: str) -> None:
    worse(changed(case, **{which: max(one, other)}), changed(case, **{which: min(one, other)}))


@MANY
@given(inputs, score, score)
def test_words_that_are_worse_all_along_never_lower_it(
    case: SeverityInputs, one: float, other: float
) -> None:
    good, bad = max(one, other), min(one, other)
    worse(changed(case, lowest=good, end=good), changed(case, lowest=bad, end=bad))


@MANY
@given(inputs, score, score)
def test_stronger_words_never_lower_it(case: SeverityInputs, one: float, other: float) -> None:
    worse(changed(case, intensity=min(one, other)), changed(case, intensity=max(one, other)))


@MANY
@given(inputs)
def test_a_wish_never_lowers_it(case: SeverityInputs) -> None:
    worse(changed(case, wish=False), changed(case, wish=True))


@MANY
@given(inputs)
def test_a_consequence_never_lowers_it(case: SeverityInputs) -> None:
    worse(changed(case, consequence=False), changed(case, consequence=True))


@MANY
@given(inputs, st.sampled_from(RESOLUTIONS), st.sampled_from(RESOLUTIONS))
def test_a_worse_resolution_never_lowers_it(case: SeverityInputs, one: str, other: str) -> None:
    good, bad = sorted((one, other), key=RESOLUTIONS.index)
    worse(changed(case, resolution=good), changed(case, resolution=bad))


@MANY
@given(inputs, cues)
def test_more_cues_never_lower_it(case: SeverityInputs, more: tuple[Cue, ...]) -> None:
    worse(case, changed(case, cues=case.cues + more))


@MANY
@given(inputs, one_cue, probability)
def test_a_surer_cue_never_lowers_it(case: SeverityInputs, cue: Cue, other: float) -> None:
    less, more = sorted((cue.probability, other))
    unsure, sure = (cue.model_copy(update={"probability": p}) for p in (less, more))
    worse(changed(case, cues=(*case.cues, unsure)), changed(case, cues=(*case.cues, sure)))


@MANY
@given(inputs, csat, st.floats(1, 5))
def test_a_worse_answer_never_lowers_it(case: SeverityInputs, metric: Metric, value: float) -> None:
    other = metric.model_copy(update={"value": value})
    good, bad = sorted((metric, other), key=lambda m: -m.share_of_best)
    worse(changed(case, metric=good), changed(case, metric=bad))


@MANY
@given(inputs, csat, st.floats(1, 5), st.floats(1, 5))
def test_a_deeper_fall_never_lowers_it(
    case: SeverityInputs, metric: Metric, one: float, other: float
) -> None:
    before = [with_history(changed(case, metric=metric), last_scores=(usual,)) for usual in (one, other)]
    before.sort(key=lambda i: fall_below_usual(metric, i.customer) or 0.0)
    worse(before[0], before[1])


@MANY
@given(inputs, st.sampled_from(TIERS), st.sampled_from(TIERS))
def test_a_higher_tier_never_lowers_it(case: SeverityInputs, one: str | None, other: str | None) -> None:
    low, high = sorted((one, other), key=TIERS.index)
    worse(with_customer(case, tier=low), with_customer(case, tier=high))


@MANY
@given(inputs, st.floats(0, 5e6), st.floats(0, 5e6))
def test_more_value_never_lowers_it(case: SeverityInputs, one: float, other: float) -> None:
    low, high = sorted((one, other))
    worse(with_customer(case, lifetime_value=low), with_customer(case, lifetime_value=high))


@MANY
@given(inputs, st.integers(0, 400), st.integers(0, 400))
def test_a_nearer_renewal_never_lowers_it(case: SeverityInputs, one: int, other: int) -> None:
    near_by, far = sorted((one, other))
    at_near, at_far = (
        with_customer(changed(case, today=TODAY), renewal_date=TODAY + timedelta(days=days))
        for days in (near_by, far)
    )
    worse(at_far, at_near)


@MANY
@given(inputs, st.integers(-10, 2000), st.integers(-10, 2000))
def test_a_fresher_profile_never_lowers_it(case: SeverityInputs, one: int, other: int) -> None:
    fresh, stale = sorted((one, other))
    worse(with_customer(case, profile_at=confirmed(stale)), with_customer(case, profile_at=confirmed(fresh)))


@MANY
@given(inputs, st.sampled_from(RECORD), st.integers(0, 9), st.integers(0, 9))
def test_larger_counts_never_lower_it(case: SeverityInputs, name: str, one: int, other: int) -> None:
    few, many = sorted((one, other))
    worse(with_history(case, **{name: few}), with_history(case, **{name: many}))


@MANY
@given(inputs, st.sampled_from(TOUCHPOINTS), st.sampled_from(TOUCHPOINTS))
def test_a_graver_touchpoint_never_lowers_it(case: SeverityInputs, one: str, other: str) -> None:
    low, high = sorted((one, other), key=TOUCHPOINTS.index)
    worse(changed(case, touchpoint=low), changed(case, touchpoint=high))


@MANY
@given(inputs, score, st.floats(0, SMALL))
def test_slightly_worse_words_are_a_small_step(case: SeverityInputs, mood: float, change: float) -> None:
    for names_changed in (("lowest",), ("end",), ("lowest", "end"), ("intensity",)):
        other = max(-1.0, mood - change)
        before = changed(case, **dict.fromkeys(names_changed, mood))
        near(before, changed(case, **dict.fromkeys(names_changed, other)))


@MANY
@given(inputs, one_cue, st.floats(0, SMALL))
def test_a_slightly_surer_cue_is_a_small_step(case: SeverityInputs, cue: Cue, change: float) -> None:
    surer = cue.model_copy(update={"probability": min(1.0, cue.probability + change)})
    near(changed(case, cues=(*case.cues, cue)), changed(case, cues=(*case.cues, surer)))


@MANY
@given(inputs, csat, st.floats(0, SMALL))
def test_a_slightly_worse_answer_is_a_small_step(case: SeverityInputs, metric: Metric, change: float) -> None:
    lower = max(metric.min, metric.value - change * (metric.max - metric.min))
    other = metric.model_copy(update={"value": lower})
    near(changed(case, metric=metric), changed(case, metric=other))


@MANY
@given(inputs, st.floats(0, 5e6), st.floats(0, SMALL))
def test_a_little_more_value_is_a_small_step(case: SeverityInputs, value: float, change: float) -> None:
    near(with_customer(case, lifetime_value=value), with_customer(case, lifetime_value=value * (1 + change)))


@MANY
@given(inputs, st.integers(-60, 400), st.integers(-10, 2000))
def test_one_day_is_a_small_step(case: SeverityInputs, to_renewal: int, age: int) -> None:
    customer = {"renewal_date": TODAY + timedelta(days=to_renewal), "profile_at": confirmed(age)}
    today = with_customer(changed(case, today=TODAY), **customer)
    near(today, changed(today, today=TODAY + timedelta(days=1)))
    near(today, with_customer(today, profile_at=confirmed(age + 1)))


@MANY
@given(inputs, st.randoms(use_true_random=False))
def test_what_does_not_matter_changes_nothing(case: SeverityInputs, random: Any) -> None:
    shuffled = list(case.cues)
    random.shuffle(shuffled)
    other = changed(case, cues=tuple(shuffled))
    if case.customer is not None:
        irrelevant = {
            "id": "c-7",
            "segment": "retail",
            "region": "EU",
            "language": "en",
            "time_zone": "Europe/Lisbon",
            "owner": "ann",
            "since": date(2001, 1, 1),
            "taken_at": confirmed(0),
        }
        other = with_customer(other, **irrelevant)
    assert assess(other, _shuffled(random)) == assess(case, POLICY)


def _shuffled(random: Any) -> SeverityPolicy:
    """The same policy with the keys of every mapping in another order."""

    def turned(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        keys = list(value)
        random.shuffle(keys)
        return {key: turned(value[key]) for key in keys}

    return SeverityPolicy.model_validate(turned(POLICY.model_dump()))


@MANY
@given(inputs, st.sampled_from(["tier", "lifetime_value", "renewal_date", "profile_at"]))
def test_what_is_not_known_of_a_customer_counts_nothing_and_is_named(case: SeverityInputs, name: str) -> None:
    assume(case.customer is not None)
    found = assess(with_customer(case, **{name: None}), POLICY)
    assert f"customer.{name}" in found.missing
    assert {"tier": "tier", "lifetime_value": "lifetime_value", "renewal_date": "renewal"}.get(name) not in {
        c.factor for c in found.contributions
    }


@MANY
@given(inputs, st.sampled_from(RECORD))
def test_a_count_that_is_not_known_is_as_zero_and_is_named(case: SeverityInputs, name: str) -> None:
    unknown = assess(with_history(case, **{name: None}), POLICY)
    zero = assess(with_history(case, **{name: 0}), POLICY)
    assert (unknown.score, unknown.contributions) == (zero.score, zero.contributions)
    assert f"customer.history.{name}" in unknown.missing
    assert f"customer.history.{name}" not in zero.missing


@MANY
@given(inputs)
def test_a_whole_customer_that_is_not_known_counts_nothing(case: SeverityInputs) -> None:
    found = assess(changed(case, customer=None), POLICY)
    nobody = assess(changed(case, customer=CustomerSnapshot()), POLICY)
    assert (found.score, found.contributions) == (nobody.score, nobody.contributions)
    assert "customer" in found.missing
