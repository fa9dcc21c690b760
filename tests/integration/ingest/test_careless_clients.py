"""What careless and hostile clients send is refused with its place, and breaks nothing."""

from typing import Any

import pytest
from tests.integration.ingest.survey_house import House
from tests.support.surveys import wanted

FIRST, LAST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"
ASK = "/v1/survey-invitations:check"
AT = "must lie between the years 1900 and 8999"


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer", "detail"),
    [
        ("POST", ASK, wanted(conversation={"auto_resolved_at": LAST}), "/conversation/auto_resolved_at", AT),
        ("POST", ASK, [], "", "must not be empty"),
        ("POST", "/v1/survey-invitations:confirm", {"reservation": "x", "at": FIRST}, "/at", AT),
        ("PUT", "/v1/survey-crisis", {"because": "x", "ends_at": LAST}, "/ends_at", AT),
        ("PUT", "/v1/survey-crisis", [], "", "must not be empty"),
        ("PUT", "/v1/customers/c-1", {"source": "crm", "tier": "key", "at": FIRST}, "/at", AT),
        (
            "POST",
            "/v1/customers/c-1/contracts",
            {"number": "n", "effective_from": LAST, "terms": {}},
            "/effective_from",
            AT,
        ),
        (
            "POST",
            "/v1/customers/c-1/contracts",
            {"number": "n", "effective_from": "2026-01-01T00:00:00Z", "terms": {"a": "x\x00"}},
            "/terms",
            "must not contain the character U+0000 or half of a surrogate pair",
        ),
        (
            "POST",
            "/v1/customers/c-1/contracts",
            {"number": "n", "effective_from": "2026-01-01T00:00:00Z", "terms": {"a": 10**30}},
            "/terms",
            "a number is too large; send it as text",
        ),
        (
            "PUT",
            "/v1/customers/c-1/preferences",
            {"source": "crm", "provenance": "stated", "at": FIRST, "digest": "none"},
            "/at",
            AT,
        ),
    ],
)
async def test_what_cannot_be_taken_names_the_field_and_the_mend(
    house: House, method: str, path: str, body: Any, pointer: str, detail: str
) -> None:
    refused = await house.call(method, path, body, 422)
    assert refused["errors"] == [{"pointer": pointer, "detail": detail}]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"first_line": str(2**63)}, "query:first_line"),
        ({"at": LAST}, "query:at"),
        ({"at": FIRST}, "query:at"),
    ],
)
async def test_an_import_with_a_wrong_query_is_refused(
    house: House, query: dict[str, str], pointer: str
) -> None:
    headers = {**house.headers, "Content-Type": "text/csv"}
    answer = await house.http.post(
        "/v1/customers:import",
        params={"source": "crm", **query},
        content=b"id,tier\nc-1,key\n",
        headers=headers,
    )
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_half_a_surrogate_pair_in_a_contract_is_refused(house: House) -> None:
    body = b'{"number": "n", "effective_from": "2026-01-01T00:00:00Z", "terms": {"a": "\\ud800"}}'
    headers = {**house.headers, "Content-Type": "application/json"}
    answer = await house.http.post("/v1/customers/c-1/contracts", content=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/terms")


@pytest.mark.parametrize("kind", ["surveys", "classes", "contact"])
async def test_a_date_that_is_none_is_a_fault_of_the_policy(house: House, kind: str) -> None:
    refused = await house.call("POST", f"/v1/policies/{kind}:check", {"text": "2026-02-30T00:00:00Z"}, 422)
    assert refused["errors"][0]["pointer"] == "/text"


async def test_too_many_at_once_are_told_how_many_may_come(house: House) -> None:
    refused = await house.call("POST", ASK, [wanted()] * 501, 413)
    assert refused["errors"] == [{"pointer": "", "detail": "send at most 500 at once"}]
