"""How well a taxonomy holds together: what its own examples are read as when each is left out in turn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heardback_scoring.domain.root_cause import EmbeddedTaxonomy

NEAR_DUPLICATE = 0.9
"""Cosine similarity from which on two examples say the same."""


@dataclass(frozen=True, slots=True)
class CategoryCheck:
    """`right` of the `examples` are told by the others: their own category has the highest confidence."""

    path: str
    examples: int
    right: int


@dataclass(frozen=True, slots=True)
class Confusion:
    """Examples of `path` that the others take for `taken_for`."""

    path: str
    taken_for: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two examples that say the same in two categories."""

    path: str
    text: str
    other_path: str
    other_text: str
    similarity: float


@dataclass(frozen=True, slots=True)
class TaxonomyCheck:
    """Categories in the order of the file; the most frequent confusions and nearest duplicates first."""

    version: str
    categories: tuple[CategoryCheck, ...]
    confusions: tuple[Confusion, ...]
    near_duplicates: tuple[NearDuplicate, ...]

    @property
    def right(self) -> float:
        """Share of all examples that are told by the others."""
        return sum(c.right for c in self.categories) / sum(c.examples for c in self.categories)


@dataclass(frozen=True, slots=True)
class Relabelled:
    """A row (0, 1, …) whose causes differ between two taxonomies."""

    row: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def check(embedded: EmbeddedTaxonomy) -> TaxonomyCheck:
    """An example that stands in several categories is right in any of them."""
    paths, examples = embedded.taxonomy.paths, embedded.taxonomy.examples
    owners = _owners(embedded)
    legal: dict[str, set[str]] = {}
    for text, owner in zip(examples, owners, strict=True):
        legal.setdefault(text, set()).add(owner)
    taken = [paths[i] for i in embedded.learnt.left_out[: len(examples)].argmax(axis=1)]
    right = dict.fromkeys(paths, 0)
    wrong: dict[tuple[str, str], list[str]] = {}
    for text, owner, found in zip(examples, owners, taken, strict=True):
        if found in legal[text]:
            right[owner] += 1
        else:
            wrong.setdefault((owner, found), []).append(text)
    categories = tuple(CategoryCheck(path, owners.count(path), right[path]) for path in paths)
    confusions = (Confusion(path, found, tuple(texts)) for (path, found), texts in wrong.items())
    return TaxonomyCheck(
        embedded.version,
        categories,
        tuple(sorted(confusions, key=lambda c: (-len(c.examples), c.path, c.taken_for))),
        _near_duplicates(embedded, owners),
    )


def relabelled(before: Sequence[tuple[str, ...]], after: Sequence[tuple[str, ...]]) -> tuple[Relabelled, ...]:
    """Rows whose set of causes (paths) is another one; their order does not matter."""
    pairs = enumerate(zip(before, after, strict=True))
    return tuple(Relabelled(row, old, new) for row, (old, new) in pairs if set(old) != set(new))


def moves(changed: Sequence[Relabelled]) -> tuple[tuple[tuple[str, ...], tuple[str, ...], int], ...]:
    """(causes before, causes after, rows that moved so), the most frequent first."""
    counts = Counter((tuple(sorted(one.before)), tuple(sorted(one.after))) for one in changed)
    return tuple((*pair, rows) for pair, rows in sorted(counts.items(), key=lambda c: (-c[1], c[0])))


def _owners(embedded: EmbeddedTaxonomy) -> list[str]:
    taxonomy = embedded.taxonomy
    return [
        path
        for path, (_, _, category) in zip(taxonomy.paths, taxonomy.categories, strict=True)
        for _ in category.examples
    ]


def _near_duplicates(embedded: EmbeddedTaxonomy, owners: Sequence[str]) -> tuple[NearDuplicate, ...]:
    examples = embedded.taxonomy.examples
    vectors = embedded.vectors[: len(examples)]
    found = []
    for row in range(len(examples)):
        near = vectors[row + 1 :] @ vectors[row]
        for other in (row + 1 + np.flatnonzero(near >= NEAR_DUPLICATE)).tolist():
            if owners[other] != owners[row]:
                similarity = round(float(near[other - row - 1]), 4)
                found.append(
                    NearDuplicate(owners[row], examples[row], owners[other], examples[other], similarity)
                )
    return tuple(sorted(found, key=lambda pair: (-pair.similarity, pair.path, pair.text)))
