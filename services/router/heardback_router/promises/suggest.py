"""Promises that a text of ours seems to give. Pure; a suggestion only, which a person confirms or dismisses.

A promise is somebody on our side (I, we, a colleague, a thing we handle) who will do something that can be
kept or broken later. What is done at once ("I will check"), what is denied, asked or only thought of is none.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from heardback_router.promises.dates import due_in
from heardback_router.promises.german import commitments_in, sentences_in

WHAT_LIMIT = 300

_PEOPLE = (
    r"colleagues?|managers?|supervisors?|engineers?|technicians?|couriers?|drivers?|teams?|agents?|specialists?"
    r"|advis[eo]rs?|experts?|departments?|warehouse|office|support|leads?|installers?|plumbers?|representatives?"
)
_WE = (
    r"(?:\b(?:I|we|they|he|she|someone|somebody|one of us|(?:someone|somebody|one) (?:from|of) our \w+)"
    rf"|\b(?:an?|the|our|my|your) (?:\w+ )?(?:{_PEOPLE})(?: [A-Z][a-z]+)?)"
)
_THING = (
    r"\b(?:(?:it|this|that|everything)|(?:the|your|our|a|an|this|that)"
    r"(?: (?!will\b|and\b|that\b|you\b)[\w'-]+){1,4})"
)
_WILL = r"(?:'ll|\s+will|\s+shall|(?:'m|'re|'s|\s+am|\s+are|\s+is) going to)"
_SWEAR = (
    r"(?:\s+(?:hereby )?(?:promise|guarantee|commit)(?: you)?(?: that| to)?"
    r"|(?:'m|'re|\s+am|\s+are) committed to)"
)
_ADVERB = (
    r"(?:\s+(?:also|then|now|personally|definitely|certainly|gladly|of course|still|always|immediately"
    r"|happily|make sure(?: that| to)?|ensure(?: that)?|see to it that|have (?:some(?:one|body)|an? \w+)"
    r"|be able to))*"
)
_DO = (
    r"refund\w*|reimburs\w+|credit|pay|compensat\w+|send|re-?send|ship|dispatch|deliver|call|ring|phone|contact"
    r"|e-?mail|write|reply|respond|get (?:back|in touch)|come (?:back|to|on|over|round|out|by)|be in touch"
    r"|reach out|follow up|update|inform|notify|let you know|tell you|keep you|replace|repair|fix|mend"
    r"|resolve|resolving|fixing|solve|sort|correct|cancel|waive|arrange|schedul\w+|escalate|investigate"
    r"|process|issue|apply|remove|reverse|visit|install|collect|pick up|extend|upgrade|restore|make sure"
    r"|make it right|make up for|take care|see to it|provide|give you|return|reopen|review|deal with|fit"
    r"|ensure|have (?:it|this|that|them|the|your|some)|have \w+ed"
)
_DONE = (
    r"refunded|reimbursed|credited|paid|sent|resent|shipped|dispatched|delivered|called|contacted|emailed|notified"
    r"|informed|replaced|repaired|fixed|resolved|solved|sorted|corrected|cancell?ed|waived|arranged|escalated"
    r"|investigated|processed|issued|applied|removed|reversed|installed|collected|restored|returned|reviewed"
    r"|extended|upgraded|updated|with you|back (?:on|in)|at your|on its way"
)
_OBJECT = r"[^,.;:!?]{0,80}?"
_BE = r"\s+(?:be|have been|get)"

_GIVEN = re.compile(
    rf"(?P<will>{_WE}(?:{_WILL}|{_SWEAR}){_ADVERB}\s+"
    rf"(?:(?:{_DO})\b|[^,.;:!?]{{1,60}}? and {_ADVERB}\s*(?:{_DO})\b))"
    rf"|(?P<thing>{_THING}{_WILL}{_ADVERB}(?:{_BE}{_ADVERB}\s+(?:{_DONE})\b|\s+(?:arrive|reach you|come)\b))"
    rf"|(?P<you>\byou{_WILL}{_ADVERB}\s+(?:(?:receive|hear (?:back )?from|get (?:a|an|the|your|it))\b"
    rf"|have (?:the|your|a|an|it)\b|be (?:{_DONE}|called back)\b))"
    rf"|(?P<let>\blet me{_OBJECT}\b(?:come|get) back to you\b)"
    rf"|(?P<passive>{_WE}{_WILL} be (?:at|with) (?:you|your)\b)",
    re.IGNORECASE,
)
_NO = re.compile(r"\b(?:not|never|no longer|nobody|no one|nothing|unable|cannot)\b|n't\b", re.IGNORECASE)
_REPORTED = re.compile(
    r"\b(?:said|told|says?|claim\w*|asked|wonder\w*|thought|hope|sure(?! that we)|whether|cannot|can't|could"
    r"|would|never|don't know|not sure)\b[^,.;]*$",
    re.IGNORECASE,
)
_AT_ONCE = re.compile(
    r"\b(?:right (?:now|away)|be right (?:with|back)|on hold|one moment|a note)\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\w)[^.!?\n]*)*[.!?]*")
_HALF_DAY = re.compile(r"\b([ap])\.m\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`what` is the sentence it stands in; `span` where the commitment begins and ends in the whole text."""

    what: str
    due_at: datetime | None
    span: tuple[int, int]


def suggestions_in(text: str, at: datetime, language: str | None = None) -> Iterator[Suggestion]:
    """In the order of the text. `at` is when it was said, in the speaker's time zone. A text is read in its
    language if that is one of READERS; if its language is not known, in each of them."""
    if language is not None:
        read = READERS.get(main_part(language))
        yield from read(text, at) if read else ()
        return
    found = [one for read in READERS.values() for one in read(text, at)]
    yield from sorted(found, key=lambda one: one.span)


def main_part(language: str) -> str:
    """`de` of `de-AT`."""
    return language.lower().partition("-")[0]


def _in_english(text: str, at: datetime) -> Iterator[Suggestion]:
    plain = _HALF_DAY.sub(lambda m: f"{m[1]}m".ljust(len(m[0])), text.replace("’", "'"))
    for sentence in _SENTENCE.finditer(plain):
        said = sentence[0]
        if said.rstrip().endswith("?"):
            continue
        given = [match for match in _GIVEN.finditer(said) if _counts(said, match)]
        for number, match in enumerate(given):
            start = match.start() if number else 0
            end = given[number + 1].start() if number + 1 < len(given) else len(said)
            yield _suggested(text, sentence, (match.start(), end), due_in(said[start:end], at))


def _in_german(text: str, at: datetime) -> Iterator[Suggestion]:
    for sentence in sentences_in(text):
        for where, due_at in commitments_in(sentence[0], at):
            yield _suggested(text, sentence, where, due_at)


def _suggested(
    text: str, sentence: re.Match[str], where: tuple[int, int], due_at: datetime | None
) -> Suggestion:
    first = sentence.start()
    what = " ".join(text[first : sentence.end()].split())[:WHAT_LIMIT]
    return Suggestion(what, due_at, (first + where[0], first + where[1]))


READERS: Mapping[str, Callable[[str, datetime], Iterator[Suggestion]]] = {
    "en": _in_english,
    "de": _in_german,
}
"""The languages in which promises are found."""


def _counts(said: str, match: re.Match[str]) -> bool:
    """Whether it is given rather than denied, reported, or done at once."""
    before, after = said[: match.start()], said[match.start() :]
    return not (_NO.search(match[0]) or _REPORTED.search(before) or _AT_ONCE.search(after))
