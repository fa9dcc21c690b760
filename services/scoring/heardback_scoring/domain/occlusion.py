"""Which words carried a label: what the model says of a text when parts of it are left out.

Leave-one-out occlusion (Li, Monroe, Jurafsky 2016): the weight of a part is the probability of the label for
the whole text minus that for the text without the part.
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
LEAST_WEIGHT = 0.05
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
    """A text with one span left out."""

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


def variants(text: str, spans: Sequence[Span]) -> tuple[Variant, ...]:
    """One per span, except those that would leave nothing to read."""
    made = (Variant(span, without(text, span)) for span in spans)
    return tuple(v for v in made if v.text != text and re.search(r"\w", v.text))


def stage_one(text: str) -> tuple[Variant, ...]:
    """Without each clause; a text of one clause is taken apart into words at once."""
    parts = clauses(text)
    return variants(text, parts if len(parts) > 1 else words(text, (0, len(text))))


def stage_two(text: str, strongest: Span) -> tuple[Variant, ...]:
    """Without each word of the clause that carried most; nothing when it is a single word already."""
    parts = words(text, strongest)
    return variants(text, parts) if len(parts) > 1 else ()


def weights(label: str, whole: Chances, parts: Sequence[tuple[Span, Chances]]) -> list[tuple[Span, float]]:
    """(span, −1…1), greatest first, then from left to right, whatever order the parts come in.

    Above zero the part spoke for the label, below zero against it. A reading that lacks the label
    counts as 0.
    """
    full = whole.get(label, 0.0)
    found = [(span, max(-1.0, min(1.0, full - chances.get(label, 0.0)))) for span, chances in parts]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def strongest(label: str, whole: Chances, parts: Sequence[tuple[Span, Chances]]) -> Span | None:
    """The span that carried most, if any carried enough to be named."""
    found = weights(label, whole, parts)
    return found[0][0] if found and found[0][1] >= LEAST_WEIGHT else None


def sharpened(
    label: str,
    whole: Chances,
    coarse: Sequence[tuple[Span, Chances]],
    fine: Mapping[Span, Sequence[tuple[Span, Chances]]],
) -> list[tuple[Span, Chances]]:
    """The clauses, with the words of one in its place where a word carries half of what the clause does."""
    parts: list[tuple[Span, Chances]] = []
    for (span, weight), chances in ((weights(label, whole, [one])[0], one[1]) for one in coarse):
        inside = fine.get(span, ())
        best = weights(label, whole, inside)
        sharp = bool(best) and best[0][1] >= max(LEAST_WEIGHT, SHARP * weight)
        parts += inside if sharp else [(span, chances)]
    return parts


def evidence(
    label: str, turn: int, whole: Chances, parts: Sequence[tuple[Span, Chances]]
) -> tuple[Evidence, ...]:
    """The few spans that carried the label, greatest first.

    One that overlaps a greater one is left out: the same words are named once.
    """
    named: list[Evidence] = []
    for span, weight in weights(label, whole, parts):
        if weight < LEAST_WEIGHT or len(named) == MOST_EVIDENCE:
            break
        if not any(span[0] < other.span[1] and other.span[0] < span[1] for other in named):
            named.append(Evidence(label=label, turn=turn, span=span, weight=round(weight, 4)))
    return tuple(named)
