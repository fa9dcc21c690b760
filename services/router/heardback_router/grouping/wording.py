"""Telling apart what is said in nearly the same words of another thing, or of its opposite. Pure.

Embeddings of "the app crashes when I open the camera" and "… the calendar" are near; so are those of a
sentence and its negation. Texts that share most of their words differ in what the remaining words say. The
small words are English; those of another language count as words that say something.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

SHARED = 0.5
"""From this share of common words on, the words that differ are what it is about."""
READ = 600
"""So many characters of each text are compared; longer ones are seldom said in the same words."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_DENYING = """
no not never nothing nobody none neither nor without cannot cant dont doesnt didnt isnt wasnt wont
havent hasnt hadnt couldnt wouldnt shouldnt arent werent
"""
_CARRYING_LITTLE = """
a about after again all already also am an and any are as at be been before but by can could did do
does doing for from get gets getting give got had has have having hello help hey hi how i if in into
is it its just know let like may me might mine more most much must my need now of on once one or our
over please really should since so some still such sure tell than thank thanks that the their them
then there these they this those to too try trying us very want was we were what when where which
while who why will with would yet you your
"""
_NEGATIONS = frozenset(_DENYING.split())
_SMALL = frozenset(_CARRYING_LITTLE.split())


def unlike(one: str, other: str) -> bool:
    """True when the two share most of their words, and yet each speaks of something the other does not, or
    one denies what the other says."""
    mine, theirs = _words(one[:READ]), _words(other[:READ])
    only_mine = [word for word in mine[0] if not _pairs(word, theirs[0])]
    only_theirs = [word for word in theirs[0] if not _pairs(word, mine[0])]
    shared = len(mine[0]) - len(only_mine)
    if shared == 0 or shared < SHARED * (shared + max(len(only_mine), len(only_theirs))):
        return False
    return bool(only_mine and only_theirs) or mine[1] != theirs[1]


@lru_cache(maxsize=4_096)
def _words(text: str) -> tuple[tuple[str, ...], bool]:
    """(the words that carry meaning, each once; whether something is denied)."""
    found = [word.replace("'", "") for word in _WORD.findall(text.lower().replace("’", "'"))]
    denied = sum(word in _NEGATIONS for word in found) % 2 == 1
    telling = [word for word in found if word not in _SMALL and word not in _NEGATIONS]
    return tuple(dict.fromkeys(telling)), denied


def _pairs(word: str, others: Sequence[str]) -> bool:
    return any(_same_word(word, other) for other in others)


@lru_cache(maxsize=16_384)
def _same_word(one: str, other: str) -> bool:
    """The same word, another form of it, or one slip of the fingers away."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(short) < 4:
        return long.startswith(short) and len(long) - len(short) <= 1 and len(short) > 1
    stem = max(4, len(short) - 2)
    return short[:stem] == long[:stem] or _one_slip(short, long)


def _one_slip(short: str, long: str) -> bool:
    """One letter left out, doubled, replaced, or two neighbours swapped."""
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    mine, theirs = short[start:], long[start:]
    if len(short) == len(long):
        return mine[1:] == theirs[1:] or (mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:])
    return len(long) - len(short) == 1 and mine == theirs[1:]
