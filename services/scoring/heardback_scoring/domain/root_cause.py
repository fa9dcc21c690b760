"""What it is about: the taxonomy categories whose examples lie nearest to the text."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.taxonomy import Category, Decision, Taxonomy
from heardback_scoring.domain.words import SHORT_STEM, Text
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

    The score of a category is the mean cosine of its `nearest` nearest examples. With p the softmax of the
    scores over `temperature`, and e how far the score is on the way from `none_at` to `full_at` (0…1),
    confidence = e × p / (p + p of its rival), 0…1; the rival of the leader is the second, that of all others
    the leader. So it is e for an undisputed winner and half of e for one that shares the lead. The best
    category is the answer when its confidence reaches `unclear_below` and it is a cause; a second within
    `second_within` of it is given as well.
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


@dataclass(frozen=True, slots=True)
class _Keyword:
    """A keyword of the category of this number: a whole word, the beginning of one, or a phrase."""

    text: str
    number: int
    any_ending: bool = False
    phrase: bool = False


_LAST_WORD = re.compile(r"(?<=[^\w'])[a-z]{3,}$")


class KeywordTaxonomy:
    """The fallback without embeddings: counts the keywords of each category."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._confidence = taxonomy.decision.keyword_confidence
        self._runners_up = taxonomy.decision.runners_up
        self._names = [(d, name) for d, name, category in taxonomy.categories if category.cause]
        self._phrases: list[tuple[str, int]] = []
        self._by_stem: dict[str, list[_Keyword]] = {}
        causes = (category for _, _, category in taxonomy.categories if category.cause)
        for number, category in enumerate(causes):
            for keyword in map(str.lower, category.keywords):
                self._add(keyword.rstrip("*"), keyword.endswith("*"), number)

    def _add(self, keyword: str, any_ending: bool, number: int) -> None:
        if keyword.isalpha():
            entry = _Keyword(keyword, number, any_ending=any_ending)
            self._by_stem.setdefault(keyword[:SHORT_STEM], []).append(entry)
        elif last := _LAST_WORD.search(keyword):
            # Wherever the phrase stands, some word of the text begins with its last one.
            entry = _Keyword(keyword, number, phrase=True)
            self._by_stem.setdefault(last[0][:SHORT_STEM], []).append(entry)
        else:
            self._phrases.append((keyword, number))

    def causes(self, texts: Sequence[Text]) -> Causes:
        """The category with most different keywords in the texts, the first of the file among equals.

        confidence = `keyword_confidence` × its keywords / all keywords found. Unclear when none is found.
        """
        found = {hit for text in texts for hit in self._hits(text)}
        if not found:
            return UNCLEAR
        counts = Counter(number for _, number in found)
        ranked = sorted(counts, key=lambda number: (-counts[number], number))
        causes = tuple(
            _by_keywords(*self._names[number], round(self._confidence * counts[number] / len(found), 4))
            for number in ranked[: 1 + self._runners_up]
        )
        return Causes(causes[:1], causes[1:])

    def _hits(self, text: Text) -> Iterator[tuple[str, int]]:
        by_stem = self._by_stem
        for word in text.words:
            for entry in by_stem.get(word[:SHORT_STEM], ()):
                keyword = entry.text
                if (
                    word == keyword
                    or (entry.any_ending and word.startswith(keyword))
                    or (entry.phrase and keyword in text.low)
                ):
                    yield keyword, entry.number
        for phrase, number in self._phrases:
            if phrase in text.low:
                yield phrase, number


@lru_cache(maxsize=1024)  # few categories and few shares: most texts get causes that others got before
def _by_keywords(domain: str, category: str, confidence: float) -> RootCause:
    return RootCause(domain=domain, category=category, confidence=confidence)
