"""What a text must hold for a pattern to match it, read from the pattern itself.

Comparing a text's beginnings of words with a few fixed ones is far cheaper than a search that finds nothing.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from heardback_scoring.domain.words import SHORT_STEM, STEM

_TOKEN = re.compile(
    r"(?P<open>\(\?[:!=])|(?P<close>\))|(?P<bar>\|)|(?P<repeat>(?:[?*+]|\{\d+(?:,\d*)?\})\??)"
    r"|(?P<edge>\\b)|(?P<other>\[\^?\]?[^\]]*\]|\\[wWdDsS]|[.$^])|(?P<fixed>\\[\W_]|[^\\()])"
)
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Needles:
    """A text that matches has one of `beginnings` among its own, and holds one of `parts`.

    The first is quick to ask, the second tells more.
    """

    beginnings: frozenset[str]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """What part of a pattern asks for; `at_edge`: what follows it stands at the edge of a word."""

    needs: tuple[Needles, ...]
    at_edge: bool


@lru_cache(maxsize=4096)  # every finder of cues asks about the same patterns, each of them twice
def needles_of(pattern: str) -> tuple[Needles, ...]:
    """Every set of needles the pattern asks for, the most telling first; none where nothing is certain.

    Understands literals, classes, groups that capture nothing, lookaheads, alternatives and repeats.
    Raises ValueError for any other syntax: a wrong needle would hide matches.
    """
    tokens = list(_tokens(pattern))
    found, end = _alternatives(tokens, 0, at_edge=False)
    if end != len(tokens):
        raise ValueError(f"unbalanced parenthesis in {pattern!r}")
    return tuple(sorted(dict.fromkeys(found.needs), key=lambda need: commonness(need.beginnings)))


def commonness(beginnings: AbstractSet[str]) -> float:
    """Roughly how many texts have one of them: a long beginning is rarer than a short one."""
    return sum(0.25 ** len(beginning) for beginning in beginnings)


def _tokens(pattern: str) -> Iterator[tuple[str, str]]:
    """(kind, text), the kinds being the names of groups in `_TOKEN`."""
    place = 0
    while place < len(pattern):
        match = _TOKEN.match(pattern, place)
        if match is None or match.lastgroup is None:
            raise ValueError(f"{pattern!r} is not understood from character {place} on")
        yield match.lastgroup, match[0]
        place = match.end()


def _alternatives(tokens: list[tuple[str, str]], place: int, *, at_edge: bool) -> tuple[_Found, int]:
    """What the alternatives from `place` to the closing parenthesis ask for together, and where they end."""
    branches: list[_Found] = []
    while True:
        found, place = _sequence(tokens, place, at_edge=at_edge)
        branches.append(found)
        if place >= len(tokens) or tokens[place][0] == "close":
            break
        place += 1
    edge_after = all(b.at_edge for b in branches)
    if len(branches) == 1:
        return branches[0], place
    if not all(b.needs for b in branches):
        return _Found((), edge_after), place
    rarest = [min(b.needs, key=lambda need: commonness(need.beginnings)) for b in branches]
    together = Needles(
        frozenset[str]().union(*(need.beginnings for need in rarest)),
        tuple(dict.fromkeys(part for need in rarest for part in need.parts)),
    )
    return _Found((together,), edge_after), place


def _sequence(tokens: list[tuple[str, str]], place: int, *, at_edge: bool) -> tuple[_Found, int]:
    """What one alternative asks for: the words of its fixed characters, and its groups."""
    needs: list[Needles] = []
    run, run_at_edge = "", at_edge
    while place < len(tokens) and tokens[place][0] not in ("close", "bar"):
        kind, text = tokens[place]
        inner = _Found((), at_edge=kind == "edge")
        if kind == "open":
            inner, place = _alternatives(tokens, place + 1, at_edge=at_edge)
            if text != "(?:":
                inner = _Found((), at_edge)
        place += 1
        repeat = tokens[place][1] if place < len(tokens) and tokens[place][0] == "repeat" else ""
        if kind == "fixed" and not repeat:
            run += text[-1]
            at_edge = not (text[-1].isalnum() or text[-1] == "_")
            continue
        place += bool(repeat)
        needs += _words(run, at_edge=run_at_edge)
        if repeat.startswith(("?", "*", "{0")):
            at_edge = at_edge and inner.at_edge
        else:
            needs += inner.needs
            at_edge = inner.at_edge
        run, run_at_edge = "", at_edge
    needs += _words(run, at_edge=run_at_edge)
    return _Found(tuple(needs), at_edge), place


def _words(run: str, *, at_edge: bool) -> list[Needles]:
    """Needles for each word of a run. The first may be the rest of a longer word unless it is at an edge."""
    return [
        Needles(frozenset([word[0][:STEM]]), (run,))
        for word in _WORD.finditer(run)
        if len(word[0]) >= SHORT_STEM and (word.start() > 0 or at_edge)
    ]
