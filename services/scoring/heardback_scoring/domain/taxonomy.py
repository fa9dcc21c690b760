"""The taxonomy: what a root cause can be. Data with a version."""

import re
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MOST_CATEGORIES = 300
MOST_EXAMPLES = 2000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LEAST_EXAMPLES = 3

Example = Annotated[str, Field(max_length=2000)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Category(_Data):
    """Its meaning is its examples; a sentence of description counts as half of one."""

    description: Annotated[str, Field(max_length=300)] = ""
    examples: tuple[Example, ...] = Field(min_length=1, max_length=MOST_EXAMPLES)
    keywords: tuple[str, ...] = ()
    cause: bool = True
    """False: what belongs only here has no root cause, and the answer is "unclear"."""

    @field_validator("examples")
    @classmethod
    def _each_says_something(cls, examples: tuple[str, ...]) -> tuple[str, ...]:
        for number, example in enumerate(examples, 1):
            if not any(sign.isalnum() for sign in example):
                raise ValueError(f"example {number} holds no word; write a sentence as a customer would")
        return examples

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if not self.description.strip() and len(self.examples) < _LEAST_EXAMPLES:
            raise ValueError(
                f"without a description {_LEAST_EXAMPLES} examples are needed, {len(self.examples)} given; "
                "write a sentence of description, or more examples"
            )
        return self


class Decision(_Data):
    """From which confidence on `root_cause.nearest_causes` and the keywords answer."""

    unclear_below: float = Field(ge=0, le=1)
    """The best cause needs this."""
    also_at: float = Field(ge=0, le=1)
    """A further cause of the same text needs this."""
    most: int = Field(ge=1)
    """Causes of one text at most."""
    runners_up: int = Field(ge=0)
    keyword_confidence: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.also_at < self.unclear_below:
            raise ValueError("also_at must not be below unclear_below: a further cause needs as much or more")
        return self


class Taxonomy(_Data):
    policy: str = Field(pattern=r"^[\w.-]+@[\w.-]+$")
    decision: Decision
    domains: dict[str, dict[str, Category]]

    @field_validator("domains")
    @classmethod
    def _named(cls, domains: dict[str, dict[str, Category]]) -> dict[str, dict[str, Category]]:
        for domain, categories in domains.items():
            if not categories:
                raise ValueError(f"{domain} has no category; give it one or leave the domain out")
            for name in (domain, *categories):
                if not _NAME.fullmatch(name):
                    raise ValueError(
                        f"{name!r} is no name: use small letters, digits and _, a letter first, 40 at most"
                    )
        number = sum(map(len, domains.values()))
        if not 2 <= number <= MOST_CATEGORIES:
            raise ValueError(f"{number} categories; give 2 to {MOST_CATEGORIES}")
        return domains

    @property
    def categories(self) -> tuple[tuple[str, str, Category], ...]:
        """(domain, name, category), in the order of the file."""
        return tuple((d, name, c) for d, names in self.domains.items() for name, c in names.items())

    @property
    def paths(self) -> tuple[str, ...]:
        """domain/name of every category, in the order of the file."""
        return tuple(f"{domain}/{name}" for domain, name, _ in self.categories)

    @property
    def examples(self) -> tuple[str, ...]:
        """All examples, category after category."""
        return tuple(text for _, _, category in self.categories for text in category.examples)

    @property
    def descriptions(self) -> tuple[tuple[str, str], ...]:
        """(path, description) of every category that has one."""
        described = zip(self.paths, self.categories, strict=True)
        return tuple((path, c.description) for path, (_, _, c) in described if c.description.strip())

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text to embed: the examples, then the descriptions."""
        return (*self.examples, *(text for _, text in self.descriptions))
