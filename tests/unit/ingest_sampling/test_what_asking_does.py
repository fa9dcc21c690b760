"""Arms by lot, exposure, and an effect that is estimated only where lots were drawn."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.asking_truth import Truth, asked
from tests.support.clock import NOON

from heardback_ingest.domain.sampling.arms import Experiment, drawn
from heardback_ingest.domain.sampling.exposure import Ask, Asks, columns
from heardback_ingest.domain.sampling.fatigue import Effect, Refused, estimate
from heardback_ingest.domain.sampling.monitors import monitors
from heardback_ingest.domain.sampling.shares import wilson
from heardback_ingest.domain.sampling.suggesting import Bearable, checked, suggest

GAPS = (30, 60, 90)
EXPERIMENT = Experiment("fx_1", GAPS, 0.10)


def seen(truth: Truth, customers: int, seed: int, gaps: tuple[int, ...] = GAPS) -> Asks:
    return asked(truth, customers, gaps, np.random.default_rng(seed))


def joined(drawn_: Asks, others: Asks) -> Asks:
    """Customers of both, those of `others` outside of the experiment."""
    shifted = others.customer + drawn_.customer.max() + 1
    columns_ = {
        name: np.concatenate([getattr(drawn_, name), getattr(others, name)]) for name in Asks.__slots__
    }
    columns_["customer"] = np.concatenate([drawn_.customer, shifted])
    columns_["gap"] = np.concatenate([drawn_.gap, np.zeros(len(others), np.int64)])
    return Asks(**columns_)


def test_lots_are_even_and_stay() -> None:
    lots = [drawn(EXPERIMENT, "default", f"p-{n}") for n in range(30_000)]
    assert lots == [drawn(EXPERIMENT, "default", f"p-{n}") for n in range(30_000)]
    counts = Counter(lots)
    assert set(counts) == {None, 30, 60, 90}
    assert all(900 < counts[gap] < 1_100 for gap in GAPS)
    other = [drawn(Experiment("fx_2"), "default", f"p-{n}") for n in range(30_000)]
    both = sum(one is not None and two is not None for one, two in zip(lots, other, strict=True))
    assert 230 < both < 370  # a tenth of a tenth


@given(st.lists(st.floats(0, 400), min_size=1, max_size=12))
def test_exposure_is_the_faded_sum_of_earlier_asks(days: list[float]) -> None:
    days = sorted(days)
    found = columns(Ask("p", NOON + timedelta(days=day), None, False) for day in reversed(days))
    expected = [
        sum(2 ** (-(day - earlier) / 45) for earlier in days[:place]) for place, day in enumerate(days)
    ]
    assert found.exposure == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_one_customers_asks_expose_no_other() -> None:
    found = columns([Ask("a", NOON, None, True), Ask("b", NOON + timedelta(days=1), 30, False)])
    assert found.exposure.tolist() == [0.0, 0.0]
    assert found.gap.tolist() == [0, 30]


@given(st.integers(0, 200), st.integers(0, 200))
def test_shares_are_shown_from_thirty_on_and_lie_in_their_interval(count: int, more: int) -> None:
    found = wilson(count, count + more)
    if count + more < 30:
        assert found.share is None
    else:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= count / (count + more) <= found.high <= 1


def test_without_lots_nothing_is_said_of_what_asking_does() -> None:
    chosen = asked(Truth(), 4_000, GAPS, np.random.default_rng(1), drawn=False)
    refused = estimate(chosen)
    assert isinstance(refused, Refused)
    assert refused.code == "not_randomised"
    by_lot, others = monitors(chosen)
    assert (others.label, sum(band.asks for band in others.bands)) == ("not randomised", len(chosen))
    assert sum(band.asks for band in by_lot.bands) == 0
    # What the refusal spares: those asked most seem to answer most, though every ask takes something off.
    shares = [band.answered.share for band in others.bands if band.answered.share is not None]
    assert shares[-1] > shares[0]


def test_too_few_and_arms_asked_alike_are_refused() -> None:
    few = estimate(seen(Truth(), 240, 2))
    assert isinstance(few, Refused)
    assert few.code == "too_few"
    alike = estimate(seen(Truth(), 6_000, 3, gaps=(89, 90)))
    assert isinstance(alike, Refused)
    assert alike.code == "not_apart"


def test_the_fall_has_bounds_around_it() -> None:
    effect = estimate(seen(Truth(per_ask=-0.4, visits=50), 6_000, 4))
    assert isinstance(effect, Effect)
    assert effect.verdict == "falls"
    assert effect.fall(0.0)[0] == 0
    estimate_, low, high = effect.fall(1.5)
    assert 0 < low < estimate_ < high < 1


def test_a_cap_is_suggested_only_where_what_is_asked_now_is_known_to_be_too_much() -> None:
    truth = Truth(per_ask=-0.5, visits=50)
    arms = seen(truth, 9_000, 5)
    effect = estimate(arms)
    assert isinstance(effect, Effect)
    weekly = joined(arms, seen(truth, 3_000, 6, gaps=(7,)))
    found = suggest(effect, weekly, truth.days, Bearable(fall=0.4, opt_outs=0.10))
    assert found.code == "longer_gap"
    assert found.gap in GAPS
    assert found.now is not None
    assert (found.now.bearing, found.now.beyond) == ("too_much", True)
    best = next(one for one in found.tried if one.gap == found.gap)
    assert best.bearing == "bearable"
    assert best.fall_high <= 0.4
    assert f"{found.gap} days" in found.because
    seldom = joined(arms, seen(truth, 3_000, 6, gaps=(90,)))
    assert suggest(effect, seldom, truth.days, Bearable(fall=0.4, opt_outs=0.10)).code == "bearable"
    none = suggest(effect, weekly, truth.days, Bearable(fall=0.001, opt_outs=0.001))
    assert (none.gap, none.code) == (None, "no_bearable_gap")


def test_with_little_data_it_cannot_be_told() -> None:
    arms = seen(Truth(), 600, 7)
    effect = estimate(arms)
    assert isinstance(effect, Effect)
    assert effect.smallest_seen > 0.15
    found = suggest(effect, joined(arms, seen(Truth(), 3_000, 8, gaps=(7,))), 365, Bearable(opt_outs=0.5))
    assert (found.gap, found.code) == (None, "cannot_tell")


def test_whether_a_cap_helped_is_seen_against_the_arms_that_kept_their_distance() -> None:
    truth = Truth(per_ask=-0.6, visits=50, days=180)
    arms, before, after = seen(truth, 6_000, 9), seen(truth, 6_000, 10, gaps=(7,)), seen(truth, 6_000, 11)
    moved = Asks(**{**{n: getattr(after, n) for n in Asks.__slots__}, "day": after.day + 180})
    late = Asks(**{**{n: getattr(arms, n) for n in Asks.__slots__}, "day": arms.day + 180})
    helped = joined(_both(arms, late), _both(before, moved))
    assert checked(helped, 180.0).verdict == "better"
    same = joined(_both(arms, late), _both(arms, late))
    assert checked(same, 180.0).verdict == "not_seen"
    assert checked(arms, 90.0).verdict == "cannot_tell"


def _both(one: Asks, other: Asks) -> Asks:
    return Asks(**{n: np.concatenate([getattr(one, n), getattr(other, n)]) for n in Asks.__slots__})
