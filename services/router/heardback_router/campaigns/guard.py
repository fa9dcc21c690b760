"""Keeps words that were not meant for customers out of what customers read. Pure.

Compared are runs of words, without case, accents, marks, spacing and characters that only look different: so
many in the same order do not come about by chance, and one word changed here and there does not hide a
sentence that was copied. Where a script puts no spaces between words, two characters count as a word.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from heardback_router.characters import plain

RUN = 6
"""Words in the same order that count as copied."""

AWAY = "gives away {}; take it out, or name its domain in may_name of the messages policy"

GuardedKind = Literal["internal", "feedback"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese."""
_SPELT = re.compile(rf"{_UNSPACED.pattern}|(?:(?!{_UNSPACED.pattern}).)+")


@dataclass(frozen=True, slots=True)
class Guarded:
    """A text that a customer must not find in a message: a colleague's, or another customer's feedback."""

    kind: GuardedKind
    item_id: str
    text: str
    customer_id: str | None = None


def words_of(text: str) -> list[str]:
    words = (word.replace("’", "'") for word in _WORD.findall(plain(text)))
    return [one for word in words for one in _SPELT.findall(word)]


def runs_of(text: str, length: int = RUN) -> frozenset[tuple[str, ...]]:
    """Every run of `length` words; none for a shorter text."""
    words = words_of(text)
    halves = [1 if _UNSPACED.fullmatch(word) else 2 for word in words]
    runs: set[tuple[str, ...]] = set()
    end, held = 0, 0
    for start, half in enumerate(halves):
        while held < 2 * length and end < len(words):
            held += halves[end]
            end += 1
        if held < 2 * length:
            break
        runs.add(tuple(words[start:end]))
        held -= half
    return frozenset(runs)


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


_ADDRESS = re.compile(r"[\w.+%-]+@([\w-]+(?:\.[\w-]+)+)")
_LINK = re.compile(r"(?:https?://|www\.)([\w-]+(?:\.[\w-]+)*)")
_PHONE = re.compile(r"(?<![\w+])(?:\+|00)\d(?:[ ()/.-]{0,2}\d){8,14}(?!\w)")
_IBAN = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?: ?[a-z0-9]){11,30}(?!\w)")


def contacts_in(text: str, named: Collection[str] = ()) -> list[str]:
    """What kinds of addresses, numbers and links a text gives away: no message needs any that the policy does
    not name, and one may be somebody else's. `named` are domains, with what is below them."""
    said = plain(text)
    found = []
    if any(not _named(host, named) for host in _ADDRESS.findall(said)):
        found.append("an e-mail address")
    if any(not _named(host, named) for host in _LINK.findall(_ADDRESS.sub(" ", said))):
        found.append("a link")
    accounts = [one for one in _IBAN.findall(said) if _is_iban(one)]
    if accounts:
        found.append("a bank account")
    if _PHONE.search(_IBAN.sub(" ", said) if accounts else said):
        found.append("a telephone number")
    return found


def _named(host: str, named: Collection[str]) -> bool:
    return any(host == one or host.endswith(f".{one}") for one in named)


def _is_iban(spelt: str) -> bool:
    """By its check digits (ISO 13616)."""
    plain_ = spelt.replace(" ", "")
    turned = plain_[4:] + plain_[:4]
    return len(plain_) <= 34 and int("".join(str(int(one, 36)) for one in turned)) % 97 == 1
