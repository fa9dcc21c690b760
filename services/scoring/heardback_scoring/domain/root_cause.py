"""What it is about: the taxonomy categories that a text belongs to, learnt from their examples."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.corrections import NO_CORRECTIONS, Correction, Corrections
from heardback_scoring.domain.few_shot import Examples, FewShot, same_text
from heardback_scoring.domain.ngrams import PLACES, ngram_vectors
from heardback_scoring.domain.taxonomy import Category, Taxonomy
from heardback_scoring.domain.words import SHORT_STEM, Text
from heardback_shared.contracts.score import Neighbour, RootCause

Vectors = NDArray[np.float32]
_SHOWN = 3
_DESCRIPTION_WEIGHT = 0.5
_CORRECTION_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class Causes:
    """`found` is empty when the cause is unclear; `runners_up` are the next best that are causes."""

    found: tuple[RootCause, ...] = ()
    runners_up: tuple[RootCause, ...] = ()


UNCLEAR = Causes()


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedTaxonomy:
    """A taxonomy with one unit vector per text of `taxonomy.texts`, what people corrected, and what is learnt
    from both. An example counts 1, a description ½, a correction 3; a category that the taxonomy does not
    have is passed over in a correction, and so is a correction that has no other.
    """

    taxonomy: Taxonomy
    vectors: Vectors
    corrections: Corrections = NO_CORRECTIONS
    version: str = field(init=False)
    """The taxonomy's, and which corrections it has learnt: `taxonomy@3+12corrections.1a2b3c4d`."""
    learnt: FewShot = field(init=False)
    _shown: "_Shown" = field(init=False)

    def __post_init__(self) -> None:
        if len(self.vectors) != len(self.taxonomy.texts):
            raise ValueError(
                f"{len(self.taxonomy.texts)} texts need as many vectors, not {len(self.vectors)}"
            )
        object.__setattr__(self, "version", self.taxonomy.policy + self.corrections.version)
        object.__setattr__(self, "learnt", _learn(self))
        object.__setattr__(self, "_shown", _shown_of(self))

    def corrected(self, corrections: Corrections) -> "EmbeddedTaxonomy":
        """The same taxonomy having learnt exactly these; nothing is embedded again.

        About half a second of one processor for the most corrections there can be, so not for an event loop.
        """
        return replace(self, corrections=corrections)

    def told(self, feedback_id: str) -> Causes | None:
        """What a person said that the causes of this very feedback are; None where nobody did."""
        correction = self.corrections.about(feedback_id)
        if correction is None or correction.right is None:
            return None
        categories = dict(zip(self.taxonomy.paths, self.taxonomy.categories, strict=True))
        known = [categories[path] for path in categories if path in correction.right]
        if correction.right and not known:
            return None
        return Causes(
            tuple(RootCause(domain=d, category=name, confidence=1.0) for d, name, c in known if c.cause)
        )


def pooled(vectors: Sequence[Vectors], weights: Sequence[float]) -> Vectors:
    """The weighted mean of unit vectors, of unit length again (zero stays zero)."""
    mean = np.average(np.stack(vectors), axis=0, weights=weights)
    length = float(np.linalg.norm(mean))
    return np.asarray(mean / length if length else mean, dtype=np.float32)


def nearest_causes(vectors: Vectors, texts: Sequence[str], embedded: EmbeddedTaxonomy) -> list[Causes]:
    """The causes of each text, given with its vector of unit length.

    The confidence of a category is its calibrated probability (`FewShot`), each on its own. The best one that
    is a cause is the answer when it reaches `unclear_below`; those after it need `also_at`.
    """
    confidences = embedded.learnt.probabilities(vectors, texts)
    similarities = np.asarray(vectors, dtype=np.float32) @ embedded._shown.vectors.T
    return [
        _causes(embedded, row, near) for row, near in zip(confidences.round(4), similarities, strict=True)
    ]


def _learn(embedded: EmbeddedTaxonomy) -> FewShot:
    taxonomy, paths = embedded.taxonomy, embedded.taxonomy.paths
    columns = {path: number for number, path in enumerate(paths)}
    taught = [p for p, (_, _, c) in zip(paths, taxonomy.categories, strict=True) for _ in c.examples]
    described = [path for path, _ in taxonomy.descriptions]
    targets = [_target(columns, frozenset([path]), frozenset()) for path in (*taught, *described)]
    weights = [1.0] * len(taught) + [_DESCRIPTION_WEIGHT] * len(described)
    usable = [c for c in embedded.corrections if _teaches(c, columns)]
    targets += [_target(columns, c.right, c.wrong) for c in usable]
    weights += [_CORRECTION_WEIGHT] * len(usable)
    texts = taxonomy.texts
    examples = Examples(
        # No text of a taxonomy begins with a line end, so a feedback's id is never taken for one.
        names=[*map(same_text, texts), *(f"\n{c.feedback_id}" for c in usable)],
        vectors=np.concatenate([embedded.vectors, *(c.vector[None] for c in usable)]),
        words=np.concatenate([ngram_vectors(texts), np.zeros((len(usable), PLACES), np.float32)]),
        targets=np.stack(targets),
        weights=np.array(weights),
    )
    return FewShot.learn(paths, examples)


def _teaches(correction: Correction, columns: dict[str, int]) -> bool:
    right, known = correction.right, columns.keys()
    return bool(correction.wrong & known) if right is None else not right or bool(right & known)


def _target(
    columns: dict[str, int], right: frozenset[str] | None, wrong: frozenset[str]
) -> NDArray[np.float64]:
    target = np.full(len(columns), np.nan if right is None else 0.0)
    for path, column in columns.items():
        if path in (wrong if right is None else right):
            target[column] = 0.0 if right is None else 1.0
    return target


@dataclass(frozen=True, slots=True, eq=False)
class _Members:
    """What may explain one category: rows of the vectors to show, each with the words for it."""

    rows: NDArray[np.intp]
    texts: tuple[str, ...]

    def nearest(self, similarities: Vectors) -> list[tuple[str, float]]:
        """The nearest texts with their similarity; the same text is shown once."""
        near = similarities[self.rows]
        shown: dict[str, float] = {}
        for place in np.argsort(-near, kind="stable").tolist():
            shown.setdefault(self.texts[place], round(float(near[place]), 4))
            if len(shown) == _SHOWN:
                break
        return list(shown.items())


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """What an answer may be explained with: vectors, and the members of each category."""

    vectors: Vectors
    members: tuple[_Members, ...]


def _shown_of(embedded: EmbeddedTaxonomy) -> _Shown:
    taxonomy, corrections = embedded.taxonomy, tuple(embedded.corrections)
    count = len(taxonomy.examples)
    members: list[_Members] = []
    row = 0
    for path, (_, _, category) in zip(taxonomy.paths, taxonomy.categories, strict=True):
        taught = [i for i, c in enumerate(corrections) if c.right and path in c.right]
        own = range(row, row + len(category.examples))
        told = (f"(feedback {corrections[i].feedback_id}, corrected by a person)" for i in taught)
        rows = np.array([*own, *(count + i for i in taught)], dtype=np.intp)
        members.append(_Members(rows, (*category.examples, *told)))
        row += len(category.examples)
    return _Shown(
        np.concatenate([embedded.vectors[:count], *(c.vector[None] for c in corrections)]), tuple(members)
    )


def _causes(
    embedded: EmbeddedTaxonomy,
    confidences: NDArray[np.float64],
    similarities: Vectors,
) -> Causes:
    decision, categories = embedded.taxonomy.decision, embedded.taxonomy.categories
    order = [int(i) for i in np.argsort(-confidences, kind="stable") if categories[i][2].cause]
    found = [
        i
        for place, i in enumerate(order[: decision.most])
        if confidences[i] >= (decision.also_at if place else decision.unclear_below)
    ]
    members = embedded._shown.members
    others = [i for i in order[len(found) :] if confidences[i] > 0][: decision.runners_up]
    return Causes(
        tuple(_cause(categories[i], confidences[i], members[i].nearest(similarities)) for i in found),
        tuple(_cause(categories[i], confidences[i], []) for i in others),
    )


def _cause(
    category: tuple[str, str, Category], confidence: float, nearest: Sequence[tuple[str, float]]
) -> RootCause:
    domain, name, _ = category
    return RootCause(
        domain=domain,
        category=name,
        confidence=float(confidence),
        nearest=tuple(
            Neighbour(domain=domain, category=name, text=text, similarity=similarity)
            for text, similarity in nearest
        ),
    )


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
