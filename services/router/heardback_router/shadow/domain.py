"""How much two models disagree, from counts of equal readings. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from pydantic import BaseModel, ConfigDict

from heardback_shared.contracts.score import Band, ModelRef, Sentiment

Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""
SLICES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Group:
    """`count` feedbacks that both models read alike; `difference` sums candidate − active of the sentiment
    score over them, `distance` its absolute value.
    """

    source: str
    language: str
    labels: tuple[Sentiment, Sentiment]
    bands: tuple[Band, Band]
    abstained: tuple[bool, bool]
    same_cause: bool
    count: int
    difference: float
    distance: float


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class Share(_Shown):
    """`count` of all compared, as a share in 0…1 with its 95 % Wilson interval; None where none compared."""

    count: int
    share: float | None
    low: float | None
    high: float | None


class Disagreement(_Shown):
    """Over `compared` feedbacks. `raised` and `lowered` are severity bands as the candidate has them.

    `mean_difference` is candidate − active of the sentiment score, `mean_distance` its absolute value.
    """

    compared: int
    label: Share
    band: Share
    raised: int
    lowered: int
    cause: Share
    abstained_active: Share
    abstained_candidate: Share
    mean_difference: float | None
    mean_distance: float | None


class Slice(_Shown):
    name: str
    disagreement: Disagreement


class CueFound(_Shown):
    """In how many feedbacks each model (or its patterns) found the cue, and in how many both did."""

    cue: str
    active: int
    candidate: int
    both: int


class Differing(_Shown):
    """One feedback on which the two are far apart."""

    feedback_id: str
    source: str
    language: str
    active_label: Sentiment
    active_score: float
    active_band: Band
    candidate_label: Sentiment
    candidate_score: float
    candidate_band: Band


class Report(_Shown):
    """`failed` counts feedbacks the candidate could not read; they are in no other figure.

    The confusions are counts by what the active model said, then by what the candidate said.
    """

    active: ModelRef
    candidate: ModelRef
    days: int
    failed: int
    overall: Disagreement
    labels: Mapping[str, Mapping[str, int]]
    bands: Mapping[str, Mapping[str, int]]
    sources: tuple[Slice, ...]
    languages: tuple[Slice, ...]
    cues: tuple[CueFound, ...]
    farthest: tuple[Differing, ...]


def wilson(count: int, total: int) -> Share:
    """The share with its score interval (Wilson 1927), which keeps inside 0…1 and is fair to small counts."""
    if total == 0:
        return Share(count=count, share=None, low=None, high=None)
    share, z2 = count / total, Z * Z
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z * sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Share(count=count, share=share, low=min(low, share), high=max(high, share))


def disagreement(groups: Sequence[Group]) -> Disagreement:
    total = sum(g.count for g in groups)

    def counted(applies: Callable[[Group], bool]) -> int:
        return sum(g.count for g in groups if applies(g))

    # Bands are P1 … P4, the gravest first.
    return Disagreement(
        compared=total,
        label=wilson(counted(lambda g: g.labels[0] != g.labels[1]), total),
        band=wilson(counted(lambda g: g.bands[0] != g.bands[1]), total),
        raised=counted(lambda g: g.bands[1] < g.bands[0]),
        lowered=counted(lambda g: g.bands[1] > g.bands[0]),
        cause=wilson(counted(lambda g: not g.same_cause), total),
        abstained_active=wilson(counted(lambda g: g.abstained[0]), total),
        abstained_candidate=wilson(counted(lambda g: g.abstained[1]), total),
        mean_difference=sum(g.difference for g in groups) / total if total else None,
        mean_distance=sum(g.distance for g in groups) / total if total else None,
    )


def slices(groups: Iterable[Group], name: Callable[[Group], str]) -> tuple[Slice, ...]:
    """One per name, those with most feedback first, at most `SLICES_SHOWN`."""
    by_name: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        by_name[name(group)].append(group)
    found = [Slice(name=n, disagreement=disagreement(g)) for n, g in by_name.items()]
    found.sort(key=lambda s: (-s.disagreement.compared, s.name))
    return tuple(found[:SLICES_SHOWN])


def confusion(
    groups: Iterable[Group], said: Callable[[Group], tuple[str, str]]
) -> Mapping[str, Mapping[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for group in groups:
        active, candidate = said(group)
        counts[active][candidate] += group.count
    return {active: dict(sorted(row.items())) for active, row in sorted(counts.items())}
