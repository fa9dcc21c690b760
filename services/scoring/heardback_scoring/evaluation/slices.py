"""Slices of a set: the kinds of text a good average may hide."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.words import Text
from heardback_scoring.evaluation.data import Row

Mask = NDArray[np.bool_]
ALL = "all"
_FEWEST_OF_A_VALUE = 20
_NEGATION = re.compile(
    r"\b(?:not|no|never|nobody|nothing|none|nor|neither|without|cannot|hardly|barely)\b"
    r"|n't\b|\b(?:dont|doesnt|didnt|isnt|wasnt|cant|couldnt|wont|wouldnt|havent|hasnt)\b"
)
_CONTRAST = re.compile(r"\w\W+(?:but|however|although|though|yet|except|despite)\b")
_QUESTION_ANSWERED = re.compile(r"\?\s+(?:[^\W\d_][\w']*\W*){1,3}$")
_LONG_LETTERS = re.compile(r"([a-z])\1\1")
_MISSPELT = (
    "recieve recieved definately seperate untill wich becuase beacuse teh thier realy awsome horible terible "
    "dissapointed disapointed dissapointing custmer costumer servise delivary untill occured refered adress "
    "acount wierd alot goverment excelent exellent greatful truely allways allready tommorow dont doesnt "
    "didnt isnt wasnt cant couldnt wont wouldnt havent hasnt im ive thats whats u ur r pls plz thx thru tho "
    "cuz bcoz coz gonna wanna gud gr8 b4 2day msg ppl smth becoz wat dat da lil yall"
)
_MISSPELT_WORDS = frozenset(_MISSPELT.split())
_EMOJI = re.compile("[\U0001f300-\U0001faff☀-➿⬀-⯿←-⇿]|[:;=]-?[)(DPp]|<3")

_TESTS: dict[str, Callable[[Text], bool]] = {
    "length 1-3": lambda text: len(text.original.split()) <= 3,
    "length 4-10": lambda text: 4 <= len(text.original.split()) <= 10,
    "length 11-25": lambda text: 11 <= len(text.original.split()) <= 25,
    "length 26+": lambda text: len(text.original.split()) > 25,
    "negation": lambda text: bool(_NEGATION.search(text.low)),
    "contrast": lambda text: bool(_CONTRAST.search(text.low)),
    "question with a short answer": lambda text: bool(_QUESTION_ANSWERED.search(text.low)),
    "typos": lambda text: bool(_LONG_LETTERS.search(text.low) or not _MISSPELT_WORDS.isdisjoint(text.words)),
    "upper case": lambda text: _shouted(text.original),
    "emoji": lambda text: bool(_EMOJI.search(text.original)),
}
FIELDS = {"source": "source", "industry": "industry", "domain": "domain", "lang": "language"}


def text_slices(rows: Sequence[Row]) -> dict[str, Mask]:
    """Every slice that has a row, by name; `all` first. A row may be in several."""
    texts = [Text.of(row.text) for row in rows]
    masks: dict[str, Mask] = {ALL: np.ones(len(rows), np.bool_)}
    for name, test in _TESTS.items():
        masks[name] = np.array([test(text) for text in texts], np.bool_)
    masks.update(_by_field(rows))
    return {name: mask for name, mask in masks.items() if mask.any()}


def _by_field(rows: Sequence[Row]) -> dict[str, Mask]:
    """One slice per value of the fields that say where a text comes from, if they have several."""
    masks = {}
    for field, title in FIELDS.items():
        values = [str(row.data.get(field, "")) for row in rows]
        counts = Counter(value for value in values if value)
        if len(counts) > 1:
            for value in sorted(v for v, n in counts.items() if n >= _FEWEST_OF_A_VALUE):
                masks[f"{title} {value}"] = np.array([v == value for v in values], np.bool_)
    return masks


def _shouted(text: str) -> bool:
    """At least a third of four or more letters are capitals."""
    letters = [letter for letter in text if letter.isalpha()]
    return len(letters) >= 4 and 3 * sum(letter.isupper() for letter in letters) >= len(letters)
