"""Cues found by patterns: high recall, each with the turn and the characters it was seen in."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heardback_scoring.domain.words import Text
from heardback_shared.contracts.score import Cue

_STEM = 4
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
    return frozenset(word[:_STEM] for word in words.split())


@dataclass(frozen=True, slots=True)
class CueRule:
    """One cue.

    `stems` are the first four letters of words (the whole word when shorter): a text without any of them
    is not searched, nor one without any of `also` where that is given. A cue may have several rules.
    `deniable` patterns do not count when their clause denies them ("I don't want to …"). `probability` is
    the precision expected of the patterns, not a measurement of one text.
    """

    name: str
    probability: float
    stems: frozenset[str]
    also: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    deniable: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    counterexamples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: CueRule
    plain: re.Pattern[str] | None
    deniable: re.Pattern[str] | None


class CueFinder:
    """Searches texts for the cues of one table. Holds compiled patterns only, so it can be shared."""

    def __init__(self, rules: Iterable[CueRule]) -> None:
        compiled = [_Compiled(r, _one_of(r.patterns), _one_of(r.deniable)) for r in rules]
        self._compiled = compiled
        self._by_stem: dict[str, tuple[int, ...]] = {}
        for position, entry in enumerate(compiled):
            for stem in entry.rule.stems:
                self._by_stem[stem] = (*self._by_stem.get(stem, ()), position)

    def find(self, turn: int, text: Text) -> list[Cue]:
        """The cues of one text in table order, each at most once, at its first place."""
        found_stems = {word[:_STEM] for word in text.words}
        by_stem = self._by_stem
        candidates = {position for stem in found_stems if stem in by_stem for position in by_stem[stem]}
        if not candidates:
            return []
        found: dict[str, Cue] = {}
        for position in sorted(candidates):
            entry = self._compiled[position]
            rule = entry.rule
            if rule.name in found or (rule.also and rule.also.isdisjoint(found_stems)):
                continue
            span = _first_place(entry, text.low)
            if span is not None:
                found[rule.name] = Cue(
                    name=rule.name, probability=rule.probability, turn=turn, span=span, by="pattern"
                )
        return list(found.values())


def find_in_turns(finder: CueFinder, texts: Sequence[tuple[int, Text]]) -> tuple[Cue, ...]:
    """The cues of all (turn index, text) pairs, in the order of the turns."""
    return tuple(cue for turn, text in texts for cue in finder.find(turn, text))


def _one_of(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(f"(?:{p})" for p in patterns)) if patterns else None


def _first_place(entry: _Compiled, text: str) -> tuple[int, int] | None:
    if entry.plain is not None and (match := entry.plain.search(text)):
        return match.span()
    if entry.deniable is not None:
        for match in entry.deniable.finditer(text):
            if not is_denied(text, match.start()):
                return match.span()
    return None


def is_denied(text: str, start: int) -> bool:
    """Whether the clause in front of `start` denies what stands there.

    Looks back 48 characters at most, not past the clause; "won't let me cancel" and "can't cancel" deny
    nothing.
    """
    before = _CLAUSE_END.split(text[max(0, start - _WINDOW) : start])[-1]
    match = _DENIAL.search(before)
    return match is not None and not _PERMISSION.search(before, match.start())
