"""Promises that a German text of ours seems to give. Pure; a suggestion only, as in English.

A German promise is often said in the present tense ("Ich rufe Sie morgen zurück"). A clause gives one if
somebody on our side does something that can be kept or broken later, if the customer is to get or hear
something, or if a thing is to be done or to arrive. What may as well be done at once needs a time beside it.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from heardback_router.promises import german_words as words
from heardback_router.promises.german_dates import due_in_german

LONGEST = 400
"""Characters of a clause that are read; nobody promises anything after so many."""

_CLAUSE = re.compile(r"(?:[^,;:!?]|[,:](?=\d))+")
_SENTENCE = re.compile(
    r"(?:[^.!?\n]|\.(?=\w)|(?<=\d)\.(?=[^\n]*\S)|\b(?:bzw|ca|ggf|Nr|Std|evtl|inkl|z|B|d|h)\.)+[.!?]*"
)
_TOKEN = re.compile(r"[^\W_]+")


def sentences_in(text: str) -> Iterator[re.Match[str]]:
    return _SENTENCE.finditer(text)


def commitments_in(sentence: str, at: datetime) -> Iterator[tuple[tuple[int, int], datetime | None]]:
    """Where in the sentence each promise begins and ends, and when it is due. `at` is when it was said."""
    if sentence.rstrip().endswith("?"):
        return
    clauses = [(found.start(), found[0][:LONGEST].lower()) for found in _CLAUSE.finditer(sentence)]
    given: list[int] = []
    covered = False
    for number, (_, said) in enumerate(clauses):
        before = clauses[number - 1][1] if number else ""
        if covered:
            covered = False
        elif words.SWORN.search(said) and not words.NO.search(said):
            given.append(number)
            covered = True
        elif _gives(said, before, at):
            given.append(number)
            # What somebody sees to is said in the clause that follows.
            covered = words.CONCERN.search(said) is not None
    starts = [clauses[number][0] for number in given]
    for place, start in enumerate(starts):
        end = starts[place + 1] if place + 1 < len(starts) else len(sentence)
        yield (start, end), due_in_german(sentence[start if place else 0 : end], at)


def _gives(said: str, before: str, at: datetime) -> bool:
    """Whether a clause, in lower case, gives a promise; `before` is the one before it."""
    if words.NO.search(said) or words.SUBORDINATE.search(said) or words.REPORTED.search(before):
        return False
    timed = due_in_german(said, at) is not None
    if timed and words.ARRIVES.search(said) and not words.WAS.search(said):
        return True
    if words.MODAL.search(said):
        return False
    tokens = _TOKEN.findall(said)
    often = words.HABIT.search(said) is not None
    if _will_be_done(said, tokens, timed=timed, often=often):
        return True
    if words.YOU_GET.search(said):
        return not often
    return _ours(tokens, before) and _we_do(said, tokens, timed=timed, often=often)


def _will_be_done(said: str, tokens: Sequence[str], *, timed: bool, often: bool) -> bool:
    if words.WILL_BE.search(said):
        return True
    if often or not words.WILL & set(tokens):
        return False
    done = any(words.DONE.fullmatch(one) for one in tokens)
    return done or (timed and words.PARTICIPLE.fullmatch(tokens[-1]) is not None)


def _ours(tokens: Sequence[str], before: str) -> bool:
    """Whether somebody on our side acts; in a relative clause, somebody named before it."""
    if words.WE & set(tokens) or any(words.PERSON.fullmatch(one) for one in tokens):
        return True
    if tokens[:1] and tokens[0] in words.RELATIVE:
        return any(words.PERSON.fullmatch(one) for one in _TOKEN.findall(before))
    return False


def _we_do(said: str, tokens: Sequence[str], *, timed: bool, often: bool) -> bool:
    if _will_do(tokens):
        return True
    if words.AT_ONCE.search(said):
        return False
    to_them = bool(words.YOU & set(tokens)) and not words.MAY_BE_NOW & set(tokens)
    return _does(tokens) or ((timed or to_them) and not often and _acts(tokens))


def _will_do(tokens: Sequence[str]) -> bool:
    """werden with an infinitive, which ends the clause or stands before "und"."""
    if not words.WILL & set(tokens):
        return False
    last = [one for one, follows in zip(tokens, [*tokens[1:], "und"], strict=True) if follows == "und"]
    return any(words.INFINITIVE.fullmatch(one) and one not in words.NEVER_KEPT for one in last)


def _does(tokens: Sequence[str]) -> bool:
    """Whether a verb that promises stands in the present tense, in the form of whoever acts."""
    who = "ich" if "ich" in tokens else "wir" if "wir" in tokens else "other"
    for place, word in enumerate(tokens):
        stems = [word.removesuffix(end) for end in words.ENDINGS[who] if word.endswith(end)]
        verb = next(
            (words.LATER[s] for s in (words.THIRD_PERSON.get(word, ""), *stems) if s in words.LATER), None
        )
        if verb is not None and _whole(verb, word, tokens) and not _asked_of_them(place, tokens):
            return True
    return False


def _acts(tokens: Sequence[str]) -> bool:
    """Whether somebody on our side does anything at all: a verb in the present tense beside who acts."""
    for place, word in enumerate(tokens):
        endings: tuple[str, ...] = ("t", "en")
        beside: tuple[int, ...] = (place - 3, place - 2, place + 1, place + 2)
        if word in words.WE:
            endings = ("e",) if word == "ich" else ("en", "ern", "eln")
            beside = (place - 1, place + 1)
        elif not words.PERSON.fullmatch(word):
            continue
        near = [tokens[at] for at in beside if 0 <= at < len(tokens)]
        if any(_is_doing(one, endings) for one in near):
            return True
    return False


def _is_doing(word: str, endings: tuple[str, ...]) -> bool:
    return word.endswith(endings) and word not in words.NEVER_KEPT and not words.PAST.fullmatch(word)


def _whole(verb: words.Verb, word: str, tokens: Sequence[str]) -> bool:
    return not verb.needs or any(part in tokens or word.startswith(part) for part in verb.needs)


def _asked_of_them(place: int, tokens: Sequence[str]) -> bool:
    """“Schicken Sie …” asks the customer."""
    follows = tokens[place + 1] if place + 1 < len(tokens) else ""
    return follows == "sie" and (place == 0 or tokens[place - 1] == "bitte")
