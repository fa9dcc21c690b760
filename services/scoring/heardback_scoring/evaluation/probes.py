"""What can be learnt from the model's reading: emotions, intents, topics and aspects by a probe on it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.few_shot import FewShot
from heardback_scoring.evaluation import learning
from heardback_scoring.evaluation import statistics as stats
from heardback_scoring.evaluation.data import LabelledSet, Part, Row
from heardback_scoring.evaluation.learning import Chosen, Features, Labels, Learner
from heardback_scoring.evaluation.measures import Measured
from heardback_scoring.evaluation.statistics import Statistic
from heardback_scoring.evaluation.subject import Subject, texts_of
from heardback_scoring.evaluation.tasks import aspects_of, emotions_of, flag_of, intent_of, labels_of

FEW_INTENTS, FEW_ASPECTS = 10, 20
SEEDS = (1, 2, 3)
MOST_TRAINING = 8_000
"""Rows of train that a probe learns from at most, drawn with a seed; a probe gains little from more."""
Read = Callable[[Row], Labels | None]


async def evaluate_emotion(data: LabelledSet, subject: Subject, learner: Learner) -> Measured:
    """Macro-F1 over emotions, by logistic regression on everything the model says of a text."""
    return await _probe(data, subject, learner, emotions_of, "emotion_macro_f1")


async def evaluate_flag_probe(data: LabelledSet, subject: Subject, learner: Learner) -> Measured:
    """As for emotions, for the two labels X and not X."""
    return await _probe(data, subject, learner, _flag_label, "probe_macro_f1")


async def evaluate_intents(data: LabelledSet, subject: Subject) -> Measured:
    """Accuracy from ten examples of each intent, mean of three draws; and from all of train.

    Learnt as the product learns root causes, from examples on the embedding that stays as it is.
    """
    labelled = _labelled(data, lambda row: frozenset({found}) if (found := intent_of(row)) else None)
    if isinstance(labelled, Measured):
        return labelled
    train, judged, measured = labelled
    judge = await subject.vectors(judged.texts)

    async def hits(some: _Texts) -> NDArray[np.bool_]:
        learned = FewShot.fit(await subject.vectors(some.texts), some.texts, some.labels)
        best = learned.probabilities(judge, judged.texts).argmax(axis=1)
        return np.asarray(best == _classes(judged.labels, learned.classes))

    draws = [await hits(train.few_of_each(FEW_INTENTS, seed)) for seed in SEEDS]
    rows = len(judged.labels)
    measured.add(f"accuracy_{FEW_INTENTS}_shot", rows, stats.share(np.mean(draws, axis=0)))
    measured.add("accuracy_full", rows, stats.share(await hits(_capped(train, measured))))
    return measured


async def evaluate_topics(data: LabelledSet, subject: Subject) -> Measured:
    return await _several(data, subject, lambda row: labels_of(row) or None)


async def evaluate_aspects(data: LabelledSet, subject: Subject) -> Measured:
    return await _several(data, subject, aspects_of)


async def _several(data: LabelledSet, subject: Subject, read: Read) -> Measured:
    """Micro-F1 of several labels a text, from all of train and from twenty examples of each (three draws).

    Learnt as the product learns root causes; how probable a label must be comes from the examples themselves.
    """
    labelled = _labelled(data, read)
    if isinstance(labelled, Measured):
        return labelled
    train, judged, measured = labelled
    judge = await subject.vectors(judged.texts)

    async def micro(some: _Texts) -> Statistic:
        learned = FewShot.fit(await subject.vectors(some.texts), some.texts, some.labels)
        names = learning.names_of([*some.labels, *judged.labels])
        chosen = [frozenset(labels) for labels in learned.predict(judge, judged.texts)]
        return stats.micro_f1_of_labels(
            learning.table_of(chosen, names), learning.table_of(judged.labels, names)
        )

    draws = [await micro(train.few_of_each(FEW_ASPECTS, seed)) for seed in SEEDS]
    measured.add(f"micro_f1_{FEW_ASPECTS}_shot", len(judged.labels), stats.mean_of(draws))
    measured.add("micro_f1_full", len(judged.labels), await micro(_capped(train, measured)))
    return measured


@dataclass(frozen=True, slots=True)
class _Texts:
    """Texts of one split with their labels."""

    texts: list[str]
    labels: list[Labels]

    def at(self, places: Iterable[int]) -> "_Texts":
        chosen = list(places)
        return _Texts([self.texts[i] for i in chosen], [self.labels[i] for i in chosen])

    def few_of_each(self, count: int, seed: int) -> "_Texts":
        return self.at(learning.few_of_each(self.labels, count, seed))


def _capped(train: _Texts, measured: Measured) -> _Texts:
    total = len(train.labels)
    if total <= MOST_TRAINING:
        return train
    measured.notes.append(f"learnt from {MOST_TRAINING} of {total} rows of train")
    return train.at(np.random.default_rng(0).permutation(total)[:MOST_TRAINING].tolist())


def _labelled(data: LabelledSet, read: Read) -> tuple[_Texts, _Texts, Measured] | Measured:
    """(train, judged, with what is wrong with them), or only what is missing."""
    measured = Measured()
    if data.train is None:
        measured.notes.append("no train split to learn from")
        return measured
    train = _of(data.train, read, measured)
    judged = _of(data.judged, read, measured)
    measured.problems += data.train.problems
    return train, judged, measured


def _of(part: Part, read: Read, measured: Measured) -> _Texts:
    rows, labels = [], []
    for row in part.rows:
        found = read(row)
        if found is None:
            measured.problems.append(part.problem(row, "no label of the kind this set has"))
        else:
            rows.append(row)
            labels.append(found)
    return _Texts(texts_of(rows), labels)


def _flag_label(row: Row) -> Labels | None:
    flag = flag_of(row)
    return None if flag is None else frozenset({f"{flag[0]}: {flag[1]}"})


async def _probe(data: LabelledSet, subject: Subject, learner: Learner, read: Read, figure: str) -> Measured:
    learning.available()
    labelled = _labelled(data, read)
    if isinstance(labelled, Measured):
        return labelled
    whole, judged, measured = labelled
    train = _capped(whole, measured)
    learn, judge = await _whole_readings(train, subject), await _whole_readings(judged, subject)
    if all(len(one) == 1 for one in train.labels + judged.labels):
        learned = learner.fit(learn, train.labels, one_each=True)
        chosen = learned.scores(judge).argmax(axis=1).astype(np.int64)
        statistic = stats.macro_f1(chosen, _classes(judged.labels, learned.names))
    else:
        statistic = stats.macro_f1_of_labels(*_choose(learn, train, judge, judged, learner, _macro))
    measured.add(figure, len(judged.labels), statistic)
    return measured


async def _whole_readings(part: _Texts, subject: Subject) -> Features:
    """Embedding and the probabilities of sentiment, cues and emotions. Raises NoEmbeddings."""
    vectors = await subject.vectors(part.texts)
    readings = await subject.readings(part.texts)
    cues = sorted(readings[0].cues) if readings else []
    told = [
        [r.negative, r.neutral, r.positive, *(r.cues[cue] for cue in cues), *r.emotions.values()]
        for r in readings
    ]
    return np.hstack([vectors, np.array(told, np.float64).reshape(len(vectors), -1)])


def _choose(
    learn: Features,
    train: _Texts,
    judge: Features,
    judged: _Texts,
    learner: Learner,
    figure: Callable[[Chosen, Chosen], float],
) -> tuple[Chosen, Chosen]:
    """(chosen, true), rows × labels; the threshold comes from the rows learnt from, never those judged."""
    threshold = learning.threshold_for(learner, learn, train.labels, figure)
    learned = learner.fit(learn, train.labels, one_each=False)
    names = learning.names_of([*train.labels, *judged.labels])
    chosen = np.zeros((len(judged.labels), len(names)), np.bool_)
    chosen[:, [names.index(name) for name in learned.names]] = learned.scores(judge) >= threshold
    return chosen, learning.table_of(judged.labels, names)


def _macro(chosen: Chosen, truth: Chosen) -> float:
    return stats.point(stats.macro_f1_of_labels(chosen, truth), len(truth))


def _classes(labels: Sequence[Labels], names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each row's only label among the names; −1 for one that was never learnt."""
    places = {name: place for place, name in enumerate(names)}
    return np.array([places.get(next(iter(one)), -1) for one in labels], np.int64)
