"""Cues found by patterns: high recall, each with the turn and the characters it was seen in."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from heardback_scoring.domain.needles import commonness, needles_of
from heardback_scoring.domain.words import STEM, Text
from heardback_shared.contracts.score import Cue

_CLAUSE_END = re.compile(
    r"[.!?;,:\n]|\b(?:but|because)\b|\b(?:and|so|then) (?=(?:i|we|you|they|he|she|it)\b)"
)
_DENIAL = re.compile(
    r"\b(?:not|never|no|nobody|none|nothing|without|neither|nor|dont|didnt|wouldnt|isnt|wasnt|arent"
    r"|(?:do|did|does|would|wo|is|are|was|were|have|has|had|am|ai)n't)\b"
    r"(?!\W+(?:let|allow|only|know|understand|see why))(?:\W+[\w']+){0,4}\W*$"
)
_PERMISSION = re.compile(r"\b(?:let|lets|allow|allowed|able|possible)\b")
_WINDOW = 48


def stems(words: str) -> frozenset[str]:
    """The first four letters of each of these words."""
    return frozenset(word[:STEM] for word in words.split())


_EVERYWHERE = stems(
    "and back been down else ever for from have here how just not now over some this was what will with"
    " you your"
)


@dataclass(frozen=True, slots=True)
class CueRule:
    """One cue.

    `stems` are the first four letters of words (the whole word when shorter): a text without any of them
    is not searched, nor one without any of `also` where that is given. A cue may have several rules.
    `deniable` patterns do not count when their clause denies them ("I don't want to …"). `probability` is
    the precision of the patterns over many texts, not a measurement of one text. `not_after` is one more
    way for a clause to deny a deniable pattern ("nice to …" before "talk to an agent" asks for nobody).
    """

    name: str
    probability: float
    stems: frozenset[str]
    also: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    deniable: tuple[str, ...] = ()
    not_after: str = ""
    examples: tuple[str, ...] = ()
    counterexamples: tuple[str, ...] = ()


class _OneOf:
    """Patterns searched as one, without those that cannot match."""

    __slots__ = ("_patterns",)

    def __init__(self, patterns: Sequence[str]) -> None:
        needles = map(needles_of, patterns)
        self._patterns = [
            (pattern, [need.beginnings for need in needs], [need.parts for need in needs])
            for pattern, needs in zip(patterns, needles, strict=True)
        ]

    def for_text(self, text: Text) -> re.Pattern[str] | None:
        """What to search this text with; None when nothing can be found."""
        beginnings, low = text.beginnings, text.low
        possible = []
        for pattern, needed_beginnings, needed_parts in self._patterns:
            for needed in needed_beginnings:
                if beginnings.isdisjoint(needed):
                    break
            else:
                for parts in needed_parts:
                    if not _holds_one(low, parts):
                        break
                else:
                    possible.append(pattern)
        return _one_of(tuple(possible)) if possible else None


def _holds_one(text: str, parts: tuple[str, ...]) -> bool:
    for part in parts:  # noqa: SIM110  (a generator would cost more than what it asks)
        if part in text:
            return True
    return False


@lru_cache(maxsize=1024)  # texts ask for the same few hundred sets of patterns again and again
def _one_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{p})" for p in patterns))


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: CueRule
    plain: _OneOf | None
    deniable: _OneOf | None
    not_after: re.Pattern[str] | None


class CueFinder:
    """Searches texts for the cues of one table. Holds compiled patterns only, so it can be shared."""

    def __init__(self, rules: Iterable[CueRule]) -> None:
        compiled = [
            _Compiled(
                rule=r,
                plain=_OneOf(r.patterns) if r.patterns else None,
                deniable=_OneOf(r.deniable) if r.deniable else None,
                not_after=re.compile(r.not_after) if r.not_after else None,
            )
            for r in rules
        ]
        self._compiled = compiled
        self._by_stem: dict[str, tuple[int, ...]] = {}
        for position, entry in enumerate(compiled):
            for stem in entry.rule.stems | _left_out(entry.rule):
                self._by_stem[stem] = (*self._by_stem.get(stem, ()), position)

    def find(self, turn: int, text: Text) -> list[Cue]:
        """The cues of one text in table order, each at most once, at its first place."""
        by_stem = self._by_stem
        candidates = {position for stem in by_stem.keys() & text.beginnings for position in by_stem[stem]}
        if not candidates:
            return []
        found: dict[str, Cue] = {}
        for position in sorted(candidates):
            entry = self._compiled[position]
            rule = entry.rule
            if rule.name in found or (rule.also and rule.also.isdisjoint(text.stems)):
                continue
            span = _first_place(entry, text)
            if span is not None:
                found[rule.name] = Cue(
                    name=rule.name, probability=rule.probability, turn=turn, span=span, by="pattern"
                )
        return list(found.values())


def _left_out(rule: CueRule) -> frozenset[str]:
    """Beginnings of words that a rule's patterns ask for and its stems leave out.

    A pattern is served when one set of its needles is all among the stems; else the one that lacks least is
    added, without words that most texts hold. With `also` the stems are the rule's own choice.
    """
    found: set[str] = set()
    if rule.also:
        return frozenset()
    for pattern in (*rule.patterns, *rule.deniable):
        lacking = [need.beginnings - rule.stems for need in needles_of(pattern)]
        found |= min(lacking, key=commonness, default=frozenset())
    return frozenset(found - _EVERYWHERE)


def find_in_turns(finder: CueFinder, texts: Sequence[tuple[int, Text]]) -> tuple[Cue, ...]:
    """The cues of all (turn index, text) pairs, in the order of the turns."""
    return tuple(cue for turn, text in texts for cue in finder.find(turn, text))


def _first_place(entry: _Compiled, text: Text) -> tuple[int, int] | None:
    if entry.plain and (plain := entry.plain.for_text(text)) and (match := plain.search(text.low)):
        return match.span()
    if entry.deniable and (deniable := entry.deniable.for_text(text)):
        for match in deniable.finditer(text.low):
            before = clause_before(text.low, match.start())
            if not is_denied(before) and not (entry.not_after and entry.not_after.search(before)):
                return match.span()
    return None


def clause_before(text: str, start: int) -> str:
    """What stands in front of `start` in its own clause, at most 48 characters."""
    return _CLAUSE_END.split(text[max(0, start - _WINDOW) : start])[-1]


def is_denied(before: str) -> bool:
    """Whether the beginning of a clause denies what follows it.

    "won't let me cancel" and "can't cancel" deny nothing.
    """
    match = _DENIAL.search(before)
    return match is not None and not _PERMISSION.search(before, match.start())
