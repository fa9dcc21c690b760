"""`heardback routing check` says what is wrong with a policy, and fails where it must."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from heardback_local.commands.routing import PolicyFileError, app
from heardback_router.configuration.source import packaged
from heardback_router.routing.trials import given

BAD = """
policy: mine@1
teams: [{id: a, title: A}, {id: b, title: B}]
catch_all: a
rules:
  - {name: one, when: 'score.handover', team: a, because: x}
  - {name: two, when: 'score.handover && score.domain == "d"', team: b, because: x}
"""
OPEN = """
policy: mine@1
teams: [{id: a, title: A}, {id: b, title: B}]
catch_all: a
rules:
  - {name: one, when: 'score.domain.startsWith("b")', team: a, because: x}
  - {name: two, when: 'score.domain.endsWith("g")', team: b, because: x}
"""


def run(tmp_path: Path, text: str, *options: str) -> tuple[int, str]:
    file = tmp_path / "routing.yaml"
    file.write_text(text)
    outcome = CliRunner().invoke(app, ["check", str(file), *options])
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    return outcome.exit_code, outcome.output


def test_the_shipped_policy_passes(tmp_path: Path) -> None:
    code, said = run(tmp_path, packaged("routing.yaml"))
    assert code == 0
    assert "default@3: 8 rules, its own tests pass" in said


def test_a_rule_that_can_never_win_fails_the_check(tmp_path: Path) -> None:
    code, said = run(tmp_path, BAD)
    assert code == 1
    assert "error unreachable two: Whenever it is true, one before it is too." in said


def test_recorded_events_show_overlaps(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    record = {"inputs": given({"score": {"domain": "billing"}})}
    events.write_text(json.dumps(record) + "\n\n")
    code, said = run(tmp_path, OPEN, "--json", "--events", str(events))
    (overlap,) = [f for f in json.loads(said)["findings"] if f["kind"] == "overlap"]
    assert (code, overlap["witness"]["score"]["domain"]) == (0, "billing")


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"event": {}}'])
def test_recorded_events_that_are_none_are_refused_by_line(tmp_path: Path, line: str) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(line)
    with pytest.raises(PolicyFileError, match="line 1: not a decision record"):
        run(tmp_path, OPEN, "--events", str(events))


def test_a_policy_that_cannot_be_used_is_refused_with_its_faults(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match="there is no team c"):
        run(tmp_path, OPEN.replace("team: b", "team: c"))
