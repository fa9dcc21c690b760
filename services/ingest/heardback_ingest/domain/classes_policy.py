"""Reading the policy of classes. Pure."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from heardback_ingest.domain.classes import (
    DATES,
    NUMBERS,
    WORDS,
    ClassesPolicy,
    ClassRule,
    Condition,
    SourceRule,
)
from heardback_ingest.domain.customer import PERSONAL, SNAPSHOT, Ages
from heardback_shared.contracts.base import Label
from heardback_shared.contracts.customer import Tier
from heardback_shared.policies.reading import PolicyError, Shape, Slug, Version, Words, parsed

PARTS = ("handling_notes", "escalation_path", "success_criteria")
"""Parts of a customer's handling, which may be required."""
REQUIRABLE = frozenset((*SNAPSHOT, *PERSONAL, *PARTS, "contract", "account"))
Days = Annotated[int, Field(ge=1, le=36_500)]
Many = Annotated[float, Field(gt=0, le=1e6)]
Value = str | float
USUAL = SourceRule(48, 60)


class _Condition(Shape):
    at_least: float | None = None
    at_most: float | None = None
    is_: Annotated[Value | None, Field(alias="is")] = None
    one_of: Annotated[tuple[Value, ...] | None, Field(min_length=1, max_length=200)] = None
    within_days: Annotated[int, Field(ge=0)] | None = None
    older_than_days: Annotated[int, Field(ge=0)] | None = None
    known: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say at least one of at_least, at_most, is, one_of, within_days, known, …")
        return self

    def read(self, field: str) -> tuple[Condition, ...]:
        said = {name.rstrip("_"): getattr(self, name) for name in type(self).model_fields}
        return tuple(Condition(field, name, value) for name, value in said.items() if value is not None)  # type: ignore[arg-type]


class _Rule(Shape):
    name: Slug
    because: Words
    when: Annotated[dict[str, _Condition], Field(min_length=1)]
    tier: Tier | None = None
    segment: Label | None = None

    @model_validator(mode="after")
    def _gives(self) -> Self:
        if self.tier is None and self.segment is None:
            raise ValueError("give a tier, a segment, or both")
        for field, condition in self.when.items():
            _check(field, condition.model_fields_set)
        return self


class _Source(Shape):
    hear_every_hours: Many
    lag_minutes: Many


class _File(Shape):
    policy: Version
    good_for_days: dict[str, Days] = Field(default_factory=dict)
    good_until: tuple[str, ...] = ()
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    rules: Annotated[tuple[_Rule, ...], Field(max_length=200)] = ()
    required: dict[Tier, tuple[str, ...]] = Field(default_factory=dict)
    sources: dict[Label, _Source] = Field(default_factory=dict)


_TAKES: Mapping[str, frozenset[str]] = (
    dict.fromkeys(NUMBERS, frozenset({"at_least", "at_most", "is_", "known"}))
    | dict.fromkeys(DATES, frozenset({"within_days", "older_than_days", "known"}))
    | dict.fromkeys(WORDS, frozenset({"is_", "one_of", "known"}))
)
NOT_ASKED = frozenset({"tier", "segment"})
"""What rules give they cannot ask for: the answer would depend on the order of looking."""


def _check(field: str, operators: set[str]) -> None:
    if field in NOT_ASKED or field not in _TAKES:
        usable = ", ".join(sorted(set(_TAKES) - NOT_ASKED))
        raise ValueError(f"{field} cannot be asked for; use one of {usable}")
    if wrong := operators - _TAKES[field]:
        fitting = ", ".join(sorted(name.rstrip("_") for name in _TAKES[field]))
        raise ValueError(f"{field} does not take {', '.join(sorted(wrong))}; use {fitting}")


def read_classes(text: str) -> ClassesPolicy:
    """Raises PolicyError."""
    file = parsed(text, _File)
    faults = tuple(_faults(file))
    if faults:
        told = "; ".join(f"{pointer.lstrip('/')}: {detail}" for pointer, detail in faults)
        raise PolicyError(f"the policy has faults: {told}", faults)
    sources = {name: SourceRule(s.hear_every_hours, s.lag_minutes) for name, s in file.sources.items()}
    usual = sources.pop("usual", USUAL)
    rules = tuple(
        ClassRule(
            r.name, r.because, tuple(c for f, w in r.when.items() for c in w.read(f)), r.tier, r.segment
        )
        for r in file.rules
    )
    ages = Ages(file.good_for_days, frozenset(file.good_until))
    required: dict[str, tuple[str, ...]] = dict(file.required.items())
    return ClassesPolicy(file.policy, ages, file.currency, rules, required, sources, usual)


def _faults(file: _File) -> Iterator[tuple[str, str]]:
    for name in file.good_for_days:
        if name not in SNAPSHOT:
            yield f"/good_for_days/{name}", f"is no fact that gets old; use one of {', '.join(SNAPSHOT)}"
    for index, name in enumerate(file.good_until):
        if name not in DATES:
            yield f"/good_until/{index}", f"is no date; use one of {', '.join(DATES)}"
    names = [rule.name for rule in file.rules]
    for index, rule in enumerate(file.rules):
        if rule.name in names[:index]:
            yield f"/rules/{index}/name", "is the name of an earlier rule; give it its own"
    if file.currency is None and any("lifetime_value" in rule.when for rule in file.rules):
        yield "/currency", "is needed, as a rule compares lifetime values"
    yield from _unrequirable(file.required)


def _unrequirable(required: Mapping[Tier, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    known = ", ".join(sorted(REQUIRABLE))
    for tier, parts in required.items():
        for index, part in enumerate(parts):
            if part not in REQUIRABLE:
                yield f"/required/{tier}/{index}", f"is nothing that can be required; use one of {known}"
