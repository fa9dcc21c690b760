"""Counterfactual texts: the same feedback from, or about, different people must be read alike."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.figures import Bounded
from heardback_scoring.evaluation.known_gaps import KnownGap
from heardback_scoring.evaluation.measures import Measure
from heardback_scoring.evaluation.statistics import Values
from heardback_scoring.evaluation.subject import Subject

SET = "counterfactuals"
QUANTITIES = ("sentiment", "severity")
_SHOWN = 3
Fill = dict[str, str]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Bounds(_Data):
    mean: float = Field(gt=0)
    pair: float = Field(gt=0)


class Axis(_Data):
    """Templates with what each group puts into them, or sentences in the form of each group."""

    name: str
    templates: tuple[str, ...] = ()
    groups: dict[str, tuple[str | Fill, ...]] = {}
    forms: tuple[dict[str, str], ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.templates) == bool(self.forms):
            raise ValueError(f"axis {self.name}: give either templates or forms")
        if any(form.keys() != self.forms[0].keys() for form in self.forms):
            raise ValueError(f"axis {self.name}: every form needs the same groups")
        if len(self.texts[0]) < 2:
            raise ValueError(f"axis {self.name}: needs two groups or more")
        return self

    @property
    def texts(self) -> list[dict[str, list[str]]]:
        """Per template, the texts of each group. A fill that is one word goes into {name}."""
        if self.forms:
            return [{group: [text] for group, text in form.items()} for form in self.forms]
        return [
            {
                group: [
                    template.format(**({"name": fill} if isinstance(fill, str) else fill)) for fill in fills
                ]
                for group, fills in self.groups.items()
            }
            for template in self.templates
        ]


class Counterfactuals(_Data):
    version: str
    bounds: Bounds
    axis: tuple[Axis, ...]
    known_gap: tuple[KnownGap, ...] = ()


def load_counterfactuals() -> Counterfactuals:
    text = (files("heardback_scoring.evaluation") / "counterfactuals.toml").read_text("utf-8")
    return Counterfactuals.model_validate(tomllib.loads(text))


@dataclass(frozen=True, slots=True)
class Shift:
    """What one axis does to one quantity. `means` is templates × groups, `pairs` one value per template."""

    axis: str
    quantity: str
    groups: tuple[str, ...]
    means: Values
    pairs: Values
    worst: tuple[tuple[str, str], ...]
    """Per template, the two texts that are furthest apart."""

    @property
    def mean(self) -> float:
        """Largest difference between two groups' means over all templates."""
        return stats.point(stats.spread_of_means(self.means), len(self.means))

    @property
    def pair(self) -> float:
        return float(self.pairs.max())


@dataclass(frozen=True, slots=True)
class Bias:
    shifts: tuple[Shift, ...]
    unread: dict[str, tuple[str, ...]]
    """Per axis, the texts that were taken for another language and not read: that is a shift as well."""


async def measure_bias(subject: Subject, data: Counterfactuals) -> Bias:
    shifts: list[Shift] = []
    unread: dict[str, tuple[str, ...]] = {}
    for axis in data.axis:
        templates = axis.texts
        flat = [text for texts in templates for own in texts.values() for text in own]
        scores = dict(zip(flat, await subject.scores([{"text": text} for text in flat]), strict=True))
        unread[axis.name] = tuple(text for text, score in scores.items() if score.sentiment is None)
        readings = dict(zip(flat, await subject.readings(flat), strict=True))
        values = {
            "sentiment": {
                text: (
                    1
                    + (
                        s.sentiment.score
                        if s.sentiment
                        else readings[text].positive - readings[text].negative
                    )
                )
                / 2
                for text, s in scores.items()
            },
            "severity": {text: score.severity.score / 100 for text, score in scores.items()},
        }
        shifts += [_shift(axis.name, quantity, templates, values[quantity]) for quantity in QUANTITIES]
    return Bias(tuple(shifts), unread)


def _shift(
    axis: str, quantity: str, templates: Sequence[dict[str, list[str]]], values: dict[str, float]
) -> Shift:
    groups = tuple(templates[0])
    means = np.array([[np.mean([values[t] for t in texts[g]]) for g in groups] for texts in templates])
    furthest = [_furthest(texts, values) for texts in templates]
    pairs = np.array([abs(values[a] - values[b]) for a, b in furthest], np.float64)
    return Shift(axis, quantity, groups, means, pairs, tuple(furthest))


def _furthest(texts: dict[str, list[str]], values: dict[str, float]) -> tuple[str, str]:
    """The lowest and the highest text of two different groups that are furthest apart."""
    ends = [(min(own, key=values.__getitem__), max(own, key=values.__getitem__)) for own in texts.values()]
    candidates = [
        pair for one, other in combinations(ends, 2) for pair in ((one[0], other[1]), (other[0], one[1]))
    ]
    return max(candidates, key=lambda pair: abs(values[pair[1]] - values[pair[0]]))


def bounded(bias: Bias, bounds: Bounds) -> list[Bounded]:
    """Every shift against its bound, with the texts that are furthest apart."""
    found = []
    for shift in bias.shifts:
        order = np.argsort(-shift.pairs, kind="stable")[:_SHOWN]
        worst = tuple(f"{shift.pairs[i]:.3f}: {shift.worst[i][0]} | {shift.worst[i][1]}" for i in order)
        over = int((shift.pairs > bounds.pair).sum())
        means = dict(zip(shift.groups, shift.means.mean(axis=0).tolist(), strict=True))
        ends = (min(means, key=means.__getitem__), max(means, key=means.__getitem__))
        told = tuple(f"{group}: mean {means[group]:.3f}" for group in ends)
        of = len(shift.pairs)
        name, mean, pair = f"{shift.axis} {shift.quantity}", round(shift.mean, 4), round(shift.pair, 4)
        found.append(
            Bounded(
                name=name,
                figure="mean shift",
                value=mean,
                bound=bounds.mean,
                holds=mean <= bounds.mean,
                of=of,
                worst=told,
            )
        )
        found.append(
            Bounded(
                name=name,
                figure="pair shift",
                value=pair,
                bound=bounds.pair,
                holds=pair <= bounds.pair,
                of=of,
                failed=over,
                worst=worst,
            )
        )
    for axis, texts in bias.unread.items():
        found.append(
            Bounded(
                name=axis,
                figure="unread",
                value=len(texts),
                bound=0,
                holds=not texts,
                of=len(texts),
                failed=len(texts),
                worst=texts[:_SHOWN],
            )
        )
    return found


def bias_measures(bias: Bias) -> list[Measure]:
    """The shifts as figures that two models can be compared by; rows are templates."""
    found = []
    for shift in bias.shifts:
        rows = len(shift.pairs)
        mean = stats.spread_of_means(shift.means)
        found.append(Measure(f"{shift.quantity}_mean_shift", rows, mean, shift.axis))
        found.append(Measure(f"{shift.quantity}_pair_shift", rows, stats.largest(shift.pairs), shift.axis))
    return found
