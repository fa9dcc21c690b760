"""The policy of asking: whom, how often, about what. Pure."""

from dataclasses import dataclass

from heardback_shared.policies.reading import Shape, Version, parsed


@dataclass(frozen=True, slots=True)
class SurveysPolicy:
    name: str


class _File(Shape):
    policy: Version


def read_surveys(text: str) -> SurveysPolicy:
    """Raises PolicyError."""
    return SurveysPolicy(parsed(text, _File).policy)
