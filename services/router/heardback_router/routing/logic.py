"""What conditions mean, as far as it can be known without running them: alternatives of plain tests. Pure.

Understood are comparisons of one field with literals, `in`, `has`, fields that are true or false, and their
combinations by && || ! and brackets. Anything else is a test whose outcome is open. Conditions are read as
CEL runs them: a test that cannot be evaluated is neither true nor false, and && and || pass over it where the
other side decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from heardback_router.routing.reading import Group, Node, Plain, Unclear, read
from heardback_router.routing.values import Path, candidates

MOST_ALTERNATIVES = 64
MOST_CUBES = 300

Wanted = bool | None
"""True or False: the test answers so. None: it is not true, so it is false or cannot be evaluated."""


class TooManyCasesError(Exception):
    """More cases than are looked at; nothing is claimed."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A test, and what it must answer. `path` None: its meaning is open, only its text is known."""

    path: Path | None
    text: str
    test: Callable[[Any], bool | None] | None
    mentions: tuple[Any, ...]
    wanted: Wanted

    def unless(self) -> "Literal":
        """Where this literal is not true: the same test answers otherwise, or cannot be evaluated."""
        return Literal(self.path, self.text, self.test, self.mentions, None if self.wanted else True)

    def allows(self, value: Any) -> bool:
        answer = self.test(value) if self.test else None
        return answer is not True if self.wanted is None else answer is self.wanted


Cube = tuple[Literal, ...]
"""Literals that hold together."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A condition as alternatives, of which one must hold. `clear`: every test in it is understood."""

    alternatives: tuple[Cube, ...]
    clear: bool


def meaning_of(condition: str) -> Meaning | None:
    """None where it has more alternatives than are looked at."""
    node = read(condition)
    try:
        cubes = _alternatives(node, positive=True)
    except TooManyCasesError:
        return None
    return Meaning(tuple(c for c in cubes if possible(c)), all(lit.path for c in cubes for lit in c))


def possible(cube: Cube) -> bool:
    """False only where no event at all can make these literals hold together."""
    return values_for(cube) is not None


def values_for(cube: Cube) -> dict[Path, Any] | None:
    """A value per field that makes every understood literal hold; None where there is none."""
    by_path: dict[Path, list[Literal]] = {}
    opens: dict[str, Wanted] = {}
    for literal in cube:
        if literal.path is None:
            before = opens.setdefault(literal.text, literal.wanted)
            if _clash(before, literal.wanted):
                return None
        else:
            by_path.setdefault(literal.path, []).append(literal)
    found = {}
    for path, literals in by_path.items():
        mentioned = [value for literal in literals for value in literal.mentions]
        for value in candidates(path, mentioned):
            if all(literal.allows(value) for literal in literals):
                found[path] = value
                break
        else:
            return None
    return found


def left_over(cubes: Sequence[Cube], taken: Meaning) -> list[Cube]:
    """The part of these cases in which `taken` is not true. Raises TooManyCasesError."""
    left = list(cubes)
    for alternative in taken.alternatives:
        narrowed: list[Cube] = []
        for cube in left:
            if not possible((*cube, *alternative)):
                narrowed.append(cube)
                continue
            narrowed += [
                case for case in ((*cube, literal.unless()) for literal in alternative) if possible(case)
            ]
        left = narrowed
        if len(left) > MOST_CUBES:
            raise TooManyCasesError
    return left


def together(one: Meaning, other: Meaning) -> list[dict[Path, Any]]:
    """Values under which both may be true; empty where they never are."""
    both = (values_for((*a, *b)) for a, b in product(one.alternatives, other.alternatives))
    return [values for values in both if values is not None]


def _alternatives(node: Node, *, positive: bool) -> list[Cube]:
    if isinstance(node, Plain):
        if node.always is not None:
            return [()] if node.always is positive else []
        return [(Literal(node.path, node.text, node.test, node.mentions, positive),)]
    if isinstance(node, Unclear):
        return [(Literal(None, node.text, None, (), positive),)]
    if node.kind == "not":
        return _alternatives(node.parts[0], positive=not positive)
    return _combined(node, positive=positive)


def _combined(node: Group, *, positive: bool) -> list[Cube]:
    parts = [_alternatives(part, positive=positive) for part in node.parts]
    if (node.kind == "or") is positive:
        cubes = [cube for part in parts for cube in part]
    else:
        cubes = [()]
        for part in parts:
            if len(cubes) * len(part) > MOST_ALTERNATIVES:
                raise TooManyCasesError
            cubes = [(*a, *b) for a, b in product(cubes, part)]
    if len(cubes) > MOST_ALTERNATIVES:
        raise TooManyCasesError
    return cubes


def _clash(one: Wanted, other: Wanted) -> bool:
    """True and anything else clash; false and not true do not."""
    return one is not other and (one is True or other is True)
