"""Models change while feedback is scored: none is lost, none is read by two of them, refusals are told."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from tests.support.clock import NOON, FakeClock
from tests.support.registry import registered, second_model
from tests.support.scoring import POLICIES, ScriptedGuesser, ScriptedScorer, transcript

from heardback_scoring.adapters.models import OpenedModel, open_exactly, open_model
from heardback_scoring.adapters.registry_folder import ACTIVE, RegistryFolder
from heardback_scoring.app.follow_registry import RETRY_SECONDS, FollowRegistry
from heardback_scoring.app.ports import Opened
from heardback_scoring.app.score_batch import score_batch
from heardback_scoring.app.serving import Serving
from heardback_scoring.app.understanding import Understanding, understanding_of
from heardback_scoring.domain.registry import Registered, RegistryState, promoted, rolled_back
from heardback_scoring.inference.lexicon import LexiconScorer
from heardback_scoring.inference.thread import InferenceThread
from heardback_scoring.models.store import ModelRefused, read_manifest
from heardback_shared.metrics import Metrics

SETTING, NEW, BAD = registered("setting", "a"), registered("new", "b"), registered("bad", "c")
TURNS = [("customer", f"The parcel {n} is late and nobody answers.") for n in range(5)]


def understand(opened: Opened) -> Understanding:
    return understanding_of(POLICIES, ScriptedGuesser(), opened.reader, opened.fallback, opened.why_degraded)


class Models:
    """Scripted models on real inference threads, by name; `bad` cannot be opened until it is mended."""

    def __init__(self) -> None:
        self.mended = False
        self.opened: list[str] = []
        self.scorers: dict[str, ScriptedScorer] = {}

    def open(self, wanted: Registered | None) -> Opened:
        name = wanted.model if wanted else "setting"
        self.opened.append(name)
        if name == "bad" and not self.mended:
            raise ModelRefused("the file was changed")
        scorer = ScriptedScorer(name=name, words=["parcel"] if name == "setting" else ["parcel", "late"])
        self.scorers[name] = scorer
        return OpenedModel(InferenceThread(scorer), LexiconScorer())


class Following:
    def __init__(self, folder: Path) -> None:
        self.folder, self.models = RegistryFolder(folder), Models()
        self.clock, self.metrics = FakeClock(), Metrics()
        self.follow = FollowRegistry(
            self.folder, self.models.open, understand, self.clock, self.metrics, every_seconds=0.01
        )

    def promote(self, model: Registered) -> None:
        def change(state: RegistryState) -> RegistryState:
            in_force = state.active or SETTING
            return promoted(state, model, in_force, None, by="ana", because="x", at=NOON, override=True)

        self.folder.decide(change)

    def roll_back(self) -> None:
        self.folder.decide(lambda state: rolled_back(state, SETTING, by="bo", because="x", at=NOON))


@pytest.fixture
def following(tmp_path: Path) -> Following:
    return Following(tmp_path)


def reading(serving: Serving) -> str:
    return serving.understanding.reader.scorer.model.name


def value(following: Following, metric: str, /, **labels: str) -> float | None:
    return following.metrics.registry.get_sample_value(metric, labels)


async def test_what_is_promoted_reads_and_what_is_rolled_back_no_more(following: Following) -> None:
    serving = await following.follow.begin()
    assert reading(serving) == "setting"
    following.promote(NEW)
    await following.follow.look(serving)
    assert (reading(serving), serving.problem) == ("new", None)
    assert value(following, "heardback_model_in_force", name="new", revision="1") == 1
    assert value(following, "heardback_model_in_force", name="setting", revision="1") is None
    following.roll_back()
    await following.follow.look(serving)
    assert reading(serving) == "setting"
    assert value(following, "heardback_model_changes_total", outcome="changed") == 2
    await following.follow.look(serving)
    assert following.models.opened == ["setting", "new", "setting"]
    await serving.close()


async def test_the_taxonomy_is_embedded_by_the_model_that_reads(following: Following) -> None:
    serving = await following.follow.begin()
    following.promote(NEW)
    await following.follow.look(serving)
    embedded = serving.understanding.embedded
    assert embedded is not None
    examples = list(POLICIES.taxonomy.texts)
    assert following.models.scorers["new"].calls[0] == examples
    again = [r.embedding for r in following.models.scorers["new"].read(examples)]
    assert again[0] is not None
    assert embedded.vectors.shape == (len(examples), again[0].size)
    await serving.close()


async def test_a_service_starts_with_what_was_promoted_before(following: Following) -> None:
    following.promote(NEW)
    serving = await following.follow.begin()
    assert reading(serving) == "new"
    assert following.models.opened == ["new"]
    await serving.close()


async def test_a_refused_model_leaves_the_one_in_force_and_is_tried_again_later(following: Following) -> None:
    serving = await following.follow.begin()
    following.promote(BAD)
    for _ in range(3):
        await following.follow.look(serving)
    assert (reading(serving), serving.refused) == ("setting", BAD.ref)
    assert "bad was decided on but cannot be used: the file was changed" in str(serving.problem)
    assert following.models.opened == ["setting", "bad"]
    assert value(following, "heardback_model_changes_total", outcome="refused") == 1
    following.models.mended = True
    following.clock.forward(seconds=RETRY_SECONDS)
    await following.follow.look(serving)
    assert (reading(serving), serving.problem, serving.refused) == ("bad", None, None)
    await serving.close()


async def test_undoing_a_refused_model_clears_the_problem(following: Following) -> None:
    serving = await following.follow.begin()
    following.promote(BAD)
    await following.follow.look(serving)
    following.roll_back()
    await following.follow.look(serving)
    assert (reading(serving), serving.problem, serving.refused) == ("setting", None, None)
    await serving.close()


async def test_a_service_whose_promoted_model_is_refused_starts_with_that_of_its_settings(
    following: Following,
) -> None:
    following.promote(BAD)
    serving = await following.follow.begin()
    assert (reading(serving), serving.refused) == ("setting", BAD.ref)
    assert serving.problem is not None
    await serving.close()


async def test_a_registry_that_cannot_be_read_changes_nothing_until_it_can(following: Following) -> None:
    following.promote(NEW)
    serving = await following.follow.begin()
    active = following.folder.root / ACTIVE
    kept = active.read_bytes()
    active.write_bytes(b"{")
    await following.follow.look(serving)
    assert (reading(serving), ACTIVE in str(serving.problem)) == ("new", True)
    active.unlink()
    await following.follow.look(serving)
    assert (reading(serving), "is gone" in str(serving.problem)) == ("new", True)
    active.write_bytes(kept)
    await following.follow.look(serving)
    assert (reading(serving), serving.problem) == ("new", None)
    await serving.close()


async def test_feedback_scored_while_models_change_is_read_by_one_model_each(following: Following) -> None:
    serving = await following.follow.begin()
    stop, done = asyncio.Event(), asyncio.Event()
    seen: list[tuple[str, ...]] = []

    async def keep_scoring() -> None:
        while not done.is_set():
            with serving.borrowed() as by:
                for score in await score_batch([transcript(*TURNS)] * 3, by):
                    assert score.status == "scored"
                    seen.append(tuple(model.name for model in score.models))
            await asyncio.sleep(0)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(following.follow.run(serving, stop))
        scorers = [tasks.create_task(keep_scoring()) for _ in range(4)]
        for change in (partial(following.promote, NEW), following.roll_back) * 3:
            before = following.models.opened[:]
            change()
            while len(following.models.opened) == len(before) or not seen:
                await asyncio.sleep(0.01)
            count, name = len(seen), following.models.opened[-1]
            while (name,) not in seen[count:]:
                await asyncio.sleep(0.01)
        done.set()
        await asyncio.gather(*scorers)
        stop.set()
    assert set(seen) == {("setting",), ("new",)}
    await serving.close()


async def test_a_model_is_closed_only_when_nobody_reads_with_it(following: Following) -> None:
    serving = await following.follow.begin()
    old = serving.understanding.reader
    replacing: asyncio.Task[None]
    with serving.borrowed() as by:
        following.promote(NEW)
        replacing = asyncio.create_task(following.follow.look(serving))
        while reading(serving) != "new":
            await asyncio.sleep(0.01)
        assert by.reader is old
        assert len(await by.reader.read(["still read"])) == 1
        assert not replacing.done()
        with serving.borrowed() as later:
            assert later.reader is not old
    await asyncio.wait_for(replacing, 10)
    with pytest.raises(Exception, match="closed"):
        await old.read(["too late"])
    await serving.close()


async def test_real_files_a_second_model_and_a_damaged_one(tmp_path: Path) -> None:
    manifest = second_model(tmp_path / "second")
    following = Following(tmp_path / "models")

    def open_(wanted: Registered | None) -> Opened:
        if wanted is None:
            return open_model("default", threads=1)
        return open_exactly(wanted.model, wanted.ref.sha256, threads=1)

    follow = FollowRegistry(following.folder, open_, understand, following.clock, following.metrics)
    serving = await follow.begin()
    first = serving.understanding.reader.scorer.model
    reader = open_exactly(str(manifest), None, threads=1).reader
    second = Registered(model=str(manifest), ref=reader.scorer.model)
    await reader.close()
    following.promote(second)
    await follow.look(serving)
    with serving.borrowed() as by:
        [score] = await score_batch([transcript(*TURNS)], by)
    assert [m.sha256 for m in score.models] == [second.ref.sha256] != [first.sha256]
    assert score.root_causes
    following.promote(Registered(model="default", ref=first))
    await follow.look(serving)
    (manifest.parent / read_manifest(manifest).folder / "model.onnx").write_bytes(b"damaged")
    following.roll_back()
    await follow.look(serving)
    assert serving.refused == second.ref
    assert "sha256" in str(serving.problem)
    await serving.close()


async def test_another_model_under_a_promoted_name_is_refused(tmp_path: Path) -> None:
    manifest = second_model(tmp_path)
    with pytest.raises(ModelRefused, match="was decided on"):
        open_exactly(str(manifest), "0" * 64, threads=1)
