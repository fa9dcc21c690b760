"""Evidence: only where it is asked for, in two more calls at most, and never at the cost of the score."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from tests.support.scoring import ScriptedScorer, nps, survey, transcript, understanding

from heardback_scoring.app.explaining import SEVERE, Judged, explained
from heardback_scoring.app.listening import listen
from heardback_scoring.app.ports import Explain
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.inference.ports import TextReading
from heardback_scoring.inference.thread import InferenceBusy
from heardback_shared.contracts.score import Cue, Score

COURT = "The parcel is late, I am furious, and I will see you in court over this."
MILD = "The box was fine, thanks, although it was a bit dented."


class KeyedScorer(ScriptedScorer):
    """Negative where a text holds one word, positive where it holds another."""

    def __init__(self, negative: str = "furious", positive: str = "thanks", cue: str = "court") -> None:
        super().__init__()
        self.negative, self.positive, self.cue = negative, positive, cue

    def read(self, texts: Sequence[str]) -> list[TextReading]:
        super().read(texts)
        return [self._reading(text.lower()) for text in texts]

    def _reading(self, text: str) -> TextReading:
        cues = {"model_cue": 0.9 if self.cue in text else 0.05}
        if self.negative in text:
            return TextReading(0.9, 0.08, 0.02, None, cues)
        if self.positive in text:
            return TextReading(0.02, 0.08, 0.9, None, cues)
        return TextReading(0.1, 0.8, 0.1, None, cues)


async def scores(
    *feedbacks: Any, explain: Explain = "all", scorer: ScriptedScorer | None = None
) -> list[Score]:
    return await score_batch(feedbacks, understanding(scorer or KeyedScorer()), explain)


def named(score: Score, texts: dict[int, str], label: str) -> list[str]:
    return [texts[e.turn][e.span[0] : e.span[1]] for e in score.evidence if e.label == label]


async def test_the_word_that_made_it_negative_is_named() -> None:
    [score] = await scores(survey(COURT))
    assert named(score, {0: COURT}, "negative") == ["furious"]
    assert score.evidence[0].weight == pytest.approx(0.8)


async def test_only_severe_feedback_is_explained_by_itself() -> None:
    scorer = KeyedScorer()
    kit = understanding(scorer)
    grave, mild = await score_batch([survey(COURT, metric=nps(0)), survey(MILD)], kit, "severe")
    assert grave.severity.band in SEVERE
    assert grave.evidence
    assert mild.severity.band not in SEVERE
    assert mild.evidence == ()
    assert not any("box" in text for text in scorer.calls[-1])
    calls = len(scorer.calls)
    await score_batch([survey(MILD)], kit, "severe")
    assert len(scorer.calls) == calls + 1
    await score_batch([survey(COURT)], kit, "off")
    assert len(scorer.calls) == calls + 2


async def test_a_whole_batch_takes_two_more_calls_and_few_texts() -> None:
    scorer = KeyedScorer()
    kit = understanding(scorer)
    calls = len(scorer.calls)
    await score_batch([survey(COURT), survey(MILD), survey(COURT + " Never again!")], kit, "all")
    assert len(scorer.calls) == calls + 3
    assert sum(len(call) for call in scorer.calls[calls + 1 :]) <= 3 * (6 + 2 * 8)


def without_evidence(score: Score) -> Score:
    """As before it was explained: no evidence, and no place for what only the model heard."""
    cues = tuple(c.model_copy(update={"span": None}) if c.by == "model" else c for c in score.cues)
    return score.model_copy(update={"evidence": (), "cues": cues})


async def test_explaining_changes_nothing_else() -> None:
    feedbacks = [survey(COURT, metric=nps(0)), survey(MILD), survey(metric=nps(3)), survey("n/a")]
    plain = await scores(*feedbacks, explain="off")
    told = await scores(*feedbacks, explain="all")
    assert [without_evidence(s) for s in told] == plain
    assert [bool(s.evidence) for s in told] == [True, True, False, False]


async def test_company_and_order_change_nothing() -> None:
    feedbacks = [survey(COURT), survey(MILD), transcript(("customer", COURT), ("customer", MILD))]
    alone = [(await scores(f))[0] for f in feedbacks]
    order = list(range(len(feedbacks)))
    random.Random(3).shuffle(order)
    assert await scores(*(feedbacks[i] for i in order)) == [alone[i] for i in order]


async def test_of_a_conversation_the_loudest_turn_is_taken_apart() -> None:
    talk = transcript(("customer", MILD), ("agent", "furious"), ("customer", COURT), ("customer", COURT))
    [score] = await scores(talk)
    assert score.sentiment is not None
    assert score.sentiment.label == "negative"
    assert {e.turn for e in score.evidence if e.label == "negative"} == {2}


@pytest.mark.parametrize("failure", [InferenceBusy("full"), RuntimeError("boom")])
async def test_when_the_model_cannot_the_score_stands_without(failure: Exception) -> None:
    class Failing(KeyedScorer):
        def read(self, texts: Sequence[str]) -> list[TextReading]:
            if len(self.calls) >= 2:
                raise failure
            return super().read(texts)

    [score] = await scores(survey(COURT), scorer=Failing())
    assert score.status == "scored"
    assert score.evidence == ()


@pytest.mark.parametrize(
    "text",
    [
        "furious",
        "furious 😡",
        "😡",
        "furious! " * 400,
        "furious " * 3000,
        "\n\nfurious\n",
        "I am furious" + "!" * 500,
    ],
)
async def test_odd_texts_are_explained_or_left_alone(text: str) -> None:
    [score] = await scores(survey(text))
    for found in score.evidence:
        assert 0 <= found.span[0] < found.span[1] <= len(text)


async def test_many_turns_cost_no_more_than_one() -> None:
    scorer = KeyedScorer()
    kit = understanding(scorer)
    turns = [("customer", f"{COURT} It is call number {i}.") for i in range(200)]
    calls = len(scorer.calls)
    [score] = await score_batch([transcript(*turns)], kit, "all")
    assert score.evidence
    assert sum(len(call) for call in scorer.calls[calls + 1 :]) <= 2 * (6 + 2 * 8)


async def test_a_cue_that_only_the_model_saw_gets_a_place() -> None:
    scorer = KeyedScorer()
    kit = understanding(scorer)
    feedback = transcript(("customer", MILD), ("customer", COURT))
    [score] = await score_batch([feedback], kit, "off")
    cue = Cue(name="model_cue", probability=0.9, turn=1, by="model")
    judged = Judged(
        heard=listen(feedback.content, kit),
        readings=scorer.read([MILD, COURT]),
        score=score.model_copy(update={"cues": (cue,)}),
        dialogue=None,
    )
    [told] = await explained([judged], "all", kit.reader, str, None)
    assert named(told, {0: MILD, 1: COURT}, "model_cue") == ["court"]
    span = told.cues[0].span
    assert span is not None
    assert COURT[slice(*span)] == "court"
    [unplaced] = await explained([judged], "off", kit.reader, str, None)
    assert unplaced.cues == (cue,)
