"""Conditions: CEL over what a routing decision looks at, compiled once."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import cel

ROOTS = ("event", "score", "customer")
TIME = re.compile(r"\bat\b")
_MENTION = re.compile(r"\b(event|score|customer)\b(?:\s*\.\s*([A-Za-z_]\w*))?")


class ConditionError(ValueError):
    """A rule's condition cannot be used. The message says why and what to write instead."""


class Condition:
    """A CEL expression that answers true or false, compiled once."""

    def __init__(self, text: str) -> None:
        try:
            self._program = cel.compile(text)
        except ValueError as error:
            raise ConditionError(f"is not a CEL expression: {error}") from error
        self.text = text

    def holds(self, variables: Any) -> bool:
        """Raises ConditionError when it cannot be evaluated, or answers neither true nor false."""
        answer = self.outcome(variables)
        if isinstance(answer, str):
            raise ConditionError(answer)
        return answer

    def outcome(self, variables: Any) -> bool | str:
        """Whether it holds, or why that cannot be told. Of many conditions, some always lack a field."""
        try:
            answer = self._program.execute(variables)
        except KeyError as error:
            return f"the field {error} is missing; ask has(…) before using it"
        except (RuntimeError, TypeError, ValueError, IndexError, ArithmeticError) as error:
            return str(error).partition(".")[0]
        return answer if isinstance(answer, bool) else f"answers {type(answer).__name__}, not true or false"


def mentions_in(conditions: Iterable[str]) -> dict[str, frozenset[str] | None]:
    """Per variable the fields that some condition names; None where one uses the variable as a whole."""
    found: dict[str, frozenset[str] | None] = {root: frozenset() for root in ROOTS}
    for text in conditions:
        for root, name in _MENTION.findall(text):
            fields = found[root]
            found[root] = None if fields is None or not name else fields | {name}
    return found


def named_in(
    inputs: Mapping[str, Any], mentions: Mapping[str, frozenset[str] | None]
) -> dict[str, Mapping[str, Any]]:
    """The part of the inputs that some condition names."""
    named = {}
    for root in ROOTS:
        fields, values = mentions[root], inputs[root]
        named[root] = values if fields is None else {k: values[k] for k in fields if k in values}
    return named


def context_of(named: Mapping[str, Mapping[str, Any]], at: str) -> Any:
    """What conditions see, converted once for all rules."""
    return cel.Context(variables={**named, "at": datetime.fromisoformat(at)})
