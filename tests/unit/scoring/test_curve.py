"""Curves: through their knots, level outside, never past the knots beside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from heardback_scoring.domain.curve import Curve

amount = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
curves = st.lists(st.tuples(amount, amount), min_size=1, max_size=6, unique_by=lambda knot: knot[0]).map(
    lambda knots: Curve(tuple(sorted(knots)))
)


@given(curves)
def test_a_curve_goes_through_its_knots_and_is_level_outside(curve: Curve) -> None:
    for at, value in curve.root:
        assert curve.at(at) == value
    assert curve.at(-1e9) == curve.root[0][1]
    assert curve.at(1e9) == curve.root[-1][1]


@given(curves, amount, amount)
def test_order_is_kept_and_no_slope_is_steeper_than_said(curve: Curve, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if curve.rises:
        assert curve.at(low) <= curve.at(high)
    if curve.falls:
        assert curve.at(low) >= curve.at(high)
    step = abs(curve.at(high) - curve.at(low))
    assert step <= curve.steepest * (high - low) * (1 + 1e-9) + 1e-6
    assert min(curve.values) <= curve.at(one) <= curve.most


@given(curves, st.floats(0.001, 1e6), st.floats(0, 0.01))
def test_relative_steepness_bounds_a_relative_change(curve: Curve, value: float, share: float) -> None:
    step = abs(curve.at(value * (1 + share)) - curve.at(value))
    assert step <= curve.steepest_relative * share * (1 + 1e-6) + 1e-6


def test_knots_ascend() -> None:
    with pytest.raises(ValidationError, match="must ascend"):
        Curve(((1.0, 0.0), (1.0, 2.0)))
    with pytest.raises(ValidationError):
        Curve(())
