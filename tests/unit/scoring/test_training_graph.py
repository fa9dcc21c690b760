"""The hand-written graph computes what the reference implementation of BERT computes."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from tests.support.scorers import tiny_hub_model

pytestmark = pytest.mark.training
pytest.importorskip("onnx", reason="the export needs the extra `training`")

LABELS = {0: "negative", 1: "neutral", 2: "positive"}
IDS = np.array([[2, 5, 6, 7, 8, 3], [2, 9, 3, 0, 0, 0]], np.int64)
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]], np.int64)


def run(model: Any, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> dict[str, NDArray[np.float32]]:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = session.run(names, {"input_ids": ids, "attention_mask": mask})
    return dict(zip(names, found, strict=True))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_hub_model(tmp_path, LABELS)


def test_every_pool_equals_the_reference_in_float(folder: Path) -> None:
    import torch
    from transformers import BertModel

    from heardback_scoring.training.graph import build_model
    from heardback_scoring.training.weights import load_encoder

    pools = run(build_model(load_encoder(folder), "float32"), IDS, MASK)
    with torch.inference_mode():
        model: Any = BertModel.from_pretrained(folder)
        reference = model.eval()(
            input_ids=torch.from_numpy(IDS), attention_mask=torch.from_numpy(MASK), output_hidden_states=True
        )
    for layer in (1, 2):
        state = reference.hidden_states[layer].numpy()
        mean = (state * MASK[:, :, None]).sum(1) / MASK.sum(1, keepdims=True)
        np.testing.assert_allclose(pools[f"mean_{layer}"], mean, atol=1e-5)
    np.testing.assert_allclose(pools["first_2"], state[:, 0], atol=1e-5)
    longest = np.where(MASK[:, :, None] == 1, state, -np.inf).max(1)
    np.testing.assert_allclose(pools["max_2"], longest, atol=1e-5)
    unit = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(pools["embedding"], unit, atol=1e-5)


@pytest.mark.parametrize("precision", ["int8-rows", "int8-dynamic-channel", "int8-dynamic"])
def test_eight_bits_stay_near_float(folder: Path, precision: Any) -> None:
    from heardback_scoring.training.graph import build_model
    from heardback_scoring.training.weights import load_encoder

    encoder = load_encoder(folder)
    exact = run(build_model(encoder, "float32"), IDS, MASK)["embedding"]
    rounded = run(build_model(encoder, precision), IDS, MASK)["embedding"]
    assert (exact * rounded).sum(axis=1).min() > 0.98


def test_rows_quantised_alone_do_not_feel_their_neighbours(folder: Path) -> None:
    from heardback_scoring.training.graph import build_model
    from heardback_scoring.training.weights import load_encoder

    model = build_model(load_encoder(folder), "int8-rows")
    together = run(model, IDS, MASK)["embedding"]
    np.testing.assert_allclose(run(model, IDS[:1], MASK[:1])["embedding"], together[:1], atol=1e-6)
    np.testing.assert_allclose(run(model, IDS[1:, :3], MASK[1:, :3])["embedding"], together[1:], atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "int8-rows"])
def test_the_heads_are_in_the_graph_and_exact(folder: Path, precision: Any) -> None:
    import torch

    from heardback_scoring.training.graph import build_model
    from heardback_scoring.training.heads import Heads
    from heardback_scoring.training.weights import load_encoder

    encoder = load_encoder(folder)
    random = np.random.default_rng(1)

    def some(*shape: int) -> NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    # Weights of very different size, as folding the features' spread into them makes them.
    sizes = np.geomspace(1e-3, 1e3, 32, dtype=np.float32)[:, None]
    heads = Heads(
        ("mean_1", "max_2"),
        some(32, 8) * sizes,
        some(8),
        some(8, 6),
        some(6),
        ("mean_1", "mean_2"),
        some(32, 16),
        emotions=("joy",),
        cues=("anger", "thanks"),
    )
    found = run(build_model(encoder, precision, heads), IDS, MASK)
    pools = run(build_model(encoder, precision), IDS, MASK)
    joined = np.concatenate([pools["mean_1"], pools["max_2"]], axis=1)
    wide = torch.nn.functional.gelu(torch.from_numpy(joined @ heads.wide + heads.wide_bias)).numpy()
    outputs = np.concatenate([found["logits"], found["emotions"], found["cues"]], axis=1)
    np.testing.assert_allclose(outputs, wide @ heads.weight + heads.bias, rtol=1e-3)
    mapped = np.concatenate([pools["mean_1"], pools["mean_2"]], axis=1) @ heads.embed
    unit = mapped / np.linalg.norm(mapped, axis=1, keepdims=True)
    np.testing.assert_allclose(found["embedding"], unit, atol=1e-5)


def test_heads_come_back_from_their_file_and_take_a_calibration(tmp_path: Path) -> None:
    from heardback_scoring.training.heads import Heads, load_heads, save_heads

    ones = np.ones((2, 4), np.float32)
    heads = Heads(
        ("mean_1",), ones, ones[0], np.ones((4, 2), np.float32), ones[0, :2], ("mean_1",), ones, cues=("a",)
    )
    factors, shifts = np.array([2, 3], np.float32), np.array([1, -1], np.float32)
    save_heads(tmp_path / "heads.npz", heads.rescaled(factors, shifts), {"temperature": 1.0})
    found, facts = load_heads(tmp_path / "heads.npz")
    assert facts == {"temperature": 1.0}
    assert found.cues == ("a",)
    assert found.pools == ("mean_1",)
    np.testing.assert_array_equal(found.weight, heads.weight * factors)
    np.testing.assert_array_equal(found.bias, heads.bias * factors + shifts)


def test_outputs_that_nothing_was_learned_of_are_left_out() -> None:
    from heardback_scoring.training.heads import Heads

    ones = np.ones((2, 4), np.float32)
    outputs = np.arange(7, dtype=np.float32)
    heads = Heads(
        ("mean_1",),
        ones,
        ones[0],
        np.tile(outputs, (4, 1)),
        outputs,
        ("mean_1",),
        ones,
        emotions=("joy", "anger"),
        cues=("a", "b"),
    )
    kept = heads.keeping((), ("b",))
    assert (kept.emotions, kept.cues) == ((), ("b",))
    np.testing.assert_array_equal(kept.bias, [0, 1, 2, 6])
    np.testing.assert_array_equal(kept.weight[0], [0, 1, 2, 6])


def test_an_encoder_of_another_kind_is_refused(folder: Path) -> None:
    from heardback_scoring.training.weights import load_encoder

    config = folder / "config.json"
    config.write_text(config.read_text().replace('"gelu"', '"relu"'), encoding="utf8")
    with pytest.raises(ValueError, match="hidden_act"):
        load_encoder(folder)
