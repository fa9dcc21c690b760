"""Does feedback of a source read differently than it did? The newest readings against those before. Pure.

Windows are counted in feedback, not in time: a quiet source takes longer to tell, and never tells from few.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

OTHER = "other"
BINS = 10


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """`current` newest readings of a source are compared with the `reference` readings before them.

    Below `at_least` readings in either window nothing is compared. Sources beyond the first `sources` are
    watched together as "other".
    """

    current: int = 500
    reference: int = 2000
    at_least: int = 200
    sources: int = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """What drift looks at in one score. `sentiment` in −1…1, None where no text was read."""

    unscored: bool
    abstained: bool
    sentiment: float | None
    cues: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Levels:
    """Of one window: shares of its `count` readings, in 0…1, and the mean sentiment in −1…1."""

    count: int
    unscored: float
    abstained: float
    sentiment: float | None
    cues: Mapping[str, float]


class Watch:
    """The newest readings of every source, and those before. Each reading costs the same, however many."""

    def __init__(self, policy: DriftPolicy) -> None:
        self._policy = policy
        self._sources: dict[str, _Windows] = {}

    def name_of(self, source: str) -> str:
        """The name under which a source is watched."""
        known = source in self._sources or len(self._sources) < self._policy.sources
        return source if known else OTHER

    def observe(self, source: str, reading: Reading) -> None:
        name = self.name_of(source)
        windows = self._sources.get(name)
        if windows is None:
            windows = self._sources[name] = _Windows(self._policy)
        windows.take(reading)

    def current(self, source: str) -> Levels:
        """Of the newest readings; KeyError for a source that was never observed."""
        return self._sources[source].current.levels()

    def reference(self, source: str) -> Levels:
        """Of the readings before those."""
        return self._sources[source].reference.levels()

    def stability(self, source: str) -> float | None:
        """PSI of the sentiment scores, current against reference; None while either has too few."""
        windows = self._sources[source]
        now, before = windows.current.bins, windows.reference.bins
        if min(sum(now), sum(before)) < self._policy.at_least:
            return None
        return population_stability(now, before)


def population_stability(now: Sequence[int], before: Sequence[int]) -> float:
    """Population stability index of two histograms: Σ (pᵢ − qᵢ) · ln(pᵢ / qᵢ), 0 for equal shares.

    Siddiqi, Credit Risk Scorecards (2006); the same as Jeffreys' divergence of the shares. Each count is
    raised by ½, so that an empty bin has a logarithm. By convention below 0.1 is no change and above 0.25 a
    large one. Of two samples of one population, PSI ÷ (1/n + 1/m) is about chi-squared with bins − 1 degrees
    of freedom (Yurdakul 2018): at n = 500, m = 2000 and 10 bins, one in a thousand is above 0.07.
    """
    total_now, total_before = (sum(bins) + len(bins) / 2 for bins in (now, before))
    shares = [((a + 0.5) / total_now, (b + 0.5) / total_before) for a, b in zip(now, before, strict=True)]
    return sum((p - q) * log(p / q) for p, q in shares)


def bin_of(sentiment: float) -> int:
    """Bins of equal width over −1…1; the last holds 1 as well."""
    return min(int((sentiment + 1) / 2 * BINS), BINS - 1)


class _Windows:
    """A reading enters the current window, moves to the reference, and leaves."""

    def __init__(self, policy: DriftPolicy) -> None:
        self._policy = policy
        self._newest: deque[Reading] = deque()
        self._before: deque[Reading] = deque()
        self.current, self.reference = _Tally(), _Tally()

    def take(self, reading: Reading) -> None:
        self._newest.append(reading)
        self.current.add(reading, 1)
        if len(self._newest) > self._policy.current:
            moved = self._newest.popleft()
            self.current.add(moved, -1)
            self._before.append(moved)
            self.reference.add(moved, 1)
        if len(self._before) > self._policy.reference:
            self.reference.add(self._before.popleft(), -1)


class _Tally:
    """The sums over a window; what leaves it is taken off again."""

    def __init__(self) -> None:
        self.bins = [0] * BINS
        self._count = 0
        self._unscored = 0
        self._abstained = 0
        self._millionths = 0  # of sentiment; whole, so that adding and taking off leaves no rest
        self._cues: Counter[str] = Counter()

    def add(self, reading: Reading, sign: int) -> None:
        self._count += sign
        self._unscored += sign * reading.unscored
        self._abstained += sign * reading.abstained
        if reading.sentiment is not None:
            self.bins[bin_of(reading.sentiment)] += sign
            self._millionths += sign * round(reading.sentiment * 1_000_000)
        for cue in reading.cues:
            self._cues[cue] += sign

    def levels(self) -> Levels:
        """Cues that were ever found stay named, at 0 when they are found no more."""
        count, read = max(self._count, 1), sum(self.bins)
        return Levels(
            count=self._count,
            unscored=self._unscored / count,
            abstained=self._abstained / count,
            sentiment=self._millionths / 1_000_000 / read if read else None,
            cues={cue: found / count for cue, found in self._cues.items()},
        )
