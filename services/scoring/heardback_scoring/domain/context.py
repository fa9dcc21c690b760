"""Cues that only a whole conversation shows: asking again, being asked again, being passed around."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from heardback_scoring.domain.words import folded
from heardback_shared.contracts.feedback import Turn
from heardback_shared.contracts.score import Cue

ASKS_AGAIN = "asks_again"
ASKED_AGAIN = "asked_again"
PASSED_AROUND = "passed_around"

_TOKEN = re.compile(r"[^\W_]+")
_SAY_NOTHING = (
    "a an the and or but so is are was were be been am i me my mine we us our you your it its this that "
    "these those to of in on at for with from by as do does did have has had can could will would shall "
    "should please now then just again also still already hi hello hey thanks thank ok okay yes no well "
    "not don t s m ve re ll d said asked ask asking told tell repeat question same if there here what "
    "know need want like help much good great bye sure fine day "
)
_EMPTY = frozenset(_SAY_NOTHING.split())
_REQUEST = re.compile(
    r"\?|\b(?:please|could you|can you|may i|can i|i need|i'll need|provide|enter|type in|confirm|share"
    r"|tell me|send me)\b"
)
_GIVEN_BEFORE = re.compile(r"\b(?:another|different|other|second|new|old|previous|next|also)\b")
_NOT_GIVEN = re.compile(
    r"\b(?:don't|do not|dont|no idea|not sure|can't|cannot|haven't|lost|forgot|where (?:do|can|is)|which"
    r"|one moment|let me (?:look|check|see)|hold on|why)\b"
)
_SLOTS = {
    name: re.compile(rf"\b(?:{pattern})\b")
    for name, pattern in {
        "order": r"order(?: or booking)? (?:number|id|reference|no)|order #",
        "booking": r"(?:booking|reservation|confirmation) (?:number|code|id|reference)",
        "case": r"(?:case|ticket|reference|complaint) (?:number|id|code)",
        "account": r"(?:account|customer|client|membership|contract|policy) (?:number|id)",
        "user": r"user ?(?:id|name)|login name",
        "email": r"e-?mail(?: address)?",
        "phone": r"(?:phone|mobile|telephone|contact) (?:number|no)",
        "name": r"(?:full|your|first|last) name|name (?:on|under)",
        "birth": r"date of birth|birth ?date|birthday",
        "home": r"(?:home|postal|street|your) address",
        "delivery": r"(?:delivery|shipping) address",
        "billing": r"billing address",
        "postcode": r"post ?code|zip(?: code)?",
        "serial": r"(?:serial|model|imei|tracking|parcel|invoice) (?:number|code)",
        "card": r"last (?:four|4) digits|card number",
    }.items()
}
_TRANSFER = re.compile(
    r"\b(?:transfer(?:ring)?|connect(?:ing)?|forward(?:ing)?|redirect(?:ing)?|hand(?:ing)?|pass(?:ing)?"
    r"|put(?:ting)?) (?:you|this|your (?:case|chat|call|request))\b"
    r"(?: (?:over|on|through|now|back|directly|across))* (?:to|with|through)\b"
)


class ContextPolicy(BaseModel):
    """From where on two turns say the same, and how many transfers are too many. See cues.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float = Field(gt=0, le=1)
    alike_cosine: float = Field(gt=0, le=1)
    alike_words: float = Field(gt=0, le=1)
    alike_min_words: int = Field(ge=1)
    transfers: int = Field(ge=1)


Embedding = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Said:
    turn: int
    words: frozenset[str]
    embedding: Embedding | None

    @property
    def numbers(self) -> frozenset[str]:
        return frozenset(word for word in self.words if any(map(str.isdigit, word)))


def context_cues(
    turns: Sequence[Turn], embeddings: Mapping[int, Embedding], policy: ContextPolicy
) -> tuple[Cue, ...]:
    """Each of the three at most once, at the turn that first shows it, in the order of the turns.

    `asks_again`: a customer turn says what an earlier one said, with somebody else's answer between (a
    message sent twice asks once). `asked_again`: an agent or bot asks for a number, name or address that the
    customer was asked for before and answered. `passed_around`: `transfers` announcements of a transfer, or
    as many changes from one agent to another. `embeddings` by turn may miss any turn; words decide then.
    """
    found = [
        cue
        for cue in (
            _asks_again(turns, embeddings, policy),
            _asked_again(turns, policy),
            _passed_around(turns, policy),
        )
        if cue is not None
    ]
    return tuple(sorted(found, key=lambda cue: cue.turn))


def _asks_again(
    turns: Sequence[Turn], embeddings: Mapping[int, Embedding], policy: ContextPolicy
) -> Cue | None:
    earlier: list[_Said] = []
    waiting: list[_Said] = []
    for i, turn in enumerate(turns):
        if turn.role != "customer":
            if turn.role in ("agent", "bot"):
                earlier += waiting
                waiting = []
            continue
        words = frozenset(_TOKEN.findall(folded(turn.text))) - _EMPTY
        said = _Said(i, words, embeddings.get(i))
        if len(words) < policy.alike_min_words:
            continue
        if any(_alike(said, other, policy) for other in earlier):
            return _cue(ASKS_AGAIN, i, (0, len(turn.text)), policy)
        waiting.append(said)
    return None


def _alike(said: _Said, other: _Said, policy: ContextPolicy) -> bool:
    """By words or by meaning; never when they name different numbers ("order 12" is not "order 13")."""
    if said.numbers and other.numbers and said.numbers.isdisjoint(other.numbers):
        return False
    shared = len(said.words & other.words) / len(said.words | other.words)
    if shared >= policy.alike_words:
        return True
    if said.embedding is None or other.embedding is None:
        return False
    return float(said.embedding @ other.embedding) >= policy.alike_cosine


def _asked_again(turns: Sequence[Turn], policy: ContextPolicy) -> Cue | None:
    asked: set[str] = set()
    given: set[str] = set()
    for i, turn in enumerate(turns):
        low = folded(turn.text)
        if turn.role == "customer":
            if not _NOT_GIVEN.search(low):
                given |= asked
            asked = set()
        elif turn.role in ("agent", "bot") and _REQUEST.search(low):
            for name, pattern in _SLOTS.items():
                match = pattern.search(low)
                if match is None:
                    continue
                before = low[max(0, match.start() - 24) : match.start()]
                if name in given and not _GIVEN_BEFORE.search(before):
                    return _cue(ASKED_AGAIN, i, match.span(), policy)
                asked.add(name)
    return None


def _passed_around(turns: Sequence[Turn], policy: ContextPolicy) -> Cue | None:
    announced = changes = 0
    speaker: str | None = None
    for i, turn in enumerate(turns):
        if turn.role in ("customer", "system"):
            continue
        if turn.role == "agent" and turn.speaker:
            changes += speaker is not None and turn.speaker != speaker
            speaker = turn.speaker
        match = _TRANSFER.search(folded(turn.text))
        announced += match is not None
        if max(announced, changes) >= policy.transfers:
            return _cue(PASSED_AROUND, i, match.span() if match else None, policy)
    return None


def _cue(name: str, turn: int, span: tuple[int, int] | None, policy: ContextPolicy) -> Cue:
    return Cue(name=name, probability=policy.probability, turn=turn, span=span, by="pattern")
