"""A transcript as the satisfaction model sees it."""

from collections.abc import Sequence

from heardback_scoring.app.listening import Said
from heardback_scoring.domain.satisfaction import CustomerTurn, Dialogue
from heardback_scoring.domain.words import folded, words_of
from heardback_scoring.inference.ports import TextReading
from heardback_shared.contracts.feedback import FeedbackContent

ANSWERING = ("agent", "bot")


def dialogue_of(
    content: FeedbackContent, said: Sequence[Said], readings: Sequence[TextReading]
) -> Dialogue | None:
    """None where it is no transcript, nothing was read, or something was read without an embedding."""
    if content.kind != "transcript" or not said:
        return None
    turns = []
    for one, reading in zip(said, readings, strict=True):
        if reading.embedding is None:
            return None
        turns.append(
            CustomerTurn(one.text, reading.negative, reading.positive, reading.embedding, reading.cues)
        )
    spoke = [turn for turn in content.turns if turn.role in ("customer", *ANSWERING) and turn.text.strip()]
    return Dialogue(
        turns=tuple(turns),
        answers=tuple(len(words_of(folded(t.text))) for t in spoke if t.role in ANSWERING),
        customer_last=spoke[-1].role == "customer",
    )
