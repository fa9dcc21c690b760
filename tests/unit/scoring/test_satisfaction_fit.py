"""Training the satisfaction model: it learns what ratings follow, and never that a worse mood satisfies."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.satisfaction import by_hand, dialogue, turn

from heardback_scoring.domain.satisfaction import FALLING, RISING, STATISTICS, Dialogue
from heardback_scoring.models.satisfaction_file import NAME
from heardback_scoring.models.store import PACKAGED_MANIFEST, read_manifest
from heardback_scoring.training.satisfaction import write_beside
from heardback_scoring.training.satisfaction_fit import Recipe, blocks_of, choose, fit, pearson, spearman

RECIPE = Recipe(grams=1.0, penalty=0.5, second_share=0.3)
ENDS = ("thanks, solved", "still broken", "ok", "useless answer")


def talks(seed: int, count: int, follows_mood: float) -> tuple[list[Dialogue], NDArray[np.float64]]:
    """Conversations of two turns; the rating is the last mood times `follows_mood`, with a little noise."""
    dice = np.random.default_rng(seed)
    moods = dice.uniform(-0.9, 0.9, size=(count, 2))
    found = [
        dialogue(
            turn("it broke", first), turn(ENDS[i % len(ENDS)], last), answers=(int(dice.integers(3, 30)),)
        )
        for i, (first, last) in enumerate(moods)
    ]
    return found, follows_mood * moods[:, 1] * 0.8 + dice.normal(0, 0.05, count)


def test_it_learns_what_the_ratings_follow_and_is_the_same_every_time() -> None:
    blocks = blocks_of([talks(1, 80, 1.0), talks(2, 40, 1.0)], ())
    best = choose(blocks, [RECIPE, Recipe(grams=1.0, penalty=1e6, second_share=0.3)])
    assert best.recipe == RECIPE
    model, tried = fit(blocks, best.recipe, "e" * 64)
    again, _ = fit(blocks, best.recipe, "e" * 64)
    assert tried.pearson > 0.9
    new, ratings = talks(3, 30, 1.0)
    found = np.array([model.predict(one) for one in new])
    assert pearson(found, ratings) > 0.9
    assert (np.abs(found - ratings) <= 2 * model.half_width).mean() > 0.8
    assert found.tolist() == [again.predict(one) for one in new]


def test_a_worse_mood_is_never_learned_to_satisfy() -> None:
    model, _ = fit(blocks_of([talks(1, 60, -1.0), talks(2, 30, -1.0)], ()), RECIPE, "e" * 64)
    weights = dict(zip(STATISTICS, model.statistics.tolist(), strict=True))
    assert all(weights[name] >= 0 for name in RISING)
    assert all(weights[name] <= 0 for name in FALLING)


def test_ranks_share_ties() -> None:
    one = np.array([1.0, 2.0, 2.0, 4.0])
    assert spearman(one, one**3) == pytest.approx(1)
    assert spearman(one, -one) == pytest.approx(-1)


def test_the_file_is_written_beside_the_model_and_its_hash_into_the_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.toml"
    shutil.copyfile(PACKAGED_MANIFEST, manifest)
    before = read_manifest(manifest)
    folder = tmp_path / before.folder
    folder.mkdir()
    for _ in range(2):
        size = write_beside(manifest, by_hand())
        content = (folder / NAME).read_bytes()
        assert len(content) == size
        after = read_manifest(manifest)
        assert after.files == {**before.files, NAME: hashlib.sha256(content).hexdigest()}
        assert after.training == before.training
