"""The policy of classes: how customers are told apart. Pure."""

from dataclasses import dataclass

from heardback_shared.policies.reading import Shape, Version, parsed


@dataclass(frozen=True, slots=True)
class ClassesPolicy:
    name: str


class _File(Shape):
    policy: Version


def read_classes(text: str) -> ClassesPolicy:
    """Raises PolicyError."""
    return ClassesPolicy(parsed(text, _File).policy)
