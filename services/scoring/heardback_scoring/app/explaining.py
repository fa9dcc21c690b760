"""Which words carried what a score says: a few more texts for the model, once the scores are known.

One or two calls for a whole batch, and only for the feedback that is to be explained: each clause alone,
and, where everything is to be explained, the clauses that say most without each of their words. What cannot
be read now stays unexplained.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from heardback_scoring.app.listening import Heard, Said
from heardback_scoring.app.ports import Explain, Reader
from heardback_scoring.domain import occlusion
from heardback_scoring.domain.occlusion import Chances, Span, Variant
from heardback_scoring.domain.satisfaction import Dialogue, SatisfactionModel, turns_that_counted
from heardback_scoring.inference.ports import TextReading
from heardback_shared.contracts.score import Band, Cue, Evidence, Score

SEVERE: tuple[Band, ...] = ("P1", "P2")
MOST_TURNS = 2
"""Turns of one feedback whose words are sought: the loudest, and the one that shows a cue best."""
SECOND_LOOKS = 2
"""Clauses of one text that are taken apart into words."""

Parts = list[tuple[Span, Chances]]
Spoken = Callable[[str], str]
"""From a text as it was written to the text as the model gets it."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Judged:
    """One feedback as far as it has come. `dialogue` is there where satisfaction was predicted from it."""

    heard: Heard
    readings: Sequence[TextReading]
    score: Score
    dialogue: Dialogue | None


@dataclass(slots=True)
class _Question:
    """One text, and the labels whose words are sought. `coarse` and `fine` are filled as readings come."""

    judged: int
    said: Said
    whole: Chances
    labels: list[str]
    coarse: Parts
    fine: dict[Span, Parts]


async def explained(
    judged: Sequence[Judged],
    which: Explain,
    reader: Reader,
    spoken: Spoken,
    satisfaction: SatisfactionModel | None,
) -> list[Score]:
    """The scores, in order, with evidence where it was asked for, and a span for cues that had none.

    Never raises: a score without evidence is still a score.
    """
    wanted = [i for i, one in enumerate(judged) if _wanted(one, which)]
    questions = [question for i in wanted for question in _questions(i, judged[i])]
    try:
        await _ask(questions, reader, spoken, closely=which == "all")
    except Exception as error:  # a full queue, a failing model: the scores must not wait for it
        _log.warning("scoring.not_explained", error=type(error).__name__, texts=len(questions))
        questions = []
    found: dict[int, list[Evidence]] = {i: [] for i in wanted}
    for question in questions:
        found[question.judged] += _evidence(question)
    return [_with(one, found[i], satisfaction) if i in found else one.score for i, one in enumerate(judged)]


def _wanted(one: Judged, which: Explain) -> bool:
    if which == "off" or one.score.status != "scored" or not one.heard.said:
        return False
    return which == "all" or one.score.severity.band in SEVERE


def _questions(index: int, one: Judged) -> Iterable[_Question]:
    by_place: dict[int, list[str]] = {}
    sentiment = one.score.sentiment
    if sentiment is not None and sentiment.label != "neutral":
        by_place[_loudest(one, sentiment.label)] = [sentiment.label]
    places = {said.index: place for place, said in enumerate(one.heard.said)}
    asked: set[str] = set()
    for cue in sorted(one.score.cues, key=lambda cue: -cue.probability):
        place = places.get(cue.turn)
        # What only the whole conversation shows, no words of one turn carry.
        if cue.span is not None or place is None or cue.name not in one.readings[place].cues:
            continue
        if cue.name not in asked and (place in by_place or len(by_place) < MOST_TURNS):
            asked.add(cue.name)
            by_place.setdefault(place, []).append(cue.name)
    for place, labels in sorted(by_place.items()):
        yield _Question(index, one.heard.said[place], _chances(one.readings[place]), labels, [], {})


def _loudest(one: Judged, label: str) -> int:
    """The turn that says most for the label: probability × √words."""

    def weight(place: int) -> float:
        words = min(max(len(one.heard.said[place].text.words), 1), 40)
        return _chances(one.readings[place])[label] * math.sqrt(words)

    return max(range(len(one.readings)), key=lambda place: (weight(place), -place))


def _chances(reading: TextReading) -> dict[str, float]:
    return {
        **reading.cues,
        "negative": reading.negative,
        "neutral": reading.neutral,
        "positive": reading.positive,
    }


async def _ask(questions: Sequence[_Question], reader: Reader, spoken: Spoken, *, closely: bool) -> None:
    first = [(q, variant) for q in questions for variant in occlusion.stage_one(q.said.text.original)]
    for (question, variant), chances in zip(first, await _read(first, reader, spoken), strict=True):
        question.coarse.append((variant.span, chances))
    for question in questions:
        if not question.coarse:  # one clause: that is what has been read
            question.coarse = [
                (span, question.whole) for span in occlusion.clauses(question.said.text.original)
            ]
    second = [
        (q, span, variant)
        for q in (questions if closely else ())
        for span in _worth_a_second_look(q)
        for variant in occlusion.stage_two(q.said.text.original, span)
    ]
    answers = await _read([(q, variant) for q, _, variant in second], reader, spoken)
    for (question, span, variant), chances in zip(second, answers, strict=True):
        question.fine.setdefault(span, []).append((variant.span, chances))


def _worth_a_second_look(question: _Question) -> list[Span]:
    spans = [occlusion.strongest(label, question.coarse) for label in question.labels]
    return list(dict.fromkeys(span for span in spans if span is not None))[:SECOND_LOOKS]


async def _read(asked: Sequence[tuple[_Question, Variant]], reader: Reader, spoken: Spoken) -> list[Chances]:
    if not asked:
        return []
    return [_chances(r) for r in await reader.read([spoken(variant.text) for _, variant in asked])]


def _evidence(question: _Question) -> list[Evidence]:
    turn = question.said.index
    return [
        found
        for label in question.labels
        for found in occlusion.evidence(label, turn, question.coarse, question.fine)
    ]


def _with(one: Judged, found: Sequence[Evidence], satisfaction: SatisfactionModel | None) -> Score:
    turns = _turns(one, satisfaction) if satisfaction is not None and one.dialogue is not None else ()
    return one.score.model_copy(
        update={
            "evidence": (*found, *turns),
            "cues": tuple(_placed(cue, found) for cue in one.score.cues),
        }
    )


def _placed(cue: Cue, found: Sequence[Evidence]) -> Cue:
    if cue.span is not None:
        return cue
    spans = [e.span for e in found if (e.label, e.turn) == (cue.name, cue.turn)]
    return cue.model_copy(update={"span": spans[0]}) if spans else cue


def _turns(one: Judged, model: SatisfactionModel) -> tuple[Evidence, ...]:
    if one.dialogue is None:
        return ()
    counted = turns_that_counted(model, one.dialogue)
    said = one.heard.said
    return tuple(
        Evidence(
            label="satisfaction",
            turn=said[place].index,
            span=(0, len(said[place].text.original)),
            weight=round(weight, 4),
        )
        for place, weight in counted
    )
