"""Scoring learns what tenants teach, each for itself, and nothing that cannot be used."""

import asyncio
from datetime import timedelta
from importlib.resources import files

import pytest
from tests.support.clock import NOON
from tests.support.judgement import ListTopic, activated, corrected
from tests.support.scoring import POLICIES, ScriptedScorer, nps, survey, understanding
from tests.support.waiting import until_async

from heardback_scoring.app.follow_judgement import FollowJudgement
from heardback_scoring.app.judging import embedding_of
from heardback_scoring.app.score_batch import understand_batch
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.taxonomies import Taxonomies
from heardback_scoring.app.understanding import around
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.envelope import Envelope
from heardback_shared.contracts.events import FeedbackCorrected
from heardback_shared.contracts.score import Score
from heardback_shared.metrics import Metrics

WORDS = ("invoice", "parcel", "crash", "price", "refund")
TEXT = "The parcel and the refund."
PARAPHRASE = "Refund for the parcel, please."
SEVERITY = files("heardback_scoring.policies").joinpath("severity.yaml").read_text("utf-8")
HARSH = SEVERITY.replace(f"policy: {POLICIES.severity.policy}", "policy: acme@7").replace(
    "key: 14", "key: 20"
)
SMALL = """
policy: acme@1
decision: {unclear_below: 0.1, also_at: 0.9, most: 1, runners_up: 2, keyword_confidence: 0.5}
domains:
  money:
    invoices: {keywords: [invoice], examples: [the invoice is wrong, an invoice, my invoice, wrong invoice]}
  things:
    parcels: {keywords: [parcel], examples: [the parcel is lost, no parcel, my parcel, parcel broken]}
"""


class House:
    """One scoring process as far as judging goes."""

    def __init__(self, *events: Envelope, scorer: ScriptedScorer | None = None) -> None:
        self.scorer = scorer or ScriptedScorer(words=WORDS)
        self.topic = ListTopic(*events)
        self.serving = Serving(understanding(self.scorer))
        self.metrics = Metrics()
        self.follow = FollowJudgement(self.topic, self.serving, Taxonomies(), self.metrics)

    async def learn(self, *events: Envelope) -> None:
        self.topic.waiting += events
        await self.follow.look()

    async def score(self, text: str, tenant: str = "t1", feedback_id: str = "fb_9") -> Score:
        feedback = survey(text, metric=nps(1), customer=CustomerSnapshot(tier="key"))
        feedback = feedback.model_copy(update={"feedback_id": feedback_id})
        with self.serving.borrowed() as by:
            [one] = await understand_batch([feedback], by, tenants=[tenant])
        return one.score

    async def said(self, text: str, feedback_id: str, *right: str, minutes: int = 0) -> FeedbackCorrected:
        with self.serving.borrowed() as by:
            [one] = await understand_batch([survey(text)], by)
        assert one.vector is not None
        return FeedbackCorrected(
            feedback_id=feedback_id,
            right=right,
            embedding=embedding_of(one.vector, self.scorer.model),
            at=NOON + timedelta(minutes=minutes),
        )

    def taught(self, what: str) -> float:
        return float(self.metrics.taught.labels(what)._value.get())


def paths(score: Score) -> list[str]:
    return [cause.path for cause in score.root_causes]


async def test_a_tenants_policies_judge_its_own_feedback_and_nobody_elses() -> None:
    house = House(activated("severity", HARSH), activated("taxonomy", SMALL))
    plain = await house.score("The invoice.")
    await house.follow.look()
    own, other = await house.score("The invoice."), await house.score("The invoice.", "t2")
    assert (own.severity.policy, own.taxonomy) == ("acme@7", "acme@1")
    assert paths(own) == ["money/invoices"]
    assert own.severity.score > plain.severity.score
    assert {"acme@7", "acme@1"} <= set(own.policies)
    assert other == plain
    assert (house.taught("severity"), house.taught("taxonomy")) == (1, 1)


async def test_tenants_of_one_batch_are_read_in_one_call() -> None:
    house = House(activated("taxonomy", SMALL))
    await house.follow.look()
    calls = len(house.scorer.calls)
    feedbacks = [survey("The invoice.") for _ in range(4)]
    with house.serving.borrowed() as by:
        found = await understand_batch(feedbacks, by, tenants=["t1", "t2", "t1", "t3"])
    assert len(house.scorer.calls) == calls + 1
    assert [one.score.taxonomy == "acme@1" for one in found] == [True, False, True, False]


async def test_the_former_policy_is_back_when_the_deployments_own_counts_again() -> None:
    house = House(activated("taxonomy", SMALL))
    before = await house.score("The invoice.")
    await house.follow.look()
    await house.learn(activated("taxonomy", None, at=NOON + timedelta(minutes=1)))
    assert await house.score("The invoice.") == before


@pytest.mark.parametrize("text", ["policy: [", "policy: x@1", SMALL.replace("money:", "Money!:"), ""])
async def test_a_policy_that_cannot_be_used_leaves_the_former_in_force(text: str) -> None:
    house = House(activated("taxonomy", SMALL))
    await house.follow.look()
    await house.learn(activated("taxonomy", text, at=NOON + timedelta(minutes=1), version="acme@2"))
    assert (await house.score("The invoice.")).taxonomy == "acme@1"
    note = await house.follow.note()
    assert note is not None
    assert "acme@2 is refused" in note
    await house.learn(activated("taxonomy", None, at=NOON + timedelta(minutes=2)))
    assert await house.follow.note() is None


@pytest.mark.parametrize(
    "event",
    [
        Envelope("e", "/test", "heardback.policy.activated.v1", b"nonsense", tenant_id="t1"),
        Envelope("e", "/test", "heardback.feedback.corrected.v1", b'{"feedback_id": 3}', tenant_id="t1"),
        Envelope("e", "/test", "heardback.of.tomorrow.v1", b"{}", tenant_id="t1"),
        activated("taxonomy", SMALL, tenant=None),
    ],
)
async def test_events_that_cannot_be_read_are_passed_over(event: Envelope) -> None:
    house = House(event)
    before = await house.score("The invoice.")
    await house.follow.look()
    assert await house.score("The invoice.") == before
    await house.learn(activated("taxonomy", SMALL))
    assert (await house.score("The invoice.")).taxonomy == "acme@1"


async def test_an_older_announcement_changes_nothing() -> None:
    later = NOON + timedelta(minutes=5)
    house = House(activated("taxonomy", SMALL, at=later))
    await house.follow.look()
    await house.learn(activated("taxonomy", SMALL.replace("acme@1", "acme@0"), at=NOON))
    assert (await house.score("The invoice.")).taxonomy == "acme@1"


async def test_what_is_announced_again_is_not_learnt_again() -> None:
    house = House(activated("taxonomy", SMALL))
    said = await house.said(TEXT, "fb_1", "things/parcels")
    await house.learn(corrected(said))
    by, calls = house.serving.understanding, len(house.scorer.calls)
    await house.learn(activated("taxonomy", SMALL), corrected(said))
    assert house.serving.understanding is by
    assert len(house.scorer.calls) == calls


async def test_a_correction_holds_for_its_feedback_and_teaches_the_next_paraphrase() -> None:
    house = House()
    wanted = "product/missing_feature"
    assert wanted not in paths(await house.score(TEXT))
    await house.learn(corrected(await house.said(TEXT, "fb_1", wanted)))
    own = await house.score(TEXT, feedback_id="fb_1")
    assert paths(own) == [wanted]
    assert own.root_causes[0].confidence == 1.0
    assert own.taxonomy.startswith(f"{POLICIES.taxonomy.policy}+1correction.")
    assert own.taxonomy in own.policies
    assert paths(await house.score(PARAPHRASE))[0] == wanted
    assert wanted not in paths(await house.score(TEXT, "t2"))
    assert house.taught("corrections_learnt") == 1


async def test_a_correction_that_is_taken_back_is_as_if_it_had_never_been() -> None:
    house = House()
    before = await house.score(TEXT, feedback_id="fb_1")
    said = await house.said(TEXT, "fb_1", "product/missing_feature")
    await house.learn(corrected(said))
    gone = FeedbackCorrected(feedback_id="fb_1", taken_back=True, at=NOON + timedelta(minutes=1))
    await house.learn(corrected(gone))
    assert await house.score(TEXT, feedback_id="fb_1") == before
    await house.learn(corrected(said))  # a late word, announced before it was taken back
    assert await house.score(TEXT, feedback_id="fb_1") == before


async def test_a_correction_of_another_model_is_only_remembered_and_it_says_so() -> None:
    house = House()
    said = await house.said(TEXT, "fb_1", "product/missing_feature")
    assert said.embedding is not None
    foreign = said.model_copy(update={"embedding": said.embedding.model_copy(update={"model": "older@1"})})
    await house.learn(corrected(foreign))
    own = await house.score(TEXT, feedback_id="fb_1")
    assert paths(own) == ["product/missing_feature"]
    assert own.taxonomy.startswith(f"{POLICIES.taxonomy.policy}+1told.")
    assert paths(await house.score(PARAPHRASE)) == paths(await house.score(PARAPHRASE, "t2"))
    assert (house.taught("corrections_learnt"), house.taught("corrections_told")) == (0, 1)
    note = await house.follow.note()
    assert note is not None
    assert "1 corrections were made under another model" in note


async def test_another_model_keeps_policies_and_remembers_corrections() -> None:
    house = House(activated("taxonomy", SMALL), activated("severity", HARSH))
    await house.follow.look()
    await house.learn(corrected(await house.said(TEXT, "fb_1", "money/invoices")))
    newer = understanding(ScriptedScorer(words=(*WORDS, "more"), name="newer"))

    class Opened:
        reader, fallback, why_degraded, satisfaction = newer.reader, newer.fallback, None, None

    by = around(house.serving.understanding, Opened())
    await house.serving.replace(by)
    own = await house.score(TEXT, feedback_id="fb_1")
    assert (own.severity.policy, paths(own)) == ("acme@7", ["money/invoices"])
    assert own.taxonomy.startswith("acme@1+1told.")
    assert paths(await house.score("my parcel")) == ["things/parcels"]


async def test_without_embeddings_a_correction_still_holds_for_its_own_feedback() -> None:
    house = House(scorer=ScriptedScorer())
    said = FeedbackCorrected(feedback_id="fb_1", right=("product/missing_feature",), at=NOON)
    await house.learn(corrected(said))
    assert paths(await house.score("My invoice.", feedback_id="fb_1")) == ["product/missing_feature"]
    assert paths(await house.score("My invoice.")) == ["operations/billing"]


async def test_reading_waits_until_everything_taught_before_is_in_effect() -> None:
    house = House(activated("taxonomy", SMALL))
    stop = asyncio.Event()
    waiting = asyncio.create_task(house.follow.ready(stop))
    await asyncio.sleep(0)
    assert not waiting.done()
    running = asyncio.create_task(house.follow.run(stop))
    await asyncio.wait_for(waiting, 10)
    assert (await house.score("The invoice.")).taxonomy == "acme@1"
    stop.set()
    await asyncio.wait_for(running, 10)
    assert not house.topic.started


async def test_reading_begins_late_rather_than_never() -> None:
    house = House()
    await asyncio.wait_for(house.follow.ready(asyncio.Event(), seconds=0.01), 10)


async def test_a_stop_ends_the_waiting() -> None:
    house, stop = House(), asyncio.Event()
    waiting = asyncio.create_task(house.follow.ready(stop))
    stop.set()

    async def done() -> bool:
        return waiting.done()

    await until_async(done)
