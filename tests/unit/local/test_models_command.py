"""`heardback models` on a real registry with the packaged model and a second one."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.registry import comparison, second_model
from typer.testing import CliRunner

from heardback_local.commands.models import app
from heardback_local.failures import MendableError
from heardback_scoring.evaluation.record import write_record
from heardback_scoring.models.store import PACKAGED_MANIFEST, read_manifest
from heardback_shared.contracts.score import ModelRef


class Registry:
    """The command group on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> str:
        """What the command told; raises MendableError as the console script would show it."""
        outcome = CliRunner().invoke(app, [*words, "--registry", str(self.folder)])
        if isinstance(outcome.exception, MendableError):
            raise outcome.exception
        assert outcome.exit_code == 0, outcome.output
        return outcome.output

    def listed(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("list", "--json"))
        return found


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.delenv("HEARDBACK_SCORING_MODEL", raising=False)
    return Registry(tmp_path / "models")


def ref_of(manifest: Path) -> ModelRef:
    found = read_manifest(manifest)
    return ModelRef(name=found.name, revision=found.revision, sha256=found.files["model.onnx"])


WHO = ("--by", "ana", "--because", "macro F1 0.72 against 0.70")


def test_promoted_by_a_record_and_back_by_one_command(registry: Registry, tmp_path: Path) -> None:
    second = second_model(registry.folder / "second")
    record = tmp_path / "comparison.json"
    write_record(comparison(ref_of(PACKAGED_MANIFEST), ref_of(second)), record)
    assert "second@" in registry.run("promote", str(second), "--record", str(record), *WHO)
    found = registry.listed()
    assert found["active"] == {"model": "second/manifest.toml", "ref": ref_of(second).model_dump()}
    [decision] = found["decisions"]
    assert decision["from"]["ref"] == ref_of(PACKAGED_MANIFEST).model_dump()
    assert (decision["by"], decision["verdict"], decision["overridden"]) == ("ana", "pass", False)
    registry.run("rollback", "--by", "bo", "--because", "too many abstained")
    found = registry.listed()
    assert found["active"] is None
    assert [d["action"] for d in found["decisions"]] == ["promote", "rollback"]
    told = registry.run("list")
    assert "second@" in told
    assert "bo: too many abstained" in told


def test_a_failed_record_needs_an_override(registry: Registry, tmp_path: Path) -> None:
    second = second_model(tmp_path / "elsewhere")
    record = tmp_path / "comparison.json"
    write_record(comparison(ref_of(PACKAGED_MANIFEST), ref_of(second), "fail"), record)
    words = ("promote", str(second), "--record", str(record), *WHO)
    with pytest.raises(MendableError, match="verdict is fail"):
        registry.run(*words)
    assert "against the record" in registry.run(*words, "--override")
    assert registry.listed()["active"]["model"] == str(second)
    assert "comparison: fail, overridden" in registry.run("list")


def test_a_record_that_was_changed_is_worth_nothing(registry: Registry, tmp_path: Path) -> None:
    second = second_model(tmp_path / "elsewhere")
    record = tmp_path / "comparison.json"
    write_record(comparison(ref_of(PACKAGED_MANIFEST), ref_of(second), "fail"), record)
    record.write_text(record.read_text().replace('"verdict": "fail"', '"verdict": "pass"'))
    with pytest.raises(MendableError, match="digest"):
        registry.run("promote", str(second), "--record", str(record), *WHO, "--override")
    assert registry.listed()["decisions"] == []


def test_one_model_watches_until_it_is_ended(registry: Registry) -> None:
    registry.run("shadow", "lexicon", "--share", "0.25")
    assert registry.listed()["candidate"]["share"] == 0.25
    assert "watching  lexicon-en@1" in registry.run("list")
    registry.run("shadow", "--off")
    assert registry.listed()["candidate"] is None


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("promote", "nonsense", *WHO), "NAME@COMMIT"),
        (("promote", "missing.toml", *WHO), "cannot be read"),
        (("promote", "lexicon", *WHO), "no comparison record"),
        (("promote", "lexicon", "--record", "missing.json", *WHO), r"missing\.json cannot be read"),
        (("rollback", *WHO), "nothing to go back to"),
        (("shadow", "default"), "cannot watch itself"),
        (("shadow", "--off"), "no shadow"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(registry: Registry, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(MendableError, match=why):
        registry.run(*words)
    assert registry.listed()["decisions"] == []


@pytest.mark.parametrize(
    "words", [("shadow",), ("shadow", "lexicon", "--off"), ("shadow", "lexicon", "--share", "0")]
)
def test_options_that_do_not_fit(registry: Registry, words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, [*words, "--registry", str(registry.folder)]).exit_code == 2
