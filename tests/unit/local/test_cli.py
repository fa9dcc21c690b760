"""The console script: its commands, and how it tells a person what is wrong."""

import pytest
from typer.testing import CliRunner

from heardback_local import cli
from heardback_local.failures import MendableError


def test_every_command_is_there() -> None:
    names = {command.callback.__name__ for command in cli.app.registered_commands if command.callback}
    assert {"run", "demo", "ingest", "scoring", "router", "migrate", "topics", "doctor"} <= names


def test_an_error_a_person_can_mend_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise MendableError("port 8701 is taken [by another program]")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(cli, "add_command_groups", lambda: None)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert "port 8701 is taken [by another program]" in capsys.readouterr().err


def test_a_demo_wants_a_fresh_folder() -> None:
    outcome = CliRunner().invoke(cli.app, ["demo", "--data-dir", "/"])
    assert isinstance(outcome.exception, MendableError)
    assert "not empty" in str(outcome.exception)
