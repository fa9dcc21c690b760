"""Ridge regression on blocks of features, solved in the space of the dialogues (fewer than the features).

Every source has its own level, so that only differences within a source are learned; the shipped model starts
from the level of the first source.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from heardback_scoring.domain.satisfaction import (
    BUCKETS,
    FALLING,
    RISING,
    STATISTICS,
    Dialogue,
    SatisfactionModel,
    features_of,
    gram_values,
)

Floats = NDArray[np.float64]
FOLDS = 5
COVERED = 0.8
SEED = 20_260_101


@dataclass(frozen=True, slots=True)
class Recipe:
    """`second_share` is what a dialogue of the second source weighs against one of the first."""

    grams: float
    penalty: float
    second_share: float
    dense: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The features of all dialogues, scaled on the first source; `group` is the source of each row."""

    group: NDArray[np.int64]
    ratings: Floats
    statistics: Floats
    mean: Floats
    last: Floats
    said: NDArray[np.float32]
    said_last: NDArray[np.float32]
    low: Floats
    high: Floats
    scale: Floats
    """Of every statistic; infinite for one that is left out."""
    widths: tuple[float, float]
    rarity: NDArray[np.float32]
    cues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """Figures over dialogues that the fit had not seen; `errors` are those of the first source."""

    recipe: Recipe
    pearson: float
    second_spearman: float
    errors: Floats

    @property
    def worth(self) -> float:
        return self.pearson + self.second_spearman


def blocks_of(sources: Sequence[tuple[Sequence[Dialogue], Floats]], cues: Sequence[str]) -> Blocks:
    found = [features_of(dialogue, cues) for dialogues, _ in sources for dialogue in dialogues]
    group = np.repeat(np.arange(len(sources)), [len(dialogues) for dialogues, _ in sources])
    raw = np.stack([f.statistics for f in found])
    mean, last = (np.stack([getattr(f, name) for f in found]).astype(np.float64) for name in ("mean", "last"))
    first = group == 0
    spread = raw[first].std(axis=0)
    scale = np.where(spread > 1e-9, spread, np.inf) * raw.shape[1] ** 0.5
    widths = tuple(float(np.sqrt(part[first].var(axis=0).sum())) or 1.0 for part in (mean, last))
    rarity = _rarity([f.said for f in found])
    return Blocks(
        group=group,
        ratings=np.concatenate([ratings for _, ratings in sources]),
        statistics=raw / scale,
        mean=mean / widths[0],
        last=last / widths[1],
        said=_spread([f.said for f in found], rarity),
        said_last=_spread([f.said_last for f in found], rarity),
        low=raw.min(axis=0),
        high=raw.max(axis=0),
        scale=scale,
        widths=(widths[0], widths[1]),
        rarity=rarity,
        cues=tuple(cues),
    )


def _rarity(counts: Sequence[dict[int, int]]) -> NDArray[np.float32]:
    """log((1 + dialogues) ÷ (1 + those that hold it)) + 1; zero for what only one holds."""
    held = np.zeros(BUCKETS)
    for one in counts:
        held[list(one)] += 1
    rarity = np.where(held > 1, np.log((1 + len(counts)) / (1 + held)) + 1, 0)
    return rarity.astype(np.float16).astype(np.float32)


def _spread(counts: Sequence[dict[int, int]], rarity: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = np.zeros((len(counts), BUCKETS), dtype=np.float32)
    for row, one in enumerate(counts):
        buckets, values = gram_values(one, rarity)
        rows[row, buckets] = values
    return rows


def choose(blocks: Blocks, recipes: Sequence[Recipe]) -> Tried:
    """The best recipe, cross-validated: Pearson on the first source plus Spearman on the second."""
    dense = _dense_kernel(blocks)
    grams = _gram_kernel(blocks)
    return max((_cross_validated(blocks, dense, grams, r) for r in recipes), key=lambda tried: tried.worth)


def fit(blocks: Blocks, recipe: Recipe, encoder: str) -> tuple[SatisfactionModel, Tried]:
    """Statistics of mood whose weight has the wrong sign are left out, one fit after the other, until a
    better reading of a turn cannot lower the prediction."""
    grams = _gram_kernel(blocks)
    while True:
        dense = _dense_kernel(blocks)
        kernel = recipe.dense * dense + recipe.grams * grams
        dual = _centred_dual(blocks, kernel, recipe)
        weights = recipe.dense * (blocks.statistics.T @ dual) / blocks.scale
        wrong = _wrong_signs(weights)
        if not wrong.any():
            break
        scale = np.where(wrong, np.inf, blocks.scale)
        blocks = replace(blocks, scale=scale, statistics=np.where(wrong, 0.0, blocks.statistics))
    tried = _cross_validated(blocks, dense, grams, recipe)
    start = float((blocks.ratings - kernel @ dual)[blocks.group == 0].mean())
    return _model(blocks, recipe, weights, dual, start, tried, encoder), tried


def _model(
    blocks: Blocks,
    recipe: Recipe,
    weights: Floats,
    dual: Floats,
    start: float,
    tried: Tried,
    encoder: str,
) -> SatisfactionModel:
    parts = {
        "mean": recipe.dense * (blocks.mean.T @ dual) / blocks.widths[0],
        "last": recipe.dense * (blocks.last.T @ dual) / blocks.widths[1],
        "said": recipe.grams * (blocks.said.T @ dual),
        "said_last": recipe.grams * (blocks.said_last.T @ dual),
    }
    return SatisfactionModel(
        encoder=encoder,
        cues=blocks.cues,
        low=blocks.low,
        high=blocks.high,
        statistics=weights,
        rarity=blocks.rarity,
        start=round(start, 6),
        half_width=round(float(np.quantile(np.abs(tried.errors), COVERED)), 4),
        mean=parts["mean"].astype(np.float32),
        last=parts["last"].astype(np.float32),
        said=parts["said"].astype(np.float16).astype(np.float32),
        said_last=parts["said_last"].astype(np.float16).astype(np.float32),
    )


def _wrong_signs(weights: Floats) -> NDArray[np.bool_]:
    names = np.array(STATISTICS)
    moods = weights[: len(names)]
    wrong = np.zeros(len(weights), dtype=bool)
    wrong[: len(names)] = (np.isin(names, RISING) & (moods < 0)) | (np.isin(names, FALLING) & (moods > 0))
    return wrong


def _dense_kernel(blocks: Blocks) -> Floats:
    joined = np.concatenate([blocks.statistics, blocks.mean, blocks.last], axis=1)
    kernel: Floats = joined @ joined.T
    return kernel


def _gram_kernel(blocks: Blocks) -> Floats:
    kernel: Floats = (blocks.said @ blocks.said.T + blocks.said_last @ blocks.said_last.T).astype(np.float64)
    return kernel


def _cross_validated(blocks: Blocks, dense: Floats, grams: Floats, recipe: Recipe) -> Tried:
    kernel = recipe.dense * dense + recipe.grams * grams
    fold = np.random.default_rng(SEED).permutation(len(kernel)) % FOLDS
    predicted = np.zeros(len(kernel))
    for held_out in range(FOLDS):
        seen = fold != held_out
        values = _predicted(blocks, kernel, seen, recipe)
        predicted[~seen] = values[~seen]
    first = blocks.group == 0
    return Tried(
        recipe=recipe,
        pearson=pearson(predicted[first], blocks.ratings[first]),
        second_spearman=spearman(predicted[~first], blocks.ratings[~first]),
        errors=predicted[first] - blocks.ratings[first],
    )


def _predicted(blocks: Blocks, kernel: Floats, seen: NDArray[np.bool_], recipe: Recipe) -> Floats:
    """What a fit on the rows `seen` says of every row, on the level of the row's own source."""
    group, products = blocks.group, kernel[:, seen].copy()
    levels = np.zeros(len(kernel))
    for source in np.unique(group):
        columns = group[seen] == source
        products[:, columns] -= products[:, columns].mean(axis=1, keepdims=True)
        levels[group == source] = blocks.ratings[seen & (group == source)].mean()
    for source in np.unique(group):
        products[group == source] -= products[seen & (group == source)].mean(axis=0)
    share = np.where(group[seen] == 0, 1.0, recipe.second_share) ** 0.5
    system = share[:, None] * products[seen] * share + recipe.penalty * np.eye(int(seen.sum()))
    dual = share * np.linalg.solve(system, share * (blocks.ratings - levels)[seen])
    return levels + products @ dual


def _centred_dual(blocks: Blocks, kernel: Floats, recipe: Recipe) -> Floats:
    """One weight per dialogue; those of a source sum to zero, so that its level plays no part."""
    group, products, levels = blocks.group, kernel.copy(), np.zeros(len(kernel))
    for source in np.unique(group):
        own = group == source
        products[:, own] -= products[:, own].mean(axis=1, keepdims=True)
        levels[own] = blocks.ratings[own].mean()
    for source in np.unique(group):
        products[group == source] -= products[group == source].mean(axis=0)
    share = np.where(group == 0, 1.0, recipe.second_share) ** 0.5
    system = share[:, None] * products * share + recipe.penalty * np.eye(len(kernel))
    dual: Floats = share * np.linalg.solve(system, share * (blocks.ratings - levels))
    for source in np.unique(group):
        dual[group == source] -= dual[group == source].mean()
    return dual


def pearson(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1])


def spearman(one: Floats, other: Floats) -> float:
    return pearson(_ranks(one), _ranks(other))


def _ranks(values: Floats) -> Floats:
    """Ties share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    shared: Floats = (ends - (count - 1) / 2)[place]
    return shared
