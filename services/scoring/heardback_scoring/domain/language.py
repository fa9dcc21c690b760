"""Which language a text is in, and whether it may be scored. Unknown is an answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from heardback_scoring.domain.ratings import RatingWord, rating_in, word_for
from heardback_scoring.domain.words import Text
from heardback_shared.contracts.score import Language

UNKNOWN = "und"
_LATIN_END = 0x24F
_LATIN_ADDITIONAL = range(0x1E00, 0x1F00)


class LanguagePolicy(BaseModel):
    """`words` are frequent English words that are rare elsewhere, `foreign_words` those of other languages
    that are often written in Latin letters; the rest are thresholds of `decide`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: str
    scored: frozenset[str]
    min_hits: int = Field(ge=1)
    min_share: float = Field(gt=0, le=1)
    foreign_share_below: float = Field(gt=0, le=1)
    foreign_letters: int = Field(ge=1)
    foreign_confidence: float = Field(gt=0, le=1)
    short_letters: int = Field(ge=1)
    short_confidence: float = Field(gt=0, le=1)
    english_confidence: float = Field(gt=0, le=1)
    unknown_words: int = Field(ge=1)
    unknown_share: float = Field(ge=0, le=1)
    unknown_confidence: float = Field(gt=0, le=1)
    words: frozenset[str]
    foreign_min_hits: int = Field(ge=1)
    foreign_words: dict[str, frozenset[str]]
    says_nothing: frozenset[str]
    bare_answers: frozenset[str]
    signs: dict[str, str]
    ratings: tuple[RatingWord, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """What a language identifier takes the text for; confidence 0…1 over the languages it knows."""

    code: str
    confidence: float


@dataclass(frozen=True, slots=True)
class TextLanguage:
    """`readable`: the text may be scored. `letters` is its weight among the texts of a conversation."""

    code: str
    confidence: float
    readable: bool
    letters: int


def decide(
    text: Text, declared: str | None, guess: Callable[[str], Guess], policy: LanguagePolicy
) -> TextLanguage:
    """The language of one text. The first rule that applies answers:

    1. A declared language wins; its region is ignored ("en-GB" is en).
    2. No letters: `und`, readable (signs such as 👍 belong to no language).
    3. At least `foreign_min_hits` words of another language's list, and no fewer than English ones: that
       language, not readable. So mixtures ("order abhi tak nahi aaya") are not read.
    4. Every word is on the English list, or at least `min_hits` words and `min_share` of them: `en`.
    5. Most letters are not Latin: the guess, not readable; a guess that is no surer than `foreign_confidence`
       is `und`, and not readable either.
    6. The guess is another language, less than `foreign_share_below` of the words are on the list, and the
       guess is sure: `foreign_confidence` with `foreign_letters`, or `short_confidence` with `short_letters`.
    7. At least `unknown_words` words, less than `unknown_share` of them on the list, and no guess of English
       with `unknown_confidence` (Hindi in Latin letters, say): `und`, not readable.
    8. The guess is English with `english_confidence`: `en`.
    9. `und`, readable: Latin text too short or too odd to tell (names, slips of the pen). It is never called
       foreign.
    """
    original = text.original
    joined = "".join(text.words)
    letters = len(joined) - joined.count("'")
    if declared:
        code = declared.split("-", 1)[0].lower()
        return TextLanguage(code, 1.0, code in policy.scored, letters)
    if letters == 0:
        return TextLanguage(UNKNOWN, 0.0, readable=True, letters=0)
    total = len(text.words)
    hits = sum(map(policy.words.__contains__, text.words))
    share = hits / total
    foreign, known = _most_known(text, policy)
    if known >= max(policy.foreign_min_hits, hits):
        return TextLanguage(foreign, round(min(0.99, 0.7 + 0.3 * known / total), 4), False, letters)
    if hits == total or (hits >= policy.min_hits and share >= policy.min_share):
        return TextLanguage("en", round(min(0.99, 0.7 + 0.3 * share), 4), readable=True, letters=letters)
    guessed = guess(original)
    code, readable = _by_guess(text, letters, share, guessed, policy)
    return TextLanguage(code, round(guessed.confidence, 4), readable, letters)


def _most_known(text: Text, policy: LanguagePolicy) -> tuple[str, int]:
    """The language with most words on its list, and how many; the first among equals."""
    words = frozenset(text.words)
    counts = [(code, len(words & known)) for code, known in policy.foreign_words.items()]
    return max(counts, key=lambda count: count[1], default=(UNKNOWN, 0))


def _by_guess(
    text: Text, letters: int, share: float, guess: Guess, policy: LanguagePolicy
) -> tuple[str, bool]:
    """Rules 5 to 9: (code, readable)."""
    scored = guess.code in policy.scored
    if not text.low.isascii() and _foreign_letters(text.original) * 2 > letters:
        sure = guess.confidence >= policy.foreign_confidence and not scored
        return (guess.code if sure else UNKNOWN), False
    if not scored and share < policy.foreign_share_below and _is_sure(guess, letters, policy):
        return guess.code, False
    long = len(text.words) >= policy.unknown_words and share < policy.unknown_share
    if long and not (scored and guess.confidence >= policy.unknown_confidence):
        return UNKNOWN, False
    if scored and guess.confidence >= policy.english_confidence:
        return guess.code, True
    return UNKNOWN, True


def of_conversation(languages: Sequence[TextLanguage]) -> Language:
    """The language with most letters; its confidence is the letter-weighted mean over its texts."""
    weights: dict[str, float] = {}
    sums: dict[str, float] = {}
    for text in languages:
        if text.code != UNKNOWN:
            weights[text.code] = weights.get(text.code, 0.0) + text.letters
            sums[text.code] = sums.get(text.code, 0.0) + text.letters * text.confidence
    if not weights:
        confidence = max((text.confidence for text in languages), default=0.0)
        return Language(code=UNKNOWN, confidence=confidence)
    best = max(weights, key=lambda code: (weights[code], code))
    confidence = sums[best] / weights[best] if weights[best] else 1.0
    return Language(code=best, confidence=round(min(1.0, confidence), 4))


def says_nothing(text: Text, policy: LanguagePolicy, *, alone: bool = False) -> bool:
    """Whether the text is a way of leaving the field empty: "n/a", "-", "none", a number, an unknown sign.

    A rating ("5/5", "★★☆☆☆") says something. `alone`: the text answers a question that is not known, as a
    survey comment does; "yes" and "no" say nothing then.
    """
    if rating_in(text.low) is not None:
        return False
    stripped = text.low.strip(" \t\r\n.,;:!?-–—_*\"'()")
    if stripped in policy.says_nothing or (alone and stripped in policy.bare_answers):
        return True
    return not any(map(str.isalpha, stripped)) and not any(sign in text.original for sign in policy.signs)


def spoken(text: str, policy: LanguagePolicy) -> str:
    """A rating or a text of signs only, in words a model can read ("1/5" becomes "terrible", "👍" "good");
    any other text as it is."""
    rating = rating_in(text)
    if rating is not None:
        return word_for(rating, policy.ratings)
    if text.isascii() or any(map(str.isalpha, text)):
        return text
    return " ".join(policy.signs[sign] for sign in text if sign in policy.signs) or text


def _is_sure(guess: Guess, letters: int, policy: LanguagePolicy) -> bool:
    return (letters >= policy.foreign_letters and guess.confidence >= policy.foreign_confidence) or (
        letters >= policy.short_letters and guess.confidence >= policy.short_confidence
    )


def _foreign_letters(text: str) -> int:
    return sum(
        1
        for letter in text
        if ord(letter) > _LATIN_END and ord(letter) not in _LATIN_ADDITIONAL and letter.isalpha()
    )
