"""What the page about sampling says is answered is answered."""

import json
import re
from pathlib import Path

import httpx
import pytest
from tests.integration.ingest.conftest import Key
from tests.integration.router_configuration.test_policies_page import holds

PAGE = (Path(__file__).parents[3] / "docs" / "sampling.md").read_text("utf-8")
CALL = re.compile(r"^POST (\S+) (\{.*\})\n→ (\d+) (\{.*\})$", re.M)


async def test_every_request_of_the_page_is_answered_as_it_says(http: httpx.AsyncClient, key: Key) -> None:
    headers = await key("surveys:write")
    calls = CALL.findall(PAGE)
    assert len(calls) == 2
    for path, body, status, told in calls:
        answer = await http.post(path, json=json.loads(body), headers=headers)
        assert answer.status_code == int(status), answer.text
        found = answer.json()
        for reach in (found["expected"], found["assured"]):
            reach["half_width"] = round(reach["half_width"], 4)
        assert holds(json.loads(told), found), found
    assert "±8.25 points" in PAGE
    assert found["expected"]["half_width"] == pytest.approx(0.0441, abs=0.001)
