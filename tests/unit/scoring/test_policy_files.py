"""Policies: versioned, complete, replaceable by a folder, refused when they break a promise."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.support.scoring import POLICIES

from heardback_scoring.adapters.policy_files import load_policies


def test_every_policy_has_a_name_and_a_version() -> None:
    names = [version.split("@") for version in POLICIES.versions]
    assert all(len(parts) == 2 and parts[0] and parts[1].isdigit() for parts in names)
    assert len({parts[0] for parts in names}) == len(names) == 9


def test_floors_and_handovers_name_known_cues() -> None:
    known = set(POLICIES.severity.cues)
    assert set(POLICIES.severity.floors) <= known
    assert set(POLICIES.handover.cues) | set(POLICIES.handover.cues_when_negative) <= known


def test_a_folder_replaces_single_policies(tmp_path: Path) -> None:
    text = "policy: mine@7\n" + "\n".join(
        f"{k}: {v}" for k, v in POLICIES.sentiment.model_dump().items() if k != "policy"
    )
    (tmp_path / "sentiment.yaml").write_text(text, "utf-8")
    found = load_policies(tmp_path)
    assert found.sentiment.policy == "mine@7"
    assert found.severity == POLICIES.severity


def test_what_is_wrong_is_refused_before_anything_is_scored(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_policies(tmp_path / "none")
    (tmp_path / "handover.yaml").write_text("policy: x@1\nsurprise: 1\n", "utf-8")
    with pytest.raises(ValidationError):
        load_policies(tmp_path)
    (tmp_path / "handover.yaml").write_text("- a list\n", "utf-8")
    with pytest.raises(ValueError, match="expected a mapping"):
        load_policies(tmp_path)
