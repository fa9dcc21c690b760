"""What of a feedback can be read: its customer texts, their languages, and the cues in them. No model yet."""

from dataclasses import dataclass

from heardback_scoring.app.understanding import Understanding
from heardback_scoring.domain import language as languages
from heardback_scoring.domain.cues import find_in_turns
from heardback_scoring.domain.words import Text
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

    `empty` counts texts that say nothing ("n/a").
    """

    said: tuple[Said, ...]
    left_out: int
    empty: int
    language: Language
    cues: tuple[Cue, ...]

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
    spoken = [(i, text) for i, text in texts if not languages.says_nothing(text, policy)]
    found = [languages.decide(text, content.language, by.guesser.guess, policy) for _, text in spoken]
    whole = languages.of_conversation(found)
    follows = whole.code == languages.UNKNOWN or whole.code in policy.scored
    said = tuple(
        Said(i, text, languages.spoken(text.original, policy))
        for (i, text), language in zip(spoken, found, strict=True)
        if language.readable and (follows or language.code != languages.UNKNOWN)
    )
    return Heard(
        said=said,
        left_out=len(spoken) - len(said),
        empty=len(texts) - len(spoken),
        language=whole,
        cues=find_in_turns(by.cues, [(s.index, s.text) for s in said]),
    )
