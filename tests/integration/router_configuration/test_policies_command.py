"""`heardback policies` against a router behind a real port."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from tests.support.clock import NOON
from tests.support.policies import GROUPING, House, billing_to_accounts, renamed
from tests.support.router_http import RouterApp, router_app
from tests.support.scored import incoming, score, scored
from tests.support.serving import served
from typer.testing import CliRunner

from heardback_local.commands.policies import app as command
from heardback_router.configuration.kinds import KINDS
from heardback_shared.db.database import Database


class Shell:
    def __init__(self, url: str, key: str) -> None:
        self._environment = {"HEARDBACK_ROUTER_URL": url, "HEARDBACK_API_KEY": key, "COLUMNS": "200"}

    async def run(self, *words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, command, list(words), env=self._environment)


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def shell(app: RouterApp) -> AsyncIterator[Shell]:
    stop = asyncio.Event()
    work = asyncio.create_task(app.core.changing.runner.run(stop))
    async with served(app.core.http) as url:
        yield Shell(url, await app.key("default", "admin", name="ana"))
    stop.set()
    await work


async def test_a_folder_goes_out_and_comes_back(app: RouterApp, shell: Shell, tmp_path: Path) -> None:
    told = await shell.run("export", str(tmp_path))
    assert (told.exit_code, "severity: scoring's own" in told.output) == (0, True), told.output
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(KINDS)
    assert (tmp_path / "grouping.yaml").read_text() == GROUPING
    again = await shell.run("export", str(tmp_path))
    assert again.output.count("is there already") == len(KINDS)
    same = await shell.run("import", str(tmp_path), "--reason", "from Git")
    assert same.output.count("as it is in force") == len(KINDS)
    (tmp_path / "grouping.yaml").write_text(renamed(GROUPING, "ours@1"))
    (tmp_path / "sla.yaml").write_text("policy: ours@1\n")
    mixed = await shell.run("import", str(tmp_path), "--reason", "from Git")
    assert mixed.exit_code == 1
    assert "draft 1 (ours@1), waits to be reviewed" in mixed.output
    assert "/text/calendars" in mixed.output
    house = await House.of(app)
    (draft,) = (await house.ana.get("/v1/policies/grouping/versions")).json()["versions"]
    assert (draft["state"], draft["reason"], draft["author"]) == ("draft", "from Git", "ana")


async def test_what_if_shows_what_changes(app: RouterApp, shell: Shell, tmp_path: Path) -> None:
    await app.router.receive(
        *(
            incoming(
                scored(
                    n,
                    customer=f"c-{n}",
                    reading=score(40.0, ("operations/billing", "product/defect")[n % 2]),
                    accepted_at=NOON - timedelta(hours=n),
                )
            )
            for n in range(60)
        )
    )
    path = tmp_path / "routing.yaml"
    path.write_text(billing_to_accounts())
    told = await shell.run("what-if", str(path), "--days", "30")
    assert told.exit_code == 0, told.output
    assert "30 would go to another team" in told.output
    assert "operations → account-management" in told.output
    assert "… 10 more: GET /v1/what-if/wi_" in told.output
    as_json = await shell.run("what-if", str(path), "--json", "--limit", "10")
    assert json.loads(as_json.stdout.splitlines()[-1])["report"]["looked_at"] == 10
    wrong = tmp_path / "weighing.yaml"
    wrong.write_text("policy: ours@1\n")
    refused = await shell.run("what-if", str(wrong))
    assert refused.exit_code == 1
    assert "422" in str(refused.exception)


async def test_the_list_says_where_each_comes_from(app: RouterApp, shell: Shell) -> None:
    house = await House.of(app)
    await house.put_in_force("grouping", renamed(GROUPING, "ours@1"))
    lines = {line["kind"]: line for line in json.loads((await shell.run("list", "--json")).stdout)}
    assert (lines["grouping"]["from"], lines["routing"]["from"]) == ("tenant", "packaged")
    assert "ours@1" in (await shell.run("list")).output
