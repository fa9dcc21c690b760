"""Against customers whose rates are known. `tests.load.sampling_truth` does the same in full size."""

import numpy as np
import pytest
from tests.support.asking_truth import Truth, asked, tried

from heardback_ingest.domain.sampling.fatigue import Effect, estimate
from heardback_ingest.domain.sampling.plan import size
from heardback_ingest.domain.sampling.precision import Target
from heardback_ingest.domain.sampling.response import Rate

RUNS = 1_500


@pytest.mark.parametrize("kappa", [40.0, 200.0, 1_000.0])
@pytest.mark.parametrize(("population", "expected"), [(2_000, 0.40), (50_000, 0.15)])
def test_nine_of_ten_plans_reach_their_target_and_waves_send_less(
    kappa: float, population: int, expected: float
) -> None:
    plan = size(Target(0.05), population, Rate(expected, kappa))
    assert plan.reachable
    found = tried(plan, RUNS, np.random.default_rng([int(kappa), population]))
    error = 3 * (0.09 / RUNS) ** 0.5
    assert 0.90 - error < found.one_shot < 0.90 + error
    assert 0.90 - error < found.waves < 0.90 + error
    assert 0.40 < found.naive < 0.60
    # With a rate that is known well, hardly anything is to spare: never far above what is possible at all.
    assert found.sent <= max(0.85, found.least_sent + 0.06)


def test_what_cannot_be_reached_is_always_flagged() -> None:
    for population in (200, 800):
        for kappa in (40.0, 200.0, 1_000.0):
            plan = size(Target(0.05, 0.95), population, Rate(0.15, kappa))
            assert (plan.reachable, plan.invites) == (False, population)


def test_the_slope_is_each_customers_own_however_much_they_differ() -> None:
    """The share of people who differ as much as these moves by two thirds of what each of them does."""
    truth, random = Truth(active=2.0, seen=0.0, visits=50.0), np.random.default_rng(11)
    found = [estimate(asked(truth, 12_000, (30, 60, 90), random)) for _ in range(10)]
    effects = [effect for effect in found if isinstance(effect, Effect)]
    assert len(effects) == 10
    assert abs(np.mean([effect.slope for effect in effects]) / truth.per_ask - 1) < 0.20
    assert np.mean([effect.kept * effect.slope for effect in effects]) / truth.per_ask < 0.78


def test_the_effect_of_asking_is_found_through_the_activity_that_hides_it() -> None:
    """40 tenants whose arms hold 6,000 customers each; the active come by more often and answer more."""
    truth, random = Truth(), np.random.default_rng(7)
    slopes, covered, plain = [], 0, []
    for _ in range(40):
        asks = asked(truth, 6_000, (30, 60, 90), random)
        effect = estimate(asks)
        assert isinstance(effect, Effect)
        slopes.append(effect.slope)
        covered += effect.low <= truth.per_ask <= effect.high
        many = asks.exposure > np.median(asks.exposure)
        plain.append(asks.answered[many].mean() - asks.answered[~many].mean())
    assert abs(np.mean(slopes) / truth.per_ask - 1) < 0.20
    assert covered >= 34  # 0.93 of 40 is 37; fewer than 34 come by chance once in a hundred
    assert np.mean(plain) > 0  # read without care, asking more would seem to help
