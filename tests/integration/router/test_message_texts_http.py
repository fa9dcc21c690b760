"""Trying templates and looking at texts over HTTP."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.support.router_http import RouterApp, router_app

from heardback_router.configuration.source import packaged
from heardback_shared.db.database import Database

DOC = (Path(__file__).parents[3] / "docs" / "messages.md").read_text("utf-8")


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


def in_the_doc(path: str) -> Any:
    """What the page sends to this path."""
    return orjson.loads(re.findall(rf"{re.escape(path)}.*?-d '(.*?)'", DOC, re.DOTALL)[0])


async def test_the_page_s_examples_do_what_it_says(app: RouterApp) -> None:
    caller = await app.caller()
    tried = (await caller.post("/v1/message-templates:try", in_the_doc("/v1/message-templates:try"))).json()
    assert tried["template"] == "default@1#told/standard/de"
    assert "am 2. November 2026" in tried["body"]
    assert "was noch offen ist:\nDie Rechnung stimmt." in tried["body"]
    assert tried["findings"] == []
    looked = (await caller.post("/v1/message-texts:lint", in_the_doc("/v1/message-texts:lint"))).json()
    assert [(f["rule"], f["refuses"]) for f in looked["findings"]] == [("overclaim", True)]


async def test_other_texts_can_be_tried_and_every_fault_is_named(app: RouterApp) -> None:
    caller = await app.caller()
    mine = (
        packaged("messages.yaml")
        .replace("policy: default@1", "policy: ours@2")
        .replace("Hello,", "Good day,")
    )
    tried = await caller.post("/v1/message-templates:try", {"step": "planned", "text": mine})
    assert tried.json()["body"].startswith("Good day,")
    assert tried.json()["template"] == "ours@2#planned/standard/en"
    broken = mine.replace("{{ plan }}", "{{ secret }}")
    refused = await caller.post("/v1/message-templates:try", {"step": "planned", "text": broken})
    assert refused.status_code == 422
    pointers = {error["pointer"] for error in refused.json()["errors"]}
    assert "/text/languages/en/templates/planned/standard" in pointers


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"step": "never"}, "/step"),
        ({"step": "told", "time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"step": "told", "facts": {"plan": "\x00"}}, "/facts/plan"),
        ({"step": "told", "language": "german!"}, "/language"),
    ],
)
async def test_what_cannot_be_tried_is_told(app: RouterApp, body: Any, pointer: str) -> None:
    answer = await (await app.caller()).post("/v1/message-templates:try", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
