"""Drift: windows that agree with what went through them, and an index that tells a shift from chance."""

import random
from collections import Counter
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import NOON
from tests.support.scored import score
from tests.support.scoring import survey

from heardback_scoring.app.drift_monitor import DriftMonitor
from heardback_scoring.domain.drift import (
    BINS,
    OTHER,
    DriftPolicy,
    Levels,
    Reading,
    Watch,
    bin_of,
    population_stability,
)
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.score import ModelRef, Score
from heardback_shared.metrics import Metrics

SMALL = DriftPolicy(current=4, reference=6, at_least=3, sources=2)
MODEL = ModelRef(name="m", revision="1", sha256="a" * 64)
histograms = st.lists(st.integers(0, 500), min_size=BINS, max_size=BINS)
readings = st.builds(
    Reading,
    unscored=st.booleans(),
    abstained=st.booleans(),
    sentiment=st.none() | st.floats(-1, 1),
    cues=st.frozensets(st.sampled_from(["leave", "legal", "refund"])),
)


def levels_of(window: list[Reading]) -> Levels:
    """Counted afresh, to compare with."""
    moods = [r.sentiment for r in window if r.sentiment is not None]
    cues = Counter(cue for r in window for cue in r.cues)
    size = max(len(window), 1)
    return Levels(
        count=len(window),
        unscored=sum(r.unscored for r in window) / size,
        abstained=sum(r.abstained for r in window) / size,
        sentiment=sum(moods) / len(moods) if moods else None,
        cues={cue: n / size for cue, n in cues.items()},
    )


def same(found: Levels, expected: Levels) -> bool:
    moods = (found.sentiment, expected.sentiment)
    return (
        (found.count, found.unscored, found.abstained)
        == (expected.count, expected.unscored, expected.abstained)
        and {cue: rate for cue, rate in found.cues.items() if rate} == expected.cues
        and (moods == (None, None) or None not in moods)
        and (moods[0] is None or moods[1] is None or isclose(moods[0], moods[1], abs_tol=1e-6))
    )


@given(st.lists(readings, max_size=25))
def test_the_windows_hold_the_newest_and_those_before(seen: list[Reading]) -> None:
    watch = Watch(SMALL)
    watch.observe("s", Reading(False, False, None))
    for reading in seen:
        watch.observe("s", reading)
    every = [Reading(False, False, None), *seen]
    newest, before = every[-SMALL.current :], every[: -SMALL.current][-SMALL.reference :]
    assert same(watch.current("s"), levels_of(newest))
    assert same(watch.reference("s"), levels_of(before))
    enough = all(sum(r.sentiment is not None for r in w) >= SMALL.at_least for w in (newest, before))
    assert (watch.stability("s") is not None) == enough


@given(histograms, histograms)
def test_stability_is_never_negative_and_the_same_both_ways(now: list[int], before: list[int]) -> None:
    found = population_stability(now, before)
    assert found >= 0
    assert isclose(found, population_stability(before, now), rel_tol=1e-9, abs_tol=1e-12)
    assert population_stability(now, now) == 0


@given(histograms, st.integers(0, BINS - 1), st.integers(0, BINS - 1))
def test_moving_more_of_one_population_moves_the_index_more(
    before: list[int], taken: int, given_to: int
) -> None:
    before[taken] = before[given_to] = 100
    moved = []
    for count in (0, 20, 60, 100):
        now = list(before)
        now[taken] -= count
        now[given_to] += count
        moved.append(population_stability(now, before))
    assert moved == sorted(moved)


@given(st.floats(-1, 1))
def test_every_score_has_one_bin(sentiment: float) -> None:
    found = bin_of(sentiment)
    assert 0 <= found < BINS
    assert bin_of(max(-1.0, sentiment - 0.25)) <= found


def histogram(chance: random.Random, size: int, shift: float) -> list[int]:
    bins = [0] * BINS
    for _ in range(size):
        bins[bin_of(min(1.0, max(-1.0, chance.gauss(shift, 0.5))))] += 1
    return bins


def test_chance_stays_below_a_tenth_and_a_shift_above_a_quarter() -> None:
    """500 readings against 2 000: 300 times of one population, 300 times shifted by 0.4 of sentiment."""
    chance = random.Random(7)
    alike, shifted = [], []
    for _ in range(300):
        before = histogram(chance, 2000, 0.0)
        alike.append(population_stability(histogram(chance, 500, 0.0), before))
        shifted.append(population_stability(histogram(chance, 500, -0.4), before))
    assert max(alike) < 0.1
    assert min(shifted) > 0.25
    # The stated distribution: chi-squared with 9 degrees of freedom, of mean 9, times (1/500 + 1/2000).
    assert isclose(sum(alike) / len(alike), 9 * (1 / 500 + 1 / 2000), rel_tol=0.15)


def test_only_so_many_sources_have_a_name() -> None:
    watch = Watch(SMALL)
    for number in range(5):
        watch.observe(f"s{number}", Reading(False, False, 0.0))
    assert [watch.name_of(f"s{n}") for n in range(4)] == ["s0", "s1", OTHER, OTHER]
    assert watch.current(OTHER).count == 3
    with pytest.raises(KeyError):
        watch.current("s4")


class Monitored:
    def __init__(self) -> None:
        self.metrics = Metrics()
        self.monitor = DriftMonitor(SMALL, self.metrics)

    def observe(self, *scores: Score, source: str = "typeform", model: ModelRef = MODEL) -> None:
        feedback = survey("x", at=NOON)
        content = feedback.content.model_copy(update={"source": source})
        batch: list[FeedbackAccepted] = [feedback.model_copy(update={"content": content})] * len(scores)
        self.monitor.observe(model, batch, scores)

    def value(self, metric: str, /, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(metric, {"source": "typeform"} | labels)


def abstained() -> Score:
    found = score(mood=0.0)
    assert found.sentiment is not None
    return found.model_copy(update={"sentiment": found.sentiment.model_copy(update={"abstained": True})})


def unscored() -> Score:
    return score(status="unscored").model_copy(update={"sentiment": None, "models": ()})


def test_the_monitor_counts_and_shows_both_windows() -> None:
    on = Monitored()
    on.observe(unscored(), score(mood=-0.8, cues=("leave",)), abstained(), score(mood=0.4))
    for outcome in ("unscored", "read", "abstained"):
        count = on.value("heardback_readings_total", outcome=outcome)
        assert count == (2 if outcome == "read" else 1)
    assert on.value("heardback_cues_found_total", cue="leave") == 1
    for outcome in ("unscored", "abstained"):
        assert on.value("heardback_reading_share", window="current", outcome=outcome) == 0.25
    assert on.value("heardback_reading_sentiment", window="reference") is None
    on.observe(*[score(mood=0.5)] * 4)
    assert on.value("heardback_reading_sentiment", window="current") == 0.5
    assert on.value("heardback_reading_sentiment", window="reference") == pytest.approx(-0.4 / 3)
    assert on.value("heardback_reading_cue_rate", window="current", cue="leave") == 0
    assert on.value("heardback_reading_cue_rate", window="reference", cue="leave") == 0.25
    stability = on.value("heardback_reading_stability")
    assert stability is not None
    assert stability > 0.25


def test_another_model_begins_anew() -> None:
    on = Monitored()
    on.observe(*[score(mood=-0.8)] * 4, *[score(mood=0.5)] * 4)
    assert on.value("heardback_reading_stability") is not None
    on.observe(score(mood=0.1), model=MODEL.model_copy(update={"revision": "2"}))
    assert on.value("heardback_reading_stability") is None
    assert on.value("heardback_reading_sentiment", window="current") == pytest.approx(0.1)
    assert on.value("heardback_reading_sentiment", window="reference") is None
    assert on.value("heardback_readings_total", outcome="read") == 9
