"""What it is about: the taxonomy categories whose examples lie nearest to the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.taxonomy import Category, Decision, Taxonomy
from heardback_scoring.domain.words import folded
from heardback_shared.contracts.score import Neighbour, RootCause

Vectors = NDArray[np.float32]
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Causes:
    """`found` is empty when the cause is unclear; `runners_up` are the next best that are causes."""

    found: tuple[RootCause, ...] = ()
    runners_up: tuple[RootCause, ...] = ()


UNCLEAR = Causes()


@dataclass(frozen=True, slots=True)
class EmbeddedTaxonomy:
    """A taxonomy with one unit vector per example, in the order of `taxonomy.examples`."""

    taxonomy: Taxonomy
    vectors: Vectors

    def __post_init__(self) -> None:
        if len(self.vectors) != len(self.taxonomy.examples):
            raise ValueError(
                f"{len(self.taxonomy.examples)} examples need as many vectors, not {len(self.vectors)}"
            )


def pooled(vectors: Sequence[Vectors], weights: Sequence[float]) -> Vectors:
    """The weighted mean of unit vectors, of unit length again (zero stays zero)."""
    mean = np.average(np.stack(vectors), axis=0, weights=weights)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length else mean, dtype=np.float32)


def nearest_causes(vectors: Vectors, embedded: EmbeddedTaxonomy) -> list[Causes]:
    """The causes of each text, given as a row of unit length.

    The score of a category is the mean cosine of its `nearest` nearest examples. With p the softmax of the scores
    over `temperature`, and e how far the score is on the way from `none_at` to `full_at` (0…1),
    confidence = e × p / (largest p + p of the best other category), 0…1: e for an undisputed winner, half of it for
    one that shares the lead. The best category is the answer when its confidence reaches `unclear_below` and it is
    a cause; a second within `second_within` of it is given as well.
    """
    taxonomy, decision = embedded.taxonomy, embedded.taxonomy.decision
    categories = taxonomy.categories
    similarities = np.asarray(vectors, dtype=np.float32) @ embedded.vectors.T
    scores = _category_scores(similarities, categories, decision.nearest)
    confidences = _confidences(scores, decision)
    ranks = np.argsort(-scores, axis=1, kind="stable")
    return [
        _causes(embedded, similarities[row], scores[row], confidences[row], ranks[row])
        for row in range(len(scores))
    ]


def _category_scores(
    similarities: Vectors, categories: Sequence[tuple[str, str, Category]], nearest: int
) -> Vectors:
    columns = []
    start = 0
    for _, _, category in categories:
        end = start + len(category.examples)
        k = min(nearest, end - start)
        part = np.partition(similarities[:, start:end], end - start - k, axis=1)
        columns.append(part[:, end - start - k :].mean(axis=1))
        start = end
    return np.stack(columns, axis=1)


def _confidences(scores: Vectors, decision: Decision) -> Vectors:
    evidence = np.clip((scores - decision.none_at) / (decision.full_at - decision.none_at), 0.0, 1.0)
    weights = np.exp((scores - scores.max(axis=1, keepdims=True)) / decision.temperature)
    top = np.partition(weights, weights.shape[1] - 2, axis=1)[:, -2:]
    # The rival of the leader is the second; the rival of everyone else is the leader.
    rivals = np.where(weights >= top[:, 1:], top[:, :1], top[:, 1:])
    return np.asarray(evidence * weights / (weights + rivals), dtype=np.float32)


def _causes(
    embedded: EmbeddedTaxonomy,
    similarities: Vectors,
    scores: Vectors,
    confidences: Vectors,
    ranks: NDArray[np.int64],
) -> Causes:
    decision, categories = embedded.taxonomy.decision, embedded.taxonomy.categories
    order = [int(i) for i in ranks]
    first = order[0]
    found: list[int] = []
    if categories[first][2].cause and confidences[first] >= decision.unclear_below:
        found.append(first)
        second = order[1]
        close = scores[first] - scores[second] <= decision.second_within
        if close and categories[second][2].cause and scores[second] > decision.none_at:
            found.append(second)
    others = [i for i in order if i not in found and categories[i][2].cause and confidences[i] > 0]
    return Causes(
        tuple(_cause(embedded, i, similarities, confidences, shown=True) for i in found),
        tuple(
            _cause(embedded, i, similarities, confidences, shown=False) for i in others[: decision.runners_up]
        ),
    )


def _cause(
    embedded: EmbeddedTaxonomy, number: int, similarities: Vectors, confidences: Vectors, *, shown: bool
) -> RootCause:
    categories = embedded.taxonomy.categories
    domain, name, category = categories[number]
    nearest: tuple[Neighbour, ...] = ()
    if shown:
        start = sum(len(c.examples) for _, _, c in categories[:number])
        part = similarities[start : start + len(category.examples)]
        best = np.argsort(-part, kind="stable")[:_SHOWN]
        nearest = tuple(
            Neighbour(
                domain=domain, category=name, text=category.examples[i], similarity=round(float(part[i]), 4)
            )
            for i in best
        )
    confidence = round(float(confidences[number]), 4)
    return RootCause(domain=domain, category=name, confidence=confidence, nearest=nearest)


class KeywordTaxonomy:
    """The fallback without embeddings: counts the keywords of each category. Compiled once."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._confidence = taxonomy.decision.keyword_confidence
        self._runners_up = taxonomy.decision.runners_up
        self._patterns = tuple(
            (domain, name, _keyword_pattern(category.keywords))
            for domain, name, category in taxonomy.categories
            if category.cause and category.keywords
        )

    def causes(self, text: str) -> Causes:
        """The category with most different keywords in the text, the first of the file among equals.

        confidence = `keyword_confidence` × its keywords / all keywords found. Unclear when none is found.
        """
        said = folded(text)
        hits = [(len(set(pattern.findall(said))), d, name) for d, name, pattern in self._patterns]
        total = sum(count for count, _, _ in hits)
        if not total:
            return UNCLEAR
        best = sorted((h for h in hits if h[0]), key=lambda h: -h[0])
        causes = tuple(
            RootCause(domain=d, category=name, confidence=round(self._confidence * count / total, 4))
            for count, d, name in best
        )
        return Causes(causes[:1], causes[1 : 1 + self._runners_up])


def _keyword_pattern(keywords: Sequence[str]) -> re.Pattern[str]:
    spelled = (re.escape(word.lower()).replace(r"\*", r"\w*") for word in keywords)
    # A keyword that begins inside a word ("n't work") has no word boundary in front of it.
    bounded = (s if s.startswith("n't") else rf"\b{s}" for s in spelled)
    return re.compile(f"(?:{'|'.join(bounded)})(?!\\w)")
