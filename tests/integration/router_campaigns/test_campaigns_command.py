"""`heardback campaigns` against a router behind a real port."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from tests.integration.router_campaigns.stage import Stage
from tests.support.router_http import RouterApp
from tests.support.serving import served
from typer.testing import CliRunner, Result

from heardback_local.commands.campaigns import app as command


class Shell:
    def __init__(self, url: str, key: str) -> None:
        self._environment = {"HEARDBACK_ROUTER_URL": url, "HEARDBACK_API_KEY": key, "COLUMNS": "200"}

    async def run(self, *words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, command, list(words), env=self._environment)


@pytest.fixture
async def shell(app: RouterApp) -> AsyncIterator[Shell]:
    async with served(app.core.http) as url:
        yield Shell(url, await app.key("default", "items:read", "items:write", name="cy"))


async def test_a_campaign_is_looked_at_sent_and_followed_to_its_end(stage: Stage, shell: Shell) -> None:
    item = await stage.item("c-1", "c-2", "c-3", None)
    campaign = await stage.campaign([item], [])
    refused = await shell.run("show", campaign)
    assert "not to be sent: /changes names no change record" in refused.output
    early = await shell.run("send", campaign)
    assert early.exit_code == 1
    assert "it is draft; submit it first" in str(early.exception)
    change = await stage.change(item)
    body = {"name": "Seats", "items": [item], "changes": [change]}
    await stage.ana.put(f"/v1/campaigns/{campaign}", body, If_Match='"1"')
    await stage.do(campaign, "submit")
    feeding = asyncio.create_task(ended_by_a_channel(stage, 3))
    done = await shell.run("send", campaign, "--follow", "--json")
    await feeding
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout.splitlines()[-1])
    assert (shown["progress"]["sent"], shown["progress"]["excluded"]) == (3, {"unknown_customer": 1})
    listed = await shell.run("list")
    assert campaign in listed.output
    assert "cy" in listed.output


async def test_it_is_paused_goes_on_and_is_cancelled(stage: Stage, shell: Shell) -> None:
    item = await stage.item("c-1", "c-2")
    campaign = await stage.approved([item], [await stage.change(item)])
    assert (await shell.run("pause", campaign)).output == f"{campaign}: paused\n"
    assert (await shell.run("send", campaign)).exit_code == 0
    assert (await stage.show(campaign))["state"] == "sending"
    await shell.run("pause", campaign)
    assert (await shell.run("resume", campaign)).output == f"{campaign}: sending\n"
    gone = await shell.run("cancel", campaign, "--reason", "Another text.")
    assert gone.output == f"{campaign}: cancelled\n"
    late = await shell.run("resume", campaign)
    assert late.exit_code == 1
    assert "it is cancelled" in str(late.exception)


async def ended_by_a_channel(stage: Stage, count: int) -> None:
    """Feeds and ends the messages one by one, as if a channel had."""
    while count:
        await stage.core.feeder.round()
        count -= await stage.end(most=1)
        await asyncio.sleep(0.05)
