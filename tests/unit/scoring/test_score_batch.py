"""The use case: one model call, right status, fallback when the model fails, same answer every time."""

import random
from dataclasses import replace
from typing import Any

import pytest
from tests.support.scoring import (
    GERMAN,
    POLICIES,
    ScriptedScorer,
    nps,
    survey,
    transcript,
    understanding,
)

from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.domain.corrections import Correction, Corrections
from heardback_scoring.inference.constant import ConstantScorer
from heardback_scoring.inference.ports import TextReading
from heardback_scoring.inference.thread import InferenceBusy, TextsRefused
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.score import Score

ANGRY = "I am furious, the parcel never came and I want to cancel my contract."
GLAD = "Thank you, the delivery was quick and perfect."
SCRIPT = {ANGRY: (0.97, 0.02, 0.01), GLAD: (0.01, 0.04, 0.95)}


async def one(feedback: Any, scorer: ScriptedScorer | None = None) -> Score:
    [score] = await score_batch([feedback], understanding(scorer or ScriptedScorer(SCRIPT)))
    return score


async def test_a_survey() -> None:
    customer = CustomerSnapshot(tier="strategic", renewal_date="2026-12-20")
    score = await one(survey(ANGRY, metric=nps(1), customer=customer, touchpoint="delivery"))
    assert score.status == "scored"
    assert score.because is None
    assert score.sentiment is not None
    assert score.sentiment.label == "negative"
    assert score.turns == ()
    assert score.trajectory is None
    assert {"wants_to_leave", "anger"} <= {c.name for c in score.cues}
    assert score.severity.band == "P1"
    assert score.handover.now
    assert score.satisfaction is not None
    assert score.satisfaction < -0.8
    assert [m.name for m in score.models] == ["scripted"]
    assert score.policies == POLICIES.versions
    assert score.taxonomy == POLICIES.taxonomy.policy


async def test_a_transcript_is_read_from_the_customer_only() -> None:
    scorer = ScriptedScorer(SCRIPT)
    turns = [
        ("customer", ANGRY),
        ("agent", "You are an idiot, go to court."),
        ("bot", "!"),
        ("customer", GLAD),
    ]
    score = await one(transcript(*turns, resolution="resolved"), scorer)
    assert scorer.calls[-1] == [ANGRY, GLAD]
    assert [t.index for t in score.turns] == [0, 3]
    assert score.trajectory is not None
    assert (score.trajectory.lowest_turn, score.trajectory.start) == (0, -0.96)
    assert score.trajectory.end == 0.94
    assert "abusive" not in {c.name for c in score.cues}
    assert {c.turn for c in score.cues} == {0, 3}


async def test_a_corrected_feedback_keeps_its_cause_and_the_score_names_the_corrections() -> None:
    scorer = ScriptedScorer(SCRIPT, words=("parcel", "refund"))
    kit = understanding(scorer)
    assert kit.embedded is not None
    [reading] = scorer.read([ANGRY])
    assert reading.embedding is not None
    said = Corrections.of([Correction("fb_1", reading.embedding, frozenset({"account/contract"}))])
    taught = replace(kit, embedded=kit.embedded.corrected(said))
    [score] = await score_batch([survey(ANGRY)], taught)
    [cause] = score.root_causes
    assert (cause.path, cause.confidence) == ("account/contract", 1.0)
    assert score.taxonomy == f"{POLICIES.taxonomy.policy}{said.version}"
    assert score.taxonomy in score.policies
    assert len(score.policies) == len(POLICIES.versions)
    [plain] = await score_batch([survey(ANGRY)], kit)
    assert plain.taxonomy == POLICIES.taxonomy.policy


async def test_the_whole_batch_is_one_call() -> None:
    scorer = ScriptedScorer(SCRIPT)
    kit = understanding(scorer)
    calls = len(scorer.calls)
    feedbacks = [
        survey(ANGRY),
        survey(GERMAN),
        survey(metric=nps(9)),
        transcript(("customer", GLAD)),
        survey("n/a"),
    ]
    scores = await score_batch(feedbacks, kit)
    assert len(scorer.calls) == calls + 1
    assert [s.status for s in scores] == ["scored", "unscored", "scored", "scored", "scored"]
    assert await score_batch([], kit) == []
    assert len(scorer.calls) == calls + 1


async def test_what_is_not_english_is_unscored_and_keeps_a_severity() -> None:
    score = await one(survey(GERMAN, metric=nps(0), customer=CustomerSnapshot(tier="strategic")))
    assert score.status == "unscored"
    assert score.because is not None
    assert "'de'" in score.because
    assert (score.sentiment, score.cues, score.root_causes, score.models) == (None, (), (), ())
    assert {c.factor for c in score.severity.contributions} == {"metric", "tier"}
    assert "text" in score.severity.missing
    assert score.handover.now


async def test_a_declared_language_wins() -> None:
    assert (await one(survey(ANGRY, language="de-DE"))).status == "unscored"
    assert (await one(survey("Bitte", language="en"))).language.code == "en"


async def test_a_language_that_cannot_be_told_is_said_so() -> None:
    score = await one(survey("ඔබට බොහොම ස්තූතියි"))
    assert score.because == "The text is in a language that could not be told; only en is scored."


async def test_turns_in_another_language_are_left_out() -> None:
    score = await one(transcript(("customer", ANGRY), ("customer", "Die sind zu spät."), ("customer", GLAD)))
    assert score.status == "scored"
    assert score.because == "1 of 3 texts are in a language that is not scored; left out."
    assert [t.index for t in score.turns] == [0, 2]
    german = await one(transcript(("customer", GERMAN), ("customer", "👍")))
    assert german.status == "unscored"


async def test_a_metric_alone_is_scored_without_sentiment() -> None:
    score = await one(survey(metric=nps(2)))
    assert (score.status, score.sentiment, score.root_causes) == ("scored", None, ())
    assert score.satisfaction == pytest.approx(-0.6)
    assert score.severity.band == "P3"
    assert score.models == ()


async def test_a_text_that_says_nothing_is_neutral_and_p4() -> None:
    score = await one(survey("n/a"))
    assert score.sentiment is not None
    assert (score.sentiment.label, score.sentiment.abstained) == ("neutral", True)
    assert (score.severity.score, score.severity.band) == (0.0, "P4")
    assert score.because == "Nothing was said in words."
    assert not score.handover.now


async def test_only_agents_spoke() -> None:
    score = await one(transcript(("agent", "Hello?"), ("system", "closed")))
    assert (score.status, score.sentiment, score.trajectory) == ("scored", None, None)


async def test_score_and_text_that_disagree_are_flagged() -> None:
    score = await one(survey(ANGRY, metric=nps(10)))
    assert "score_text_mismatch" in {c.factor for c in score.severity.contributions}
    assert score.satisfaction == -0.96


async def test_when_the_model_fails_the_fallback_answers_degraded() -> None:
    scorer = ScriptedScorer(SCRIPT, failing=RuntimeError("boom"))
    spare = ScriptedScorer({ANGRY: (0.9, 0.05, 0.05)}, name="spare")
    kit = understanding(scorer, spare)
    degraded, empty = await score_batch([survey(ANGRY), survey(metric=nps(5))], kit)
    assert degraded.status == "degraded"
    assert degraded.because == "The model failed (RuntimeError); the fallback read it."
    assert [m.name for m in degraded.models] == ["spare"]
    assert empty.status == "scored"


async def test_texts_that_the_model_refuses_do_not_take_the_others_along() -> None:
    kept = TextReading(0.02, 0.03, 0.95, None)
    refused = TextsRefused({0: ValueError("poison")}, [None, kept])
    scorer = ScriptedScorer(SCRIPT, failing=refused)
    kit = understanding(scorer, ScriptedScorer(name="spare"))
    first, second = await score_batch([survey(ANGRY), survey(GLAD)], kit)
    assert (first.status, second.status) == ("degraded", "scored")
    both = await score_batch([transcript(("customer", ANGRY), ("customer", GLAD))], kit)
    assert [m.name for m in both[0].models] == ["scripted", "spare"]


async def test_a_full_queue_is_no_failure_of_the_model() -> None:
    kit = understanding(ScriptedScorer(SCRIPT, failing=InferenceBusy("full")))
    with pytest.raises(InferenceBusy):
        await score_batch([survey(ANGRY)], kit)


async def test_a_fallback_chosen_from_the_start_is_degraded() -> None:
    scorer = ScriptedScorer(SCRIPT)
    scorer.degraded = True
    assert (await one(survey(ANGRY), scorer)).status == "degraded"
    assert (await one(survey(metric=nps(5)), scorer)).status == "scored"


async def test_order_and_company_change_nothing() -> None:
    feedbacks = [
        survey(ANGRY, metric=nps(1)),
        survey(GLAD),
        survey(GERMAN),
        transcript(("customer", GLAD), ("customer", ANGRY)),
        survey(metric=nps(3)),
    ]
    scorer = ScriptedScorer(SCRIPT, words=("parcel", "invoice", "crash", "delivery"))
    kit = understanding(scorer)
    alone = [(await score_batch([f], kit))[0].model_dump_json() for f in feedbacks]
    order = list(range(len(feedbacks)))
    random.Random(7).shuffle(order)
    together = await score_batch([feedbacks[i] for i in order], kit)
    assert [s.model_dump_json() for s in together] == [alone[i] for i in order]


async def test_causes_come_from_embeddings_where_there_are_any() -> None:
    words = ("parcel", "invoice", "crash", "price")
    by_vectors = await one(survey("My invoice, the invoice!"), ScriptedScorer(words=words))
    assert by_vectors.root_causes[0].path == "operations/billing"
    assert by_vectors.root_causes[0].nearest
    several = transcript(("customer", "My invoice, the invoice!"), ("customer", "And the invoice again."))
    assert (await one(several, ScriptedScorer(words=words))).root_causes[0].path == "operations/billing"
    by_words = await one(survey("My invoice, the invoice!"))
    assert by_words.root_causes[0].path == "operations/billing"
    assert not by_words.root_causes[0].nearest


def test_the_constant_scorer_says_the_same_of_everything() -> None:
    scorer = ConstantScorer()
    scorer.warm_up()
    assert scorer.lengths(["a b", ""]) == [1, 1]
    first, second = scorer.read(["good", "bad"])
    assert first == second
    assert first.negative + first.neutral + first.positive == pytest.approx(1)
    scorer.close()
