"""Keeps words that were not meant for customers out of what customers read. Pure.

Compared are runs of words, without case, marks and spacing: so many in the same order do not come about by
chance, and one word changed here and there does not hide a sentence that was copied.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

RUN = 6
"""Words in the same order that count as copied."""

GuardedKind = Literal["internal", "feedback"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Guarded:
    """A text that a customer must not find in a message: a colleague's, or another customer's feedback."""

    kind: GuardedKind
    item_id: str
    text: str
    customer_id: str | None = None


def words_of(text: str) -> list[str]:
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]


def runs_of(text: str, length: int = RUN) -> frozenset[tuple[str, ...]]:
    """Every run of `length` words; none for a shorter text."""
    words = words_of(text)
    return frozenset(tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def leaks(
    texts: Sequence[str], guarded: Iterable[Guarded], told: frozenset[str] = frozenset()
) -> Iterator[tuple[int, Guarded]]:
    """(which of the texts, whose words it holds), for each pair. Customers in `told` may read their own
    words, and where they are all who is told, nobody else reads them."""
    runs = [runs_of(text) for text in texts]
    everywhere: frozenset[tuple[str, ...]] = frozenset().union(*runs)
    for one in guarded:
        if one.kind == "feedback" and one.customer_id is not None and one.customer_id in told:
            continue
        found = runs_of(one.text) & everywhere
        if found:
            yield from ((number, one) for number, own in enumerate(runs) if own & found)
