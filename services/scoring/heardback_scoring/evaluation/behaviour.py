"""Behavioural tests (Ribeiro et al. 2020, CheckList): does the model have a capability at all?"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from string import Formatter
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.figures import Bounded
from heardback_scoring.evaluation.known_gaps import KnownGap
from heardback_scoring.evaluation.measures import Measure
from heardback_scoring.evaluation.subject import Subject
from heardback_shared.contracts.score import Sentiment, SentimentReading

SET = "behaviour"
MOST_FILLED = 24
_SHOWN = 5
_ROLES = ("customer: ", "agent: ", "bot: ", "system: ")
Kind = Literal["label", "same", "lower", "higher"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Test(_Data):
    """`label` has templates and expects a label; the others have pairs. See behaviour.toml."""

    __test__ = False  # pytest would take it for a class of tests

    kind: Kind
    expect: tuple[Sentiment, ...] = ()
    templates: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    tolerance: float = Field(default=0.0, ge=0)
    margin: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "label" and not (self.expect and self.templates and not self.pairs):
            raise ValueError("a test of kind label needs expect and templates")
        if self.kind != "label" and (not self.pairs or self.templates or self.expect):
            raise ValueError(f"a test of kind {self.kind} needs pairs")
        return self


class Capability(_Data):
    name: str
    bound: float = Field(ge=0, le=1)
    test: tuple[Test, ...]


class Behaviours(_Data):
    version: str
    fills: dict[str, tuple[str, ...]]
    capability: tuple[Capability, ...]
    known_gap: tuple[KnownGap, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One text, or two that are held against each other."""

    test: Test
    texts: tuple[str, ...]

    def fails(self, readings: Sequence[SentimentReading | None]) -> bool:
        """A text without a reading fails: what was asked is not answered."""
        known = [reading for reading in readings if reading is not None]
        if len(known) != len(readings):
            return True
        test, first, last = self.test, known[0], known[-1]
        if test.kind == "label":
            return first.label not in test.expect
        if test.kind == "same":
            return first.label != last.label or abs(first.score - last.score) > test.tolerance + 1e-9
        gain = last.score - first.score if test.kind == "higher" else first.score - last.score
        return gain < test.margin - test.tolerance


@dataclass(frozen=True, slots=True)
class Outcome:
    """A capability, its cases, and which of them failed."""

    capability: Capability
    cases: tuple[Case, ...]
    failed: tuple[bool, ...]

    @property
    def rate(self) -> float:
        return sum(self.failed) / len(self.failed)


def load_behaviours() -> Behaviours:
    text = (files("heardback_scoring.evaluation") / "behaviour.toml").read_text("utf-8")
    return Behaviours.model_validate(tomllib.loads(text))


def cases_of(capability: Capability, fills: dict[str, tuple[str, ...]]) -> list[Case]:
    """Every template and pair with its slots filled, at most `MOST_FILLED` times, evenly spread."""
    found: list[Case] = []
    for test in capability.test:
        wholes: Sequence[tuple[str, ...]] = test.pairs or [(template,) for template in test.templates]
        for texts in wholes:
            found += [
                Case(test, tuple(_formatted(text, values) for text in texts))
                for values in _filled(texts, fills)
            ]
    return found


async def measure_behaviour(subject: Subject, data: Behaviours) -> list[Outcome]:
    outcomes = []
    for capability in data.capability:
        cases = cases_of(capability, data.fills)
        rows = [row_of(text) for case in cases for text in case.texts]
        readings = iter([score.sentiment for score in await subject.scores(rows)])
        failed = [case.fails([next(readings) for _ in case.texts]) for case in cases]
        outcomes.append(Outcome(capability, tuple(cases), tuple(failed)))
    return outcomes


def bounded(outcomes: Sequence[Outcome]) -> list[Bounded]:
    return [
        Bounded(
            name=outcome.capability.name,
            figure="failure rate",
            value=round(outcome.rate, 4),
            bound=outcome.capability.bound,
            holds=outcome.rate <= outcome.capability.bound,
            of=len(outcome.cases),
            failed=sum(outcome.failed),
            worst=tuple(_examples(outcome)),
        )
        for outcome in outcomes
    ]


def behaviour_measures(outcomes: Sequence[Outcome]) -> list[Measure]:
    """Failure rates as figures that two models can be compared by; rows are cases."""
    return [
        Measure(
            "failure_rate",
            len(outcome.cases),
            stats.share(np.array(outcome.failed, np.float64)),
            outcome.capability.name,
        )
        for outcome in outcomes
    ]


def _filled(texts: Sequence[str], fills: dict[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    slots = sorted({slot for text in texts for _, slot, _, _ in Formatter().parse(text) if slot})
    whole = list(product(*(fills[slot] for slot in slots)))
    count = min(MOST_FILLED, len(whole))
    for place in range(count):
        yield dict(zip(slots, whole[place * len(whole) // count], strict=True))


def _formatted(text: str, values: dict[str, str]) -> str:
    whole = text.format(**values)
    return whole[:1].upper() + whole[1:] if text.startswith("{") else whole


def row_of(text: str) -> dict[str, Any]:
    """A dialogue is lines of "role: text"; anything else is a comment."""
    lines = text.split("\n")
    if not all(line.startswith(_ROLES) for line in lines):
        return {"text": text}
    turns = [line.partition(": ") for line in lines]
    return {"turns": [{"role": role, "text": said} for role, _, said in turns]}


def _examples(outcome: Outcome) -> Iterator[str]:
    """The first failures of different templates, as far as there are."""
    failures = [case for case, failed in zip(outcome.cases, outcome.failed, strict=True) if failed]
    step = max(1, len(failures) // _SHOWN)
    for case in failures[::step][:_SHOWN]:
        wanted = " or ".join(case.test.expect) or case.test.kind
        yield f"{wanted}: {' → '.join(case.texts)}"
