"""What differs between two policies: line by line, and which rule, weight or setting changed. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Literal

_NAMES = ("name", "id", "at_least")
"""What tells the entries of a list apart, the first that all of them have and none shares."""
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """`pointer` leads into the policy; entries of named lists by their name. Moved: the places, from 0."""

    pointer: str
    change: Literal["added", "removed", "changed", "moved"]
    before: Any = None
    after: Any = None


def lines(before: str, after: str, names: tuple[str, str]) -> str:
    """As `diff -u` writes it; empty where the texts are the same."""
    pieces = unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="")
    return "\n".join(pieces)


def differences(before: Any, after: Any, pointer: str = "") -> Iterator[Difference]:
    """Every difference of two policies as plain data, none where they say the same."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _mappings(before, after, pointer)
    elif _is_list(before) and _is_list(after):
        name = _name_of(before, after)
        if name is None:
            yield from _lists(before, after, pointer)
        else:
            yield from _mappings({e[name]: e for e in before}, {e[name]: e for e in after}, pointer)
            yield from _moves([e[name] for e in before], [e[name] for e in after], pointer)
    elif not _equal(before, after):
        yield Difference(pointer, "changed", before, after)


def _mappings(before: Mapping[Any, Any], after: Mapping[Any, Any], pointer: str) -> Iterator[Difference]:
    for key in [*before, *(key for key in after if key not in before)]:
        below = f"{pointer}/{_spelled(key)}"
        old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if old is _ABSENT:
            yield Difference(below, "added", None, new)
        elif new is _ABSENT:
            yield Difference(below, "removed", old, None)
        else:
            yield from differences(old, new, below)


def _lists(before: Sequence[Any], after: Sequence[Any], pointer: str) -> Iterator[Difference]:
    for place in range(max(len(before), len(after))):
        below = f"{pointer}/{place}"
        if place >= len(before):
            yield Difference(below, "added", None, after[place])
        elif place >= len(after):
            yield Difference(below, "removed", before[place], None)
        else:
            yield from differences(before[place], after[place], below)


def _moves(before: Sequence[Any], after: Sequence[Any], pointer: str) -> Iterator[Difference]:
    """Entries that are in both lists and stand in another order among those."""
    kept = [name for name in after if name in before]
    stood = [name for name in before if name in after]
    for name in kept:
        if kept.index(name) != stood.index(name):
            yield Difference(f"{pointer}/{_spelled(name)}", "moved", before.index(name), after.index(name))


def _name_of(*lists: Sequence[Any]) -> str | None:
    for name in _NAMES:
        if any(lists) and all(_tells_apart(entries, name) for entries in lists):
            return name
    return None


def _tells_apart(entries: Sequence[Any], name: str) -> bool:
    if not all(isinstance(e, Mapping) and isinstance(e.get(name), str | int | float) for e in entries):
        return False
    return len({e[name] for e in entries}) == len(entries)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _equal(before: Any, after: Any) -> bool:
    return type(before) is type(after) and bool(before == after)


def _spelled(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
