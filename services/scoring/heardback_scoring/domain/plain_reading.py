"""The text as a model should read it: without who speaks, and in standard English. What is said stays.

A customer's origin, faith, name or dialect is no reason for another reading. Only the model gets this text:
patterns, spans and people keep the original.
"""

import re
from functools import partial
from re import Match, Pattern

from pydantic import BaseModel, ConfigDict, Field

from heardback_scoring.domain.words import folded, words_of

LONGEST = 12
"""A plain text has at most this many characters for each of the original."""
_PASSES = 4
_WORD = re.compile(r"(?<![#@\w])[^\W\d_]+(?:['’][^\W\d_]+)*")
"""Not a tag or a handle: a topic is no person."""
_LARGE = re.compile(r"[A-ZÀ-ÖØ-Þ][^\W\d_]+")
_START = re.compile(r"(?:^|[.!?\n]\s*)$")
_TONGUE = re.compile(
    r"\b(?:in|into|speaks?|spoke|speaking|spoken|understands?|fluent)\s+(?:only\s+|any\s+|no\s+)?$", re.I
)
_QUALIFIES = re.compile(r"\s+[a-z]")
_OWN_TONGUE = "english"
_SKIN = re.compile(
    r"\b(?:black|white|brown|coloured|colored)"
    r"(?=\s(?:wo)?(?:man|men|person|people|lady|guy|girl|boy|family|gentleman|customers?)\b)",
    re.I,
)
_COLOURS = frozenset(("black", "white", "brown", "coloured", "colored"))
_DASHES = "-–—"


class Phrase(BaseModel):
    """`find` is a regular expression, looked for where one of the words of `when` stands in the text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: frozenset[str]
    find: Pattern[str]
    say: str


class ReadingPolicy(BaseModel):
    """Small-letter words for who is speaking and how; `person`, `people`, `place`, `tongue` and `name` are
    what is read instead. See policies/reading.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    person: str
    people: str
    place: str
    tongue: str
    name: str
    capital_only: frozenset[str]
    members: frozenset[str]
    groups: frozenset[str]
    countries: frozenset[str]
    no_names: frozenset[str]
    before_names: tuple[str, ...] = Field(min_length=1)
    introductions: tuple[str, ...] = Field(min_length=1)
    after_introductions: tuple[str, ...] = Field(min_length=1)
    after_names: tuple[str, ...] = Field(min_length=1)
    closings: tuple[str, ...] = Field(min_length=1)
    words: dict[str, str]
    phrases: tuple[Phrase, ...]


class PlainReading:
    """A policy, made ready once. Pure: the same text always reads the same."""

    def __init__(self, policy: ReadingPolicy) -> None:
        self._policy = policy
        self._who = {
            **dict.fromkeys(policy.members, policy.person),
            **dict.fromkeys(policy.groups, policy.people),
            **dict.fromkeys(policy.countries, policy.place),
        }
        self._word = self._who | policy.words
        self._names = _names(policy)
        self._phrases = [
            (p.when, re.compile(p.find.pattern, re.IGNORECASE), partial(_said, p.say)) for p in policy.phrases
        ]
        self._phrase_signs = frozenset(word for p in policy.phrases for word in p.when)
        self._signs = frozenset(self._word) | _COLOURS | self._phrase_signs
        person = re.escape(policy.person)
        self._repeated = re.compile(rf"\b{person}(?:[ -]{person})+\b", re.IGNORECASE)
        self._an = re.compile(rf"\b([Aa])n (?={person}\b|{re.escape(policy.place)}\b)")

    def of(self, text: str) -> str:
        """The plain text; the same object when there is nothing to change. Done again it changes nothing."""
        for _ in range(_PASSES):
            plain = self._once(text)
            if plain == text:
                return text
            text = plain
        return text

    def _once(self, text: str) -> str:
        words = _words(text)
        large = _LARGE.findall(text)
        named = any(word.lower() not in self._policy.no_names for word in large)
        if not named and self._signs.isdisjoint(words):
            return text
        if not words.isdisjoint(self._word):
            text = _WORD.sub(self._for_word, text)
            text = self._an.sub(r"\1 ", self._repeated.sub(self._policy.person, text))
        if not words.isdisjoint(_COLOURS):
            text = _SKIN.sub(self._policy.person, text)
        if named:
            for pattern in self._names:
                text = pattern.sub(rf"\g<1>{self._policy.name}", text)
        return self._phrased(text)

    def _phrased(self, text: str) -> str:
        words = _words(text)
        if self._phrase_signs.isdisjoint(words):
            return text
        for when, find, say in self._phrases:
            if not when.isdisjoint(words):
                plain = find.sub(say, text)
                if plain != text:
                    text, words = plain, _words(plain)
        return text

    def _for_word(self, found: Match[str]) -> str:
        written = found.group()
        low = written.lower().replace("’", "'")
        owner = low.endswith("'s") and low not in self._word
        word = low[:-2] if owner else low
        if word not in self._word:
            return written
        own = word in self._who
        said = self._who_said(word, found) if own else _as_written(self._word[word], written)
        return said + written[-2:] if owner else said

    def _who_said(self, word: str, found: Match[str]) -> str:
        written, policy = found.group(), self._policy
        if written.islower() and word in policy.capital_only:
            return written
        before = found.string[max(0, found.start() - 24) : found.start()]
        if (
            word in policy.members
            and _TONGUE.search(before)
            and not _QUALIFIES.match(found.string, found.end())
        ):
            return written if word == _OWN_TONGUE else policy.tongue
        said = self._who[word]
        return said[0].upper() + said[1:] if _START.search(before) else said


def _words(text: str) -> frozenset[str]:
    """In small letters, and without the 's of an owner as well."""
    low = folded(text)
    words = frozenset(words_of(low))
    return words | {word[:-2] for word in words if word.endswith("'s")} if "'s" in low else words


def _as_written(said: str, written: str) -> str:
    """With the capital letters of what it stands for."""
    if len(written) > 1 and written.isupper():
        return said.upper()
    if written[0].isupper():
        return said[0].upper() + said[1:]
    return said


def _said(say: str, found: Match[str]) -> str:
    """With the capital letter of what it stands for."""
    said = found.expand(say)
    return said[0].upper() + said[1:] if said and found.group()[0].isupper() else said


def _names(policy: ReadingPolicy) -> list[Pattern[str]]:
    """Where a name stands, what stays before it as the only group."""
    name = _name(policy.no_names)
    after = _any_of(policy.after_names)
    return [
        re.compile(rf"((?i:\b(?:{_any_of(policy.before_names)})\.?,?\s)){name}"),
        re.compile(
            rf"((?i:\b(?:{_any_of(policy.introductions)})\s)){name}"
            rf"(?=[.,]|(?i:\s(?:{_any_of(policy.after_introductions)})\b))"
        ),
        re.compile(rf"((?:^|[.!?\n]\s{{0,3}}|[a-z],?\s)){name}(?=(?i:,?\s(?:{after})\b))"),
        re.compile(rf"((?i:\b(?:{_any_of(policy.closings)}))[,.!]?\s+){name}(?=[.!]?\s*$)"),
        re.compile(rf"((?:\s[{_DASHES}]\s?|\n\s{{0,3}})){name}(?=\s*$)"),
    ]


def _any_of(phrases: tuple[str, ...]) -> str:
    return "|".join(r"\s".join(map(re.escape, phrase.split())) for phrase in phrases)


def _name(no_names: frozenset[str]) -> str:
    """One to three words written large; none an ordinary word, nor with an ending that few names have."""
    no = rf"(?!(?i:{'|'.join(map(re.escape, sorted(no_names)))})\b)"
    no += r"(?!\w+(?:[tsikrnpl]ed|\w{2}[b-df-hj-np-tv-xz]ing|ful|less|ous|able|ible)\b)"
    one = rf"{no}[A-ZÀ-ÖØ-Þ](?:[^\W\d_]|['’](?=[^\W\d_]))*[a-zß-ÿ]\b"
    return rf"{one}(?:[ -]{one}){{0,2}}"
