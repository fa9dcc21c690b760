"""Templates of messages: Jinja2 in its sandbox, and of its language only what a letter needs. Pure.

A template may print known names, ask whether they are there, compare them, and go through the changes. It can
call nothing, reach no attribute but those of a change, and so neither loop for ever nor read anything else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

NAMES = frozenset(
    {
        "about",
        "raised_on",
        "changes",
        "plan",
        "answer",
        "due",
        "page",
        "confirm",
        "dispute",
        "contest",
        "preferences",
        "expires_on",
    }
)
"""What a template may name. Each is text, or none where it is not known; `changes` is a list."""
CHANGE_FIELDS = frozenset({"result", "text", "on", "reference", "language"})
"""`language` names that of `text` in the reader's, and is none where it is the reader's own."""
LOOP_FIELDS = frozenset({"first", "last", "index", "length"})

_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
)
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
)


class BadTemplateError(ValueError):
    """The text is no template as taken here. The message says what to mend."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One text with places to fill."""

    source: str
    compiled: Template = field(repr=False, compare=False)

    def fill(self, values: Mapping[str, Any]) -> str:
        """`values` has every one of NAMES. Blank lines in a row become one."""
        lines = [line.rstrip() for line in self.compiled.render(values).strip().splitlines()]
        kept = [line for n, line in enumerate(lines) if line or (n and lines[n - 1])]
        return "\n".join(kept)


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    subject: Pattern
    body: Pattern


def pattern(source: str) -> Pattern:
    """Raises BadTemplateError."""
    try:
        tree = _ENVIRONMENT.parse(source)
    except TemplateError as error:
        raise BadTemplateError(f"is not a template: {error}") from error
    _check(tree, frozenset())
    return Pattern(source, _ENVIRONMENT.from_string(source))


def _check(node: nodes.Node, inner: frozenset[str]) -> None:
    if not isinstance(node, _NODES):
        what = type(node).__name__.lower()
        raise BadTemplateError(f"uses {what}; only names, if, for and comparisons are taken")
    if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in NAMES | inner:
        raise BadTemplateError(
            f"names {node.name!r}, which is not known; known are {', '.join(sorted(NAMES))}"
        )
    if isinstance(node, nodes.Getattr):
        _check_attribute(node, inner)
    if isinstance(node, nodes.For):
        inner = _checked_loop(node, inner)
    for child in node.iter_child_nodes():
        _check(child, inner)


def _check_attribute(node: nodes.Getattr, inner: frozenset[str]) -> None:
    of = node.node.name if isinstance(node.node, nodes.Name) else ""
    allowed = LOOP_FIELDS if of == "loop" else CHANGE_FIELDS
    if of not in inner or node.attr not in allowed:
        raise BadTemplateError(f"reads {of}.{node.attr}; a change has {', '.join(sorted(CHANGE_FIELDS))}")


def _checked_loop(node: nodes.For, inner: frozenset[str]) -> frozenset[str]:
    over = isinstance(node.iter, nodes.Name) and node.iter.name == "changes"
    if not over or not isinstance(node.target, nodes.Name) or node.recursive:
        raise BadTemplateError("may only go through changes: {% for change in changes %}")
    if node.target.name in NAMES | {"loop"}:
        raise BadTemplateError(f"calls a change {node.target.name!r}, which names something else already")
    return inner | {node.target.name, "loop"}
