"""Reading the steps policy and the thresholds policy."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from heardback_router.routing.conditions import Condition, ConditionError
from heardback_router.steps.domain import StepSpec, StepsPolicy, StepTemplate
from heardback_router.steps.thresholds import Limit, Measure, Process, Promotion, ThresholdPolicy, Tuning
from heardback_shared.policies.reading import PolicyError, Shape, Slug, Version, Words, parsed

Person = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Share = Annotated[float, Field(gt=0, lt=1)]
SAMPLE: dict[str, Any] = {
    "item": {
        "domain": "operations",
        "category": "billing",
        "severity": 60.0,
        "band": "P2",
        "team": "operations",
        "flag": "",
        "customers": 1,
    },
    "customer": {"tier": "", "region": ""},
    "event": {"channel": "email", "touchpoint": "", "context": {}},
}
"""Variables with every field filled, on which each condition is tried."""


class _Step(Shape):
    id: Slug
    title: Words
    mandatory: bool = False
    approval: Slug | Annotated[tuple[Slug, ...], Field(min_length=1, max_length=5)] | None = None

    @property
    def approvals(self) -> tuple[str, ...]:
        if self.approval is None:
            return ()
        return (self.approval,) if isinstance(self.approval, str) else self.approval


class _Use(Shape):
    module: Slug


class _Template(Shape):
    name: Slug
    when: Words
    because: Words
    steps: Annotated[tuple[_Step | _Use, ...], Field(min_length=1)]


class _Case(Shape):
    """An example of the policy itself: with this given, exactly these steps are called for."""

    given: dict[str, dict[str, Any]] = Field(default_factory=dict)
    steps: tuple[str, ...]


class _Steps(Shape):
    policy: Version
    modules: dict[Slug, Annotated[tuple[_Step, ...], Field(min_length=1)]] = Field(default_factory=dict)
    templates: tuple[_Template, ...] = ()
    tests: tuple[_Case, ...] = ()


class _Limit(Shape):
    up_to: Annotated[float, Field(ge=0)]
    level: Slug


class _Process(Shape):
    name: Slug
    title: Words
    limits: dict[Measure, Annotated[tuple[_Limit, ...], Field(min_length=1)]]
    above: Slug


class _Tuning(Shape):
    days: Annotated[int, Field(ge=1, le=366)]
    loosen_below: Share
    tighten_above: Share
    by: Annotated[float, Field(gt=0, le=1)]
    smallest: Annotated[float, Field(gt=0, le=1)]
    largest: Annotated[float, Field(ge=1, le=10)]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.loosen_below > self.tighten_above:
            raise ValueError("loosen_below must not lie above tighten_above")
        return self


class _Promotion(Shape):
    items: Annotated[int, Field(ge=2)]
    customers: Annotated[int, Field(ge=1)]
    days: Annotated[int, Field(ge=1, le=366)]


class _Thresholds(Shape):
    policy: Version
    levels: Annotated[tuple[Slug, ...], Field(min_length=2, max_length=10)]
    approvers: dict[Slug, tuple[Person, ...]] = Field(default_factory=dict)
    processes: tuple[_Process, ...] = ()
    factors: dict[Slug, Annotated[float, Field(gt=0, le=10)]] = Field(default_factory=dict)
    tuning: _Tuning
    promotion: _Promotion


def read_steps(text: str) -> StepsPolicy:
    """Raises PolicyError unless every condition compiles, every module is there and every test holds."""
    shape = parsed(text, _Steps)
    faults: list[str] = []
    templates = []
    for template in shape.templates:
        try:
            condition = Condition(template.when)
            condition.holds(SAMPLE)
        except ConditionError as error:
            faults.append(f"template {template.name}: its condition {error}")
            continue
        templates.append(
            StepTemplate(template.name, condition, template.because, _specs(template, shape, faults))
        )
    policy = StepsPolicy(shape.policy, tuple(templates))
    if not faults:
        faults = _names_twice(shape) + _failed_tests(shape, policy)
    if faults:
        raise PolicyError(f"steps policy {shape.policy}: " + "; ".join(faults))
    return policy


def read_thresholds(text: str) -> ThresholdPolicy:
    """Raises PolicyError unless limits and their levels rise, and every level is known."""
    shape = parsed(text, _Thresholds)
    faults = _level_faults(shape)
    names = [process.name for process in shape.processes]
    faults += [f"process {name} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise PolicyError(f"thresholds policy {shape.policy}: " + "; ".join(faults))
    return ThresholdPolicy(
        shape.policy,
        shape.levels,
        dict(shape.approvers),
        tuple(_process(process) for process in shape.processes),
        dict(shape.factors),
        Tuning(**dict(shape.tuning)),
        Promotion(**dict(shape.promotion)),
    )


def _process(shape: _Process) -> Process:
    limits = {
        measure: tuple(Limit(limit.up_to, limit.level) for limit in given)
        for measure, given in shape.limits.items()
    }
    return Process(shape.name, shape.title, limits, shape.above)


def _specs(template: _Template, shape: _Steps, faults: list[str]) -> tuple[StepSpec, ...]:
    specs: list[_Step] = []
    for part in template.steps:
        if isinstance(part, _Step):
            specs.append(part)
        elif part.module in shape.modules:
            specs += shape.modules[part.module]
        else:
            faults.append(f"template {template.name}: there is no module {part.module}")
    return tuple(StepSpec(s.id, s.title, s.mandatory, s.approvals) for s in specs)


def _names_twice(shape: _Steps) -> list[str]:
    names = [template.name for template in shape.templates]
    return [f"template {name} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]


def _failed_tests(shape: _Steps, policy: StepsPolicy) -> list[str]:
    faults = []
    for number, case in enumerate(shape.tests, 1):
        unknown = sorted(set(case.given) - set(SAMPLE))
        if unknown:
            faults.append(f"test {number}: {', '.join(unknown)} is none of {', '.join(SAMPLE)}")
            continue
        variables = {root: {**held, **case.given.get(root, {})} for root, held in SAMPLE.items()}
        got = turned_on(policy, variables)
        if set(got) != set(case.steps):
            faults.append(f"test {number}: turns on {', '.join(got) or 'nothing'}, not what it expects")
    return faults


def turned_on(policy: StepsPolicy, variables: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the steps, as the policy spells them, of every template whose condition holds."""
    ids: dict[str, None] = {}
    for template in policy.templates:
        if template.condition.holds(variables):
            ids |= dict.fromkeys(spec.id for spec in template.steps)
    return tuple(ids)


def _level_faults(shape: _Thresholds) -> list[str]:
    known = set(shape.levels)
    faults = [f"approvers: there is no level {level}" for level in shape.approvers if level not in known]
    if len(known) < len(shape.levels):
        faults.append("levels: one is there twice")
    for process in shape.processes:
        if process.above not in known:
            faults.append(f"process {process.name}: there is no level {process.above}")
        for measure, limits in process.limits.items():
            faults += _limit_faults(f"process {process.name}, {measure}", limits, process.above, shape.levels)
    return faults


def _limit_faults(where: str, limits: tuple[_Limit, ...], above: str, levels: tuple[str, ...]) -> list[str]:
    strange = [limit.level for limit in limits if limit.level not in levels]
    if strange or above not in levels:
        return [f"{where}: there is no level {level}" for level in strange]
    ranks = [*(levels.index(limit.level) for limit in limits), levels.index(above)]
    rising = all(b.up_to > a.up_to for a, b in pairwise(limits)) and all(b > a for a, b in pairwise(ranks))
    return [] if rising else [f"{where}: limits and their levels must rise, and `above` lie above the last"]
