"""What of a feedback can be read: its customer texts, their languages, and the cues in them. No model yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from heardback_scoring.app.understanding import Understanding
from heardback_scoring.domain import language as languages
from heardback_scoring.domain.context import context_cues
from heardback_scoring.domain.cue_merge import merged
from heardback_scoring.domain.cues import find_in_turns
from heardback_scoring.domain.words import Text
from heardback_scoring.inference.ports import TextReading
from heardback_shared.contracts.feedback import FeedbackContent
from heardback_shared.contracts.score import Cue, Language


@dataclass(frozen=True, slots=True)
class Said:
    """One customer text that will be read. `spoken` is what the model gets."""

    index: int
    text: Text
    spoken: str


@dataclass(frozen=True, slots=True)
class Heard:
    """`said` are the texts to read; `left_out` counts those in a language that is not scored.

    `empty` counts texts that say nothing ("n/a"). `patterns` are the cues that patterns found.
    """

    said: tuple[Said, ...]
    left_out: int
    empty: int
    language: Language
    patterns: tuple[Cue, ...]

    @property
    def silent(self) -> bool:
        """The customer said nothing at all, which is known."""
        return not self.said and not self.left_out

    @property
    def unreadable(self) -> bool:
        return not self.said and self.left_out > 0


def listen(content: FeedbackContent, by: Understanding) -> Heard:
    """Texts without a language of their own ("👍", names, "thx") follow the language of the conversation."""
    policy = by.policies.language
    texts = [(i, Text.of(text)) for i, text in content.customer_texts]
    alone = content.kind == "survey"
    spoken = [(i, text) for i, text in texts if not languages.says_nothing(text, policy, alone=alone)]
    found = [languages.decide(text, content.language, by.guesser.guess, policy) for _, text in spoken]
    whole = languages.of_conversation(found)
    follows = whole.code == languages.UNKNOWN or whole.code in policy.scored
    said = tuple(
        Said(i, text, by.policies.spoken(text.original))
        for (i, text), language in zip(spoken, found, strict=True)
        if language.readable and (follows or language.code != languages.UNKNOWN)
    )
    return Heard(
        said=said,
        left_out=len(spoken) - len(said),
        empty=len(texts) - len(spoken),
        language=whole,
        patterns=find_in_turns(by.cues, [(s.index, s.text) for s in said]),
    )


def cues_of(
    content: FeedbackContent, heard: Heard, readings: Sequence[TextReading], by: Understanding
) -> tuple[Cue, ...]:
    """All cues turn by turn: those of patterns and of the model together, and those of the conversation.

    What is not read because of its language takes no part.
    """
    policy = by.policies.cues
    pairs = list(zip(heard.said, readings, strict=True))
    found = merged(heard.patterns, [(s.index, r.cues) for s, r in pairs], policy)
    if content.kind != "transcript" or heard.unreadable:
        return found
    embeddings = {s.index: r.embedding for s, r in pairs if r.embedding is not None}
    known = {cue.name for cue in found}
    whole = context_cues(content.turns, embeddings, policy.context)
    return tuple(sorted((*found, *(cue for cue in whole if cue.name not in known)), key=lambda cue: cue.turn))
