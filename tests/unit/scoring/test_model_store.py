"""A model that is not the one its manifest names is refused, with words that help; the fallback answers."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.satisfaction import by_hand

from heardback_scoring.adapters.models import open_satisfaction
from heardback_scoring.inference.hub import label_columns
from heardback_scoring.models.satisfaction_file import NAME, to_bytes
from heardback_scoring.models.store import (
    PACKAGED_MANIFEST,
    HubChoice,
    ModelChoice,
    ModelRefused,
    checked_files,
    load_satisfaction,
    load_scorer,
    read_manifest,
    scorer_or_fallback,
)

FILES = {"model.onnx": b"not a graph", "tokenizer.json": b"{}"}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest whose files are there and hash as it says, though no runtime could load them."""
    (tmp_path / "small").mkdir()
    lines = [
        'name = "small"',
        'revision = "7"',
        'folder = "small"',
        'labels = ["negative", "neutral", "positive"]',
        "max_tokens = 64",
        "temperature = 1.5",
        'licence = "none"',
        "[files]",
    ]
    for name, content in FILES.items():
        (tmp_path / "small" / name).write_bytes(content)
        lines.append(f'"{name}" = "{hashlib.sha256(content).hexdigest()}"')
    path = tmp_path / "manifest.toml"
    path.write_text("\n".join(lines), encoding="utf8")
    return path


def test_files_that_hash_as_the_manifest_says_are_handed_out(manifest: Path) -> None:
    assert checked_files(manifest, read_manifest(manifest)) == FILES


@pytest.mark.parametrize("name", sorted(FILES))
def test_one_changed_byte_is_refused_with_both_hashes_and_the_mend(manifest: Path, name: str) -> None:
    file = manifest.parent / "small" / name
    file.write_bytes(FILES[name] + b" ")
    with pytest.raises(ModelRefused) as refused:
        load_scorer(ModelChoice(manifest=manifest))
    told = str(refused.value)
    assert name in told
    assert hashlib.sha256(FILES[name]).hexdigest() in told
    assert hashlib.sha256(FILES[name] + b" ").hexdigest() in told
    assert "reinstall" in told


def test_a_missing_file_is_refused(manifest: Path) -> None:
    (manifest.parent / "small" / "tokenizer.json").unlink()
    with pytest.raises(ModelRefused, match=r"tokenizer\.json cannot be read"):
        load_scorer(ModelChoice(manifest=manifest))


def test_right_files_that_no_runtime_loads_are_refused(manifest: Path) -> None:
    with pytest.raises(ModelRefused, match="cannot load"):
        load_scorer(ModelChoice(manifest=manifest))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace('folder = "small"', 'folder = "../small"'), "folder"),
        (lambda text: text.replace('folder = "small"', 'folder = "/small"'), "folder"),
        (lambda text: text.replace('"negative", "neutral"', '"neutral", "negative"'), "labels"),
        (lambda text: text.replace("temperature = 1.5", "temperature = 0"), "temperature"),
        (lambda text: text.replace("max_tokens = 64", "max_tokens = 100000"), "max_tokens"),
        (lambda text: text.replace('revision = "7"', ""), "revision"),
        (lambda text: text.replace('"tokenizer.json"', '"../tokenizer.json"'), "files"),
        (lambda text: text + "\nsurprise = 1", "surprise"),
        (lambda text: text + "\n=", "TOML"),
    ],
)
def test_a_wrong_manifest_is_refused_by_its_field(
    manifest: Path, change: Callable[[str], str], said: str
) -> None:
    manifest.write_text(change(manifest.read_text(encoding="utf8")), encoding="utf8")
    with pytest.raises(ModelRefused, match=said):
        read_manifest(manifest)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="cannot be read"):
        read_manifest(tmp_path / "manifest.toml")


def test_the_fallback_answers_when_the_model_is_refused_and_says_why(manifest: Path) -> None:
    (manifest.parent / "small" / "model.onnx").write_bytes(b"something else")
    found = scorer_or_fallback(ModelChoice(manifest=manifest))
    assert found.scorer.degraded
    assert found.reason is not None
    assert "sha256" in found.reason
    assert len(found.scorer.read(["It is awful"])) == 1


def test_the_shipped_model_is_the_one_its_manifest_names() -> None:
    shipped = read_manifest(PACKAGED_MANIFEST)
    assert len(checked_files(PACKAGED_MANIFEST, shipped)["model.onnx"]) < 30_000_000
    assert shipped.training
    found = scorer_or_fallback(ModelChoice(threads=1))
    assert found.reason is None
    assert not found.scorer.degraded
    assert found.scorer.model.sha256 == shipped.files["model.onnx"]


def test_the_shipped_model_tells_praise_from_blame_and_near_from_far() -> None:
    scorer = load_scorer(ModelChoice(threads=1))
    praise, blame, kin = scorer.read(
        ["Great service, I love it.", "My parcel never arrived and nobody answers.", "The delivery is lost."]
    )
    assert praise.positive > 0.8
    assert blame.negative > 0.8
    assert blame.embedding is not None
    assert kin.embedding is not None
    assert praise.embedding is not None
    assert blame.embedding @ kin.embedding > blame.embedding @ praise.embedding + 0.1


@pytest.mark.parametrize("revision", ["main", "v1.0", "", "a" * 39, "G" * 40])
def test_a_hub_model_needs_a_commit(revision: str) -> None:
    with pytest.raises(ModelRefused, match="commit"):
        load_scorer(ModelChoice(hub=HubChoice("someone/model", revision)))


def test_usual_label_names_are_understood() -> None:
    assert label_columns({0: "NEG", 1: "Neutral", 2: " positive "}, {}) == {
        0: "negative",
        1: "neutral",
        2: "positive",
    }
    stars = {"1 star": "negative", "3 stars": "neutral", "5 stars": "positive"}
    assert label_columns({0: "1 star", 1: "3 stars", 2: "5 stars"}, stars)[2] == "positive"


@pytest.mark.parametrize(
    ("labels", "given"),
    [
        ({0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}, {}),
        ({0: "negative", 1: "neutral"}, {}),
        ({0: "joy", 1: "anger"}, {"joy": "positive"}),
        ({0: "joy", 1: "anger"}, {"joy": "positive", "anger": "bad"}),
    ],
)
def test_labels_that_must_be_guessed_are_refused(labels: dict[int, str], given: dict[str, str]) -> None:
    with pytest.raises(ModelRefused):
        label_columns(labels, given)


def with_satisfaction(manifest: Path, content: bytes) -> None:
    (manifest.parent / "small" / NAME).write_bytes(content)
    line = f'"{NAME}" = "{hashlib.sha256(content).hexdigest()}"'
    manifest.write_text(f"{manifest.read_text('utf8')}\n{line}\n", "utf8")


def test_a_satisfaction_model_is_optional_and_must_belong_to_the_model(manifest: Path) -> None:
    assert load_satisfaction(ModelChoice(manifest=manifest)) is None
    encoder = hashlib.sha256(FILES["model.onnx"]).hexdigest()
    with_satisfaction(manifest, to_bytes(by_hand(encoder=encoder)))
    found = load_satisfaction(ModelChoice(manifest=manifest))
    assert found is not None
    assert found.encoder == encoder
    assert load_satisfaction(ModelChoice(hub=HubChoice("some/model", "0" * 40))) is None


def test_one_of_another_model_is_refused_and_the_formula_answers(manifest: Path) -> None:
    with_satisfaction(manifest, to_bytes(by_hand(encoder="0" * 64)))
    with pytest.raises(ModelRefused, match="readings of another"):
        load_satisfaction(ModelChoice(manifest=manifest))
    assert open_satisfaction(ModelChoice(manifest=manifest)) is None


def test_a_damaged_one_is_refused(manifest: Path) -> None:
    with_satisfaction(manifest, b"no archive")
    with pytest.raises(ModelRefused, match="cannot be read"):
        load_satisfaction(ModelChoice(manifest=manifest))
