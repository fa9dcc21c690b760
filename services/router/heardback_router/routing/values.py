"""The fields a condition may name: what each may hold, and values that tell conditions apart. Pure."""

import copy
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from heardback_router.routing.sample import SAMPLE_INPUTS, UNKNOWN_INPUTS

Path = tuple[str, ...]
Kind = Literal["text", "flag", "number", "whole", "maybe number", "maybe whole", "free", "cue", "cause"]

OTHER = "something else"
_CONTEXT, _CUES, _CAUSES = ("event", "context"), ("score", "cues"), ("score", "root_causes")


class _Missing:
    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()
"""In place of a value: the field is not there."""


def kind_of(path: Path) -> Kind | None:
    """None where the path names no single field."""
    for prefix, kind in ((_CONTEXT, "free"), (_CUES, "cue"), (_CAUSES, "cause")):
        if path[:2] == prefix:
            return kind if len(path) == 3 else None  # type: ignore[return-value]
    unknown, filled = _at(UNKNOWN_INPUTS, path), _at(SAMPLE_INPUTS, path)
    if isinstance(filled, bool):
        return "flag"
    if isinstance(filled, str):
        return "text"
    if isinstance(filled, int | float):
        whole = "whole" if isinstance(filled, int) else "number"
        return f"maybe {whole}" if unknown is None else whole  # type: ignore[return-value]
    return None


def candidates(path: Path, mentioned: Sequence[Any]) -> list[Any]:
    """Values of the field such that any tests which compare it with what is mentioned come out every way they
    can. The likeliest first."""
    kind = kind_of(path)
    if kind in {"flag", "cause"}:
        return [True, False]
    texts = [v for v in mentioned if isinstance(v, str)]
    numbers = [v for v in mentioned if isinstance(v, int | float) and not isinstance(v, bool)]
    if kind == "text":
        return [*texts, *_between_texts(texts), OTHER, ""]
    if kind == "cue":
        return [MISSING, *(n for n in _numbers(numbers or [0.5], whole=False) if 0 <= n <= 1)]
    if kind == "free":
        flags = [v for v in mentioned if isinstance(v, bool)]
        return [
            *texts,
            *_between_texts(texts),
            *(_numbers(numbers, whole=False) if numbers else [1]),
            *(flags or [True]),
            *(not flag for flag in flags),
            OTHER,
            None,
            MISSING,
        ]
    found: list[Any] = _numbers(numbers or [0], whole="whole" in (kind or ""))
    return [*found, None] if kind and kind.startswith("maybe") else found


def filled(base: Mapping[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    """The inputs with these values in place."""
    inputs: dict[str, Any] = copy.deepcopy(dict(base))
    for path, value in values.items():
        if path[:2] == _CAUSES:
            causes = inputs["score"]["root_causes"]
            inputs["score"]["root_causes"] = [c for c in causes if c != path[2]] + ([path[2]] * value)
            continue
        place = inputs
        for name in path[:-1]:
            place = place[name]
        if value is MISSING:
            place.pop(path[-1], None)
        else:
            place[path[-1]] = value
    return inputs


def _at(inputs: Mapping[str, Any], path: Path) -> Any:
    value: Any = inputs
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def _between_texts(texts: Sequence[str]) -> list[str]:
    """Texts just after each: for conditions that compare by order."""
    return [f"{text} " for text in texts]


def _numbers(mentioned: Sequence[float], *, whole: bool) -> list[float]:
    """Each, and one in every gap around them."""
    points = sorted(set(mentioned))
    if whole:
        near = {math.floor(p) + step for p in points for step in (-1, 0, 1, 2)}
        return sorted(near, key=lambda n: (n < 0, n))
    gaps = [(a + b) / 2 for a, b in pairwise(points)]
    return [*points, *gaps, points[-1] + 1, points[0] - 1, points[-1] + 0.01, points[0] - 0.01]
