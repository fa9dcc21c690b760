"""Answers for a precision, invites for answers, and waves: properties and published figures."""

from math import ceil
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from heardback_ingest.domain.sampling.plan import size
from heardback_ingest.domain.sampling.precision import Target, answers_needed, half_width
from heardback_ingest.domain.sampling.response import (
    LEAST_KAPPA,
    MOST_KAPPA,
    Past,
    Rate,
    answers_assured,
    chance,
    integrated,
    invites_for,
    learned,
    summed,
)
from heardback_ingest.domain.sampling.waves import SHARES, next_wave

targets = st.builds(Target, st.floats(0.01, 0.4), st.floats(0.5, 0.995), st.floats(0.02, 0.98))
populations = st.integers(1, 50_000)
rates = st.builds(Rate, st.floats(0.01, 0.95), st.floats(2, 2_000))


def test_a_target_out_of_reach_gives_what_asking_everybody_does() -> None:
    """260 answers would be needed; 15 % of 800 are 120, which is ±8.25 points."""
    found = size(Target(0.05, 0.95), 800, Rate(0.15, 1_000))
    assert (found.answers, found.invites, found.reachable) == (260, 800, False)
    assert found.expected.answers == 120
    assert found.expected.half_width == pytest.approx(0.0825, abs=0.0001)


@pytest.mark.parametrize(("kappa", "invites"), [(40, 1_217), (200, 865), (1_000, 776)])
def test_the_less_a_rate_is_known_the_more_are_asked(kappa: float, invites: int) -> None:
    """For 100 answers at 15 %; 100 ÷ 0.15 = 667 would succeed half the time."""
    assert invites_for(100, Rate(0.15, kappa), 1_000_000, 0.90) == invites


@given(targets, populations)
def test_answers_are_the_fewest_that_reach_the_target(target: Target, population: int) -> None:
    needed = answers_needed(target, population)
    assert 1 <= needed <= population
    assert half_width(target, population, needed) <= target.half_width + 1e-9
    assert needed == 1 or half_width(target, population, needed - 1) > target.half_width - 1e-9


@given(targets, populations, st.data())
def test_more_answers_never_know_less(target: Target, population: int, data: st.DataObject) -> None:
    fewer = data.draw(st.integers(0, population))
    more = data.draw(st.integers(fewer, population))
    assert half_width(target, population, more) <= half_width(target, population, fewer)


@given(st.integers(0, 300), st.integers(0, 2_000), rates)
def test_the_chance_is_that_of_the_beta_binomial(answers: int, invites: int, rate: Rate) -> None:
    assert chance(answers, invites, rate) == pytest.approx(
        float(betabinom.sf(answers - 1, invites, rate.a, rate.b)), abs=1e-7
    )


@given(st.integers(1, 400), rates, st.integers(1, 20_000), st.floats(0.5, 0.99))
@settings(deadline=None)
def test_invites_are_the_fewest_with_assurance(answers: int, rate: Rate, most: int, assurance: float) -> None:
    found = invites_for(answers, rate, most, assurance)
    if found is None:
        assert chance(answers, most, rate) < assurance
    else:
        assert chance(answers, found, rate) >= assurance
        assert chance(answers, found - 1, rate) < assurance
        assert answers_assured(found, rate, assurance) >= answers


@given(targets, populations, rates)
@settings(deadline=None)
def test_a_plan_says_what_it_reaches_or_that_it_does_not(target: Target, population: int, rate: Rate) -> None:
    found = size(target, population, rate)
    assert 1 <= found.invites <= population
    if found.reachable:
        assert found.assured.answers >= found.answers
        assert found.assured.half_width <= target.half_width + 1e-9
    else:
        assert found.invites == population
        assert found.assured.answers < found.answers


@given(rates, st.floats(0, 1_000))
def test_a_rate_fades_and_keeps_its_expectation(rate: Rate, days: float) -> None:
    aged = rate.aged(days)
    assert aged.expected == rate.expected
    assert min(rate.kappa, LEAST_KAPPA) <= aged.kappa <= rate.kappa
    assert Rate(0.2, 400).aged(90).kappa == pytest.approx(200)


@given(st.lists(st.tuples(st.floats(0, 400), st.integers(0, 50_000), st.floats(0, 1)), max_size=6))
def test_what_was_seen_moves_a_rate_but_never_past_what_another_survey_may_differ(
    seen: list[tuple[float, int, float]],
) -> None:
    past = [Past(days, asked, int(asked * share)) for days, asked, share in seen]
    found = learned(Rate(0.15, 40), past)
    assert 40 <= found.kappa <= MOST_KAPPA
    assert 0 < found.expected < 1
    assert learned(Rate(0.15, 40), past[::-1]).expected == pytest.approx(found.expected)


def test_old_news_weighs_less_than_new() -> None:
    new, old = (learned(Rate(0.15, 40), [Past(days, 100, 60)]).expected for days in (0, 180))
    assert 0.15 < old < new


@given(st.integers(1, 300), rates, st.data())
@settings(deadline=None)
def test_waves_never_send_more_than_the_plan_and_stop_when_there_is_enough(
    answers: int, rate: Rate, data: st.DataObject
) -> None:
    invites = invites_for(answers, rate, 20_000, 0.90)
    if invites is None:
        return
    sent = answered = done = 0
    while True:
        wave = next_wave(done, sent, answered, invites, answers, rate)
        if wave.invites == 0:
            break
        assert answered < answers
        sent, done = sent + wave.invites, done + 1
        assert sent <= invites
        answered += data.draw(st.integers(0, wave.invites))
    assert wave.why == ("reached" if answered >= answers else "all_sent")
    assert wave.why == "reached" or sent == invites or done > len(SHARES)


@pytest.mark.parametrize(
    ("half", "confidence", "share"), [(0, 0.9, 0.5), (1, 0.9, 0.5), (0.05, 1, 0.5), (0.05, 0.9, 0)]
)
def test_targets_that_mean_nothing_are_refused(half: float, confidence: float, share: float) -> None:
    with pytest.raises(ValueError, match="must"):
        Target(half, confidence, share)


@given(
    st.integers(100, 3_000),
    st.floats(0.001, 1.0),
    st.floats(0.02, 0.98),
    st.floats(4.0, 2_000.0),
)
def test_what_is_integrated_is_what_would_be_summed(
    answers: int, share: float, expected: float, kappa: float
) -> None:
    """Tried where summing is still quick; it is used only for far more answers, where it is nearer still."""
    invites, rate = ceil(answers / share), Rate(expected, kappa)
    exact = summed(answers, invites, rate)
    assert integrated(answers, invites, rate) == pytest.approx(exact, abs=2e-5)


def test_millions_of_answers_are_planned_without_keeping_anybody_waiting() -> None:
    """No more than the bounded steps of a search, however many there are."""
    begun = process_time()
    found = size(Target(0.0001), 10_000_000, Rate(0.9999, 4.0))
    assert found.answers > 8_000_000
    assert process_time() - begun < 5
