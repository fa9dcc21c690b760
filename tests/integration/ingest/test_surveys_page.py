"""The examples of docs/surveys.md are taken by the service as they stand there."""

import re
from pathlib import Path
from typing import get_args

import orjson
from tests.integration.ingest.survey_house import House

from heardback_ingest.domain.surveys.facts import ReasonCode
from heardback_ingest.domain.surveys.lint import lint
from heardback_ingest.domain.surveys.reading import read_surveys

PAGE = (Path(__file__).parents[3] / "docs" / "surveys.md").read_text("utf-8")
JSON = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
(YAML,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


async def test_the_request_is_taken_and_the_answers_have_the_shape(house: House) -> None:
    line, body = JSON[0].split("\n", 1)
    method, path = line.split(" ")
    granted, denied = (orjson.loads(text) for text in JSON[1:])
    got = await house.call(method, path, orjson.loads(body))
    assert set(got) == set(granted)
    assert {**got, "decision": "", "reservation": ""} == {**granted, "decision": "", "reservation": ""}
    await house.act("confirm", {"reservation": got["reservation"]})
    again = await house.check(survey="pulse")
    assert {**again, "decision": ""} == {**denied, "decision": ""}


async def test_the_policy_is_one_and_nothing_about_it_is_strange(house: House) -> None:
    assert lint(read_surveys(YAML)) == ()
    await house.works_by(YAML)
    assert (await house.check(survey="pulse", type="csat"))["allowed"]
    assert await house.codes(survey="relation") == ["survey_unknown"]


def test_every_reason_is_on_the_page() -> None:
    assert [code for code in get_args(ReasonCode) if f"`{code}`" not in PAGE and code != "rule"] == []
