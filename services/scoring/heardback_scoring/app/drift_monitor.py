"""Tells the metrics how feedback of each source reads, now and before."""

from collections.abc import Sequence

from heardback_scoring.domain.drift import DriftPolicy, Levels, Reading, Watch
from heardback_shared.contracts.events import FeedbackAccepted
from heardback_shared.contracts.score import ModelRef, Score
from heardback_shared.metrics import Metrics


class DriftMonitor:
    """Begins anew with each model: how two models differ is for a comparison to say, and no drift."""

    def __init__(self, policy: DriftPolicy, metrics: Metrics) -> None:
        self._policy = policy
        self._metrics = metrics
        self._model: ModelRef | None = None
        self._watch = Watch(policy)

    def observe(
        self, model: ModelRef, feedbacks: Sequence[FeedbackAccepted], scores: Sequence[Score]
    ) -> None:
        """Counts a batch that `model` read, and brings the gauges of its sources up to date."""
        if model != self._model:
            self._begin(model)
        touched = set()
        for feedback, score in zip(feedbacks, scores, strict=True):
            source = self._watch.name_of(feedback.content.source)
            reading = reading_of(score)
            self._watch.observe(source, reading)
            self._count(source, score, reading)
            touched.add(source)
        for source in touched:
            self._publish(source)

    def _begin(self, model: ModelRef) -> None:
        self._model, self._watch = model, Watch(self._policy)
        m = self._metrics
        for gauge in (m.reading_share, m.reading_sentiment, m.reading_cue_rate, m.reading_stability):
            gauge.clear()

    def _count(self, source: str, score: Score, reading: Reading) -> None:
        outcome = "read" if score.status == "scored" else score.status
        self._metrics.readings.labels(source, "abstained" if reading.abstained else outcome).inc()
        for cue in reading.cues:
            self._metrics.cues_found.labels(source, cue).inc()

    def _publish(self, source: str) -> None:
        self._publish_window(source, "current", self._watch.current(source))
        before = self._watch.reference(source)
        if before.count:
            self._publish_window(source, "reference", before)
        stability = self._watch.stability(source)
        if stability is not None:
            self._metrics.reading_stability.labels(source).set(stability)

    def _publish_window(self, source: str, window: str, levels: Levels) -> None:
        m = self._metrics
        m.reading_share.labels(source, window, "unscored").set(levels.unscored)
        m.reading_share.labels(source, window, "abstained").set(levels.abstained)
        if levels.sentiment is not None:
            m.reading_sentiment.labels(source, window).set(levels.sentiment)
        for cue, rate in levels.cues.items():
            m.reading_cue_rate.labels(source, window, cue).set(rate)


def reading_of(score: Score) -> Reading:
    # Without a model no text was read, and the fallback reads differently.
    mood = score.sentiment if score.models and score.status == "scored" else None
    return Reading(
        unscored=score.status == "unscored",
        abstained=mood is not None and mood.abstained,
        sentiment=mood.score if mood is not None else None,
        cues=frozenset(cue.name for cue in score.cues),
    )
