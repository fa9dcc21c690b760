"""Which words carried a label: what the model says of each clause alone, and of a clause without some words.

Leave-one-out occlusion (Li, Monroe, Jurafsky 2016) within a clause: the weight of words is the probability
of the label for their clause minus that for the clause without them. Of a clause without all its words
nothing is left, and a text that says nothing has no label: the weight of a whole clause is its probability.
Clauses are read alone because a long angry text without any one of them is as angry as before.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from heardback_shared.contracts.score import Evidence

Span = tuple[int, int]
Chances = Mapping[str, float]
"""Probability by label."""

MOST_CLAUSES = 6
MOST_WORDS = 8
LEAST_WEIGHT = 0.2
"""A smaller change is no evidence."""
SHARP = 0.5
MOST_EVIDENCE = 3
"""Per label."""

_BREAK = re.compile(
    r"[.!?…;,:\n。！？，；]+[\"')\]’”]*\s*|\s+(?=(?:but|because|although|though|however|so|and then)\b)", re.I
)
_PIECE = re.compile(r"\w+(?:['’\-]\w+)*|[^\w\s]+")


@dataclass(frozen=True, slots=True)
class Variant:
    """A text to be read to learn what a span carries."""

    span: Span
    text: str


def clauses(text: str) -> tuple[Span, ...]:
    """Where the clauses of a text lie: in order, without overlap, at most `MOST_CLAUSES`, no outer spaces.

    Every letter and sign lies in one of them or in the punctuation and spaces between two. The clauses of
    a longer text are taken together, as many to each as to the others.
    """
    starts = [0, *(m.end() for m in _BREAK.finditer(text))]
    ends = [*(m.end() for m in _BREAK.finditer(text)), len(text)]
    spans = [trimmed(text, (start, end)) for start, end in zip(starts, ends, strict=True)]
    return _gathered([span for span in spans if _PIECE.search(text, *span)], MOST_CLAUSES)


def words(text: str, within: Span) -> tuple[Span, ...]:
    """The words and signs (an emoji, "!!") inside a span, neighbours together so that there are few."""
    return _gathered([m.span() for m in _PIECE.finditer(text, *within)], MOST_WORDS)


def trimmed(text: str, span: Span) -> Span:
    part = text[span[0] : span[1]]
    start = span[0] + len(part) - len(part.lstrip())
    return (start, max(start, span[0] + len(part.rstrip())))


def _gathered(spans: Sequence[Span], most: int) -> tuple[Span, ...]:
    """At most `most` spans, each over about as many neighbours as any other."""
    if len(spans) <= most:
        return tuple(spans)
    cuts = [len(spans) * i // most for i in range(most + 1)]
    return tuple((spans[a][0], spans[b - 1][1]) for a, b in pairwise(cuts))


def without(text: str, span: Span) -> str:
    """The text as if the span had not been written; no span, no change."""
    start, end = span
    if start >= end:
        return text
    before, after = text[:start].rstrip(), text[end:].lstrip()
    return f"{before} {after}" if before and after else before or after


def stage_one(text: str) -> tuple[Variant, ...]:
    """Each clause alone; nothing for a text of one clause, which has been read already."""
    parts = clauses(text)
    return tuple(Variant(span, text[slice(*span)]) for span in parts) if len(parts) > 1 else ()


def stage_two(text: str, clause: Span) -> tuple[Variant, ...]:
    """The clause without each of its words; nothing when it is a single word already."""
    alone = text[slice(*clause)]
    made = [Variant(s, without(alone, (s[0] - clause[0], s[1] - clause[0]))) for s in words(text, clause)]
    return tuple(variant for variant in made if re.search(r"\w", variant.text))


def weights(label: str, whole: Chances, parts: Sequence[tuple[Span, Chances]]) -> list[tuple[Span, float]]:
    """(span left out, −1…1), greatest first, then from left to right, whatever order the parts come in.

    Above zero the words spoke for the label, below zero against it. A reading that lacks the label counts
    as 0.
    """
    full = whole.get(label, 0.0)
    found = [(span, max(-1.0, min(1.0, full - chances.get(label, 0.0)))) for span, chances in parts]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def strongest(label: str, coarse: Sequence[tuple[Span, Chances]]) -> Span | None:
    """The clause that says most for the label, if any says enough to be named."""
    ranked = sorted(coarse, key=lambda one: (-one[1].get(label, 0.0), one[0]))
    return ranked[0][0] if ranked and ranked[0][1].get(label, 0.0) >= LEAST_WEIGHT else None


def evidence(
    label: str,
    turn: int,
    coarse: Sequence[tuple[Span, Chances]],
    fine: Mapping[Span, Sequence[tuple[Span, Chances]]],
) -> tuple[Evidence, ...]:
    """The few spans that carried the label, greatest first; none overlaps another.

    `coarse` are the clauses, read alone; `fine` are those read without some of their words. Words stand in
    the place of their clause where they carry half of what it does.
    """
    found: list[tuple[Span, float]] = []
    for span, chances in coarse:
        weight = max(0.0, min(1.0, chances.get(label, 0.0)))
        inside = weights(label, chances, fine.get(span, ()))
        sharp = bool(inside) and inside[0][1] >= max(LEAST_WEIGHT, SHARP * weight)
        found += inside if sharp else [(span, weight)]
    named: list[Evidence] = []
    for span, weight in sorted(found, key=lambda one: (-one[1], one[0])):
        if weight < LEAST_WEIGHT or len(named) == MOST_EVIDENCE:
            break
        if not any(span[0] < other.span[1] and other.span[0] < span[1] for other in named):
            named.append(Evidence(label=label, turn=turn, span=span, weight=round(weight, 4)))
    return tuple(named)
