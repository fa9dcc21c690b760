"""The taxonomy: what a root cause can be. Data with a version."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Category(_Data):
    description: str
    examples: tuple[str, ...] = Field(min_length=3)
    keywords: tuple[str, ...] = ()
    cause: bool = True
    """False: what lands here has no root cause, and the answer is "unclear"."""


class Decision(_Data):
    """The figures of `root_cause.nearest_causes`; similarities are cosines."""

    nearest: int = Field(ge=1)
    none_at: float
    full_at: float
    temperature: float = Field(gt=0)
    unclear_below: float = Field(ge=0, le=1)
    second_within: float = Field(ge=0)
    runners_up: int = Field(ge=0)
    keyword_confidence: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.full_at <= self.none_at:
            raise ValueError("full_at must be above none_at")
        return self


class Taxonomy(_Data):
    policy: str
    decision: Decision
    domains: dict[str, dict[str, Category]]

    @property
    def categories(self) -> tuple[tuple[str, str, Category], ...]:
        """(domain, name, category), in the order of the file."""
        return tuple((d, name, c) for d, names in self.domains.items() for name, c in names.items())

    @property
    def examples(self) -> tuple[str, ...]:
        """All examples, category after category."""
        return tuple(text for _, _, category in self.categories for text in category.examples)
