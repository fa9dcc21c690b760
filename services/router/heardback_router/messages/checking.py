"""Every text that somebody wrote for customers is looked at here, whatever it is a part of. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from heardback_router.messages.domain import Result
from heardback_router.messages.lint import Finding, lint
from heardback_router.messages.rendering import MessagesPolicy
from heardback_router.wording import CustomerText

Written = tuple[str, str | None, str]
"""(pointer, language, text); None is the language of everybody who has none of the others."""


@dataclass(frozen=True, slots=True)
class Found:
    pointer: str
    finding: Finding


class BadTextError(Exception):
    """A customer must not read this: (pointer, what to write instead) per fault."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{pointer}: {detail}" for pointer, detail in faults))
        self.faults = tuple(faults)


def written(
    place: str, text: CustomerText, translations: Iterable[tuple[str, CustomerText]] = ()
) -> Iterator[Written]:
    """A text and what it is in other languages, as a body has them below `place`."""
    yield f"{place}/text", None, text.text
    for language, said in translations:
        yield f"{place}/translations/{language}", language, said.text


def found_in(
    texts: Iterable[Written], policy: MessagesPolicy, at: datetime, results: frozenset[Result] = frozenset()
) -> Iterator[Found]:
    for pointer, language, text in texts:
        if language is not None and language not in policy.languages:
            told = ", ".join(policy.languages)
            detail = f"no message is written in {language}, so nobody reads this; messages are in {told}"
            yield Found(pointer, Finding("unread_language", detail))
        for finding in lint(text, policy.rules_for(language), at, results):
            yield Found(pointer, finding)


def refuse_bad(
    texts: Iterable[Written], policy: MessagesPolicy, at: datetime, results: frozenset[Result] = frozenset()
) -> None:
    """Raises BadTextError for what must not be sent."""
    if faults := faults_of(found_in(texts, policy, at, results)):
        raise BadTextError(faults)


def faults_of(found: Iterable[Found]) -> list[tuple[str, str]]:
    return [(one.pointer, one.finding.detail) for one in found if one.finding.refuses]
