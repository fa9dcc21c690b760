"""Reading a condition's text into tests that are understood, and tests that are not. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from heardback_router.routing.conditions import ROOTS
from heardback_router.routing.values import MISSING, Path, kind_of

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>\d+\.\d+|\d+)(?![\w.])"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!()\[\]{}.,?:]))"""
)
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Plain:
    """A test of one field. `test` answers None where it cannot be evaluated; `always` where it hangs on no
    field; `mentions` are the values it compares with."""

    text: str
    path: Path | None = None
    test: Callable[[Any], bool | None] | None = None
    mentions: tuple[Any, ...] = ()
    always: bool | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    kind: Literal["and", "or", "not"]
    parts: tuple["Node", ...]


Node = Plain | Unclear | Group


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def read(condition: str) -> Node:
    """What is not understood becomes one Unclear, as small as can be told."""
    tokens = _tokens(condition)
    return _node(tokens) if tokens is not None else Unclear(condition)


def _tokens(condition: str) -> list[_Token] | None:
    tokens, place, text = [], 0, condition.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            return None
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, found[kind]))
        place = found.end()
    return tokens


def _node(tokens: Sequence[_Token]) -> Node:
    if "?" not in (t.text for t in tokens if t.kind == "sign"):
        for sign, kind in (("||", "or"), ("&&", "and")):
            parts = _split(tokens, sign)
            if len(parts) > 1:
                return Group("or" if kind == "or" else "and", tuple(_node(part) for part in parts))
    if len(tokens) > 2 and _text(tokens[0]) == "(" and _closes(tokens, 0) == len(tokens) - 1:
        return _node(tokens[1:-1])
    if len(tokens) > 1 and _text(tokens[0]) == "!" and _one_operand(tokens[1:]):
        return Group("not", (_node(tokens[1:]),))
    return _test(tokens)


def _one_operand(tokens: Sequence[_Token]) -> bool:
    """`!` binds tighter than comparisons, so it is understood only before brackets, a field or has(…)."""
    if _text(tokens[0]) == "(":
        return _closes(tokens, 0) == len(tokens) - 1
    called = len(tokens) > 2 and _text(tokens[1]) == "(" and _closes(tokens, 1) == len(tokens) - 1
    return called or _path(tokens) is not None


def _test(tokens: Sequence[_Token]) -> Node:
    text = " ".join(token.text for token in tokens)
    if len(tokens) == 1 and tokens[0].text in {"true", "false"} and tokens[0].kind == "name":
        return Plain(text, always=tokens[0].text == "true")
    path = _path(tokens)
    if path is not None:
        return Plain(text, path, _is_true, (True,)) if kind_of(path) else Unclear(text)
    if len(tokens) > 3 and tokens[0].text == "has" and _closes(tokens, 1) == len(tokens) - 1:
        asked = _path(tokens[2:-1])
        return Plain(text, asked, _is_there) if asked and kind_of(asked) else Unclear(text)
    return _comparison(tokens, text)


def _comparison(tokens: Sequence[_Token], text: str) -> Node:
    for sign in ("==", "!=", "<=", ">=", "<", ">", "in"):
        sides = _split(tokens, sign)
        if len(sides) == 2:
            left, right = sides
            return _member(left, right, text) if sign == "in" else _compared(left, right, sign, text)
    return Unclear(text)


def _compared(left: Sequence[_Token], right: Sequence[_Token], sign: str, text: str) -> Node:
    path, value = _path(left), _literal(right)
    if path is None:
        path, value, sign = _path(right), _literal(left), _MIRRORED[sign]
    if path is None or value is None or kind_of(path) is None:
        return Unclear(text)
    wanted = value[0]
    return Plain(text, path, lambda held: _compare(held, sign, wanted), (wanted,))


def _member(left: Sequence[_Token], right: Sequence[_Token], text: str) -> Node:
    path, listed = _path(left), _list(right)
    if path is not None and listed is not None and kind_of(path):
        return Plain(text, path, lambda held: _in(held, listed), tuple(listed))
    name, into = _literal(left), _path(right)
    if name is not None and isinstance(name[0], str) and into is not None:
        inside = (*into, name[0])
        kind = kind_of(inside)
        if kind in {"cue", "free"}:
            return Plain(text, inside, _is_there)
        if kind == "cause":
            return Plain(text, inside, _is_true)
    return Unclear(text)


def _compare(held: Any, sign: str, wanted: Any) -> bool | None:
    if held is MISSING:
        return None
    if sign in {"==", "!="}:
        return _equal(held, wanted) is (sign == "==")
    both_text = isinstance(held, str) and isinstance(wanted, str)
    if not both_text and not (_is_number(held) and _is_number(wanted)):
        return None
    below, same = bool(held < wanted), bool(held == wanted)
    return {"<": below, "<=": below or same, ">": not below and not same, ">=": not below}[sign]


def _in(held: Any, listed: Sequence[Any]) -> bool | None:
    return None if held is MISSING else any(_equal(held, value) for value in listed)


def _is_there(held: Any) -> bool | None:
    return held is not MISSING


def _is_true(held: Any) -> bool | None:
    return held if isinstance(held, bool) else None


def _equal(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(token: _Token) -> str | None:
    """What it says, if it is a sign; a text that looks like one is none."""
    return token.text if token.kind == "sign" else None


def _split(tokens: Sequence[_Token], sign: str) -> list[Sequence[_Token]]:
    """The parts between this sign, outside of brackets; empty parts make it one part."""
    parts, depth, start = [], 0, 0
    for place, token in enumerate(tokens):
        mark = _text(token) if sign != "in" else (token.text if token.kind == "name" else _text(token))
        if token.kind == "sign" and token.text in _OPEN:
            depth += 1
        elif token.kind == "sign" and token.text in _CLOSE:
            depth -= 1
        elif depth == 0 and mark == sign:
            parts.append(tokens[start:place])
            start = place + 1
    parts.append(tokens[start:])
    return parts if all(parts) else [tokens]


def _closes(tokens: Sequence[_Token], opening: int) -> int | None:
    """Where the bracket that opens here closes."""
    depth = 0
    for place in range(opening, len(tokens)):
        mark = _text(tokens[place])
        depth += (mark in _OPEN) - (mark in _CLOSE) if mark else 0
        if depth == 0:
            return place
    return None


def _path(tokens: Sequence[_Token]) -> Path | None:
    if not tokens or tokens[0].kind != "name" or tokens[0].text not in ROOTS:
        return None
    names, rest = [tokens[0].text], list(tokens[1:])
    while rest:
        if len(rest) >= 2 and _text(rest[0]) == "." and rest[1].kind == "name":
            names.append(rest[1].text)
            rest = rest[2:]
        elif len(rest) >= 3 and _text(rest[0]) == "[" and rest[1].kind == "text" and _text(rest[2]) == "]":
            names.append(_unquoted(rest[1].text))
            rest = rest[3:]
        else:
            return None
    return tuple(names)


def _literal(tokens: Sequence[_Token]) -> tuple[Any] | None:
    """The value in a tuple, as it may be null; None where it is no literal."""
    negative = len(tokens) == 2 and _text(tokens[0]) == "-"
    if len(tokens) != 1 + negative:
        return None
    token = tokens[-1]
    if token.kind == "number":
        value = float(token.text) if "." in token.text else int(token.text)
        return (-value if negative else value,)
    if negative:
        return None
    if token.kind == "text":
        return (_unquoted(token.text),) if "\\" not in token.text else None
    return (_CONSTANTS[token.text],) if token.text in _CONSTANTS else None


def _list(tokens: Sequence[_Token]) -> list[Any] | None:
    if len(tokens) < 2 or _text(tokens[0]) != "[" or _closes(tokens, 0) != len(tokens) - 1:
        return None
    found = [_literal(part) for part in _split(tokens[1:-1], ",")] if len(tokens) > 2 else []
    return None if any(one is None for one in found) else [one[0] for one in found if one is not None]


def _unquoted(text: str) -> str:
    return text[1:-1]
