"""Check, reserve, confirm, release: over HTTP, on a real database."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.clock import FakeClock
from tests.support.surveys import wanted

from heardback_ingest.main import Ingest
from heardback_shared.db.database import Database

Headers = dict[str, str]


@pytest.fixture
async def asker(key: Key, http: httpx.AsyncClient) -> Headers:
    headers = await key("surveys:write", "customers:write", "customers:read")
    for customer in ("c-1", "c-2", "c-3"):
        await http.put(f"/v1/customers/{customer}", json={"source": "crm", "tier": "key"}, headers=headers)
    return headers


async def post(http: httpx.AsyncClient, act: str, body: Any, headers: Headers) -> Any:
    answer = await http.post(f"/v1/survey-invitations:{act}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def touches(database: Database) -> list[str]:
    async with database.worker() as c:
        rows = await c.execute(text("SELECT id FROM platform.contact_touch ORDER BY at, id"))
        return list(rows.scalars())


async def test_a_place_is_kept_and_counts_until_it_is_given_back(
    http: httpx.AsyncClient, asker: Headers, database: Database
) -> None:
    first = await post(http, "reserve", wanted(), asker)
    assert (first["allowed"], first["reasons"], first["state"]) == (True, [], "reserved")
    assert first["expires_at"] == "2026-11-22T12:15:00Z"
    assert first["rules"] == "surveys:default@1"
    second = await post(http, "check", wanted(survey="other"), asker)
    assert [(r["code"], r["rule"]) for r in second["reasons"]] == [("rule", "week-between")]
    assert second["next_eligible_at"] == first["expires_at"]
    assert await touches(database) == [first["reservation"]]
    given = await post(http, "release", {"reservation": first["reservation"]}, asker)
    assert (given["outcome"], given["state"]) == ("done", "released")
    assert (await post(http, "check", wanted(survey="other"), asker))["allowed"] is True
    assert await touches(database) == []


async def test_what_was_sent_counts_from_when_it_was_sent(
    http: httpx.AsyncClient, asker: Headers, clock: FakeClock
) -> None:
    place = (await post(http, "reserve", wanted(), asker))["reservation"]
    clock.forward(minutes=5)
    done = await post(http, "confirm", {"reservation": place, "at": "2026-11-22T12:02:00Z"}, asker)
    assert (done["outcome"], done["state"], done["sent_at"]) == ("done", "sent", "2026-11-22T12:02:00Z")
    repeat = await post(http, "confirm", {"reservation": place, "at": "2026-11-22T12:02:00Z"}, asker)
    assert repeat["outcome"] == "already"
    denied = await post(http, "check", wanted(survey="other"), asker)
    assert denied["next_eligible_at"] == "2026-11-29T12:02:00Z"
    release = await http.post("/v1/survey-invitations:release", json={"reservation": place}, headers=asker)
    assert (release.status_code, release.json()["type"].rsplit("/", 1)[1]) == (409, "already-sent")


async def test_a_place_that_ran_out_is_free_before_anything_sweeps_it(
    http: httpx.AsyncClient, asker: Headers, clock: FakeClock, ingest: Ingest, database: Database
) -> None:
    place = (await post(http, "reserve", wanted(), asker))["reservation"]
    clock.forward(minutes=15)
    assert (await post(http, "check", wanted(survey="other"), asker))["allowed"] is True
    assert await ingest.lapse() == 1
    assert await ingest.lapse() == 0
    assert await touches(database) == []
    late = await post(http, "confirm", {"reservation": place}, asker)
    assert (late["outcome"], late["state"]) == ("late", "sent")
    assert await touches(database) == [place]
    denied = await post(http, "check", wanted(survey="other"), asker)
    assert [r["rule"] for r in denied["reasons"]] == ["week-between"]
    page = await http.get("/v1/survey-invitations", params={"customer": "c-1"}, headers=asker)
    assert page.json()["decisions"][-1]["invitation"]["late"] is True


@pytest.mark.parametrize("swept", [True, False])
async def test_a_confirmation_after_the_time_says_so_swept_or_not(
    http: httpx.AsyncClient, asker: Headers, clock: FakeClock, ingest: Ingest, swept: bool
) -> None:
    place = (await post(http, "reserve", wanted(), asker))["reservation"]
    clock.forward(minutes=20)
    if swept:
        await ingest.lapse()
    told = await post(http, "confirm", {"reservation": place, "at": "2026-11-22T12:01:00Z"}, asker)
    assert (told["outcome"], told["sent_at"]) == ("late", "2026-11-22T12:01:00Z")


async def test_the_same_key_is_the_same_place_and_a_place_of_something_else_is_refused(
    http: httpx.AsyncClient, asker: Headers, key: Key
) -> None:
    body = wanted(reservation_key="order-7")
    first = await post(http, "reserve", body, asker)
    other_system = await key("surveys:write")
    assert await post(http, "reserve", body, other_system) == first
    assert await post(http, "reserve", [body, body], asker) == [first, first]
    moved = await http.post("/v1/survey-invitations:reserve", json=body | {"customer": "c-2"}, headers=asker)
    assert moved.status_code == 422
    assert [e["pointer"] for e in moved.json()["errors"]] == ["/reservation_key"]


async def test_a_repeated_request_is_answered_as_the_first_was(
    http: httpx.AsyncClient, asker: Headers, database: Database
) -> None:
    once = asker | {"Idempotency-Key": '"abc"'}
    first = await post(http, "reserve", [wanted("c-1"), wanted("c-2")], once)
    assert [one["allowed"] for one in first] == [True, True]
    assert await post(http, "reserve", [wanted("c-1"), wanted("c-2")], once) == first
    async with database.worker() as c:
        await c.execute(text("DELETE FROM ingest.idempotency"))  # as if it had died before it answered
    assert await post(http, "reserve", [wanted("c-1"), wanted("c-2")], once) == first
    assert len(await touches(database)) == 2


async def test_within_one_array_each_counts_for_those_after_it(
    http: httpx.AsyncClient, asker: Headers
) -> None:
    rows = [wanted("c-1"), wanted("c-1", survey="other"), wanted("c-2", account="acme")]
    rows += [wanted("c-3", account="acme"), wanted("c-4", account="acme")]
    answers = await post(http, "reserve", rows, asker)
    assert [one["allowed"] for one in answers] == [True, False, True, True, False]
    assert [r["rule"] for r in answers[1]["reasons"]] == ["week-between"]
    codes = [(r["code"], r.get("rule")) for r in answers[4]["reasons"]]
    assert codes == [("unknown_customer", None), ("rule", "account-two-a-day")]


async def test_answers_are_known_from_the_surveys_that_come_in(
    http: httpx.AsyncClient, asker: Headers, key: Key, clock: FakeClock
) -> None:
    writer = await key("feedback:write")
    place = (await post(http, "reserve", wanted(), asker))["reservation"]
    await post(http, "confirm", {"reservation": place}, asker)
    clock.forward(hours=1)
    metric = {"kind": "nps", "value": 9, "min": 0, "max": 10, "direction": "higher_is_better"}
    survey = {"source": "forms", "external_id": "r-1", "customer": {"id": "c-1"}, "metric": metric}
    posted = await http.post("/v1/surveys", json=survey, headers=writer)
    assert posted.status_code == 202
    page = (await http.get("/v1/survey-invitations", params={"customer": "c-1"}, headers=asker)).json()
    invitation = page["decisions"][0]["invitation"]
    assert (invitation["state"], invitation["feedback"]) == ("answered", posted.json()["id"])
    assert invitation["answered_at"] == invitation["seen_at"] == "2026-11-22T13:00:00Z"
    named = survey | {"external_id": "r-2", "customer": {"id": "c-9"}, "context": {"invitation": place}}
    await http.post("/v1/surveys", json=named, headers=writer)
    page = (await http.get("/v1/survey-invitations", params={"customer": "c-1"}, headers=asker)).json()
    assert page["decisions"][0]["invitation"]["feedback"] == posted.json()["id"]


async def test_the_one_that_is_named_is_answered_even_by_somebody_else_and_though_it_ran_out(
    http: httpx.AsyncClient, asker: Headers, key: Key, clock: FakeClock, ingest: Ingest
) -> None:
    place = (await post(http, "reserve", wanted(), asker))["reservation"]
    clock.forward(hours=1)
    await ingest.lapse()
    survey = {"source": "f", "external_id": "1", "comment": "fine", "context": {"invitation": place}}
    await http.post("/v1/surveys", json=survey, headers=await key("feedback:write"))
    page = (await http.get("/v1/survey-invitations", params={"customer": "c-1"}, headers=asker)).json()
    invitation = page["decisions"][0]["invitation"]
    assert (invitation["state"], invitation["late"]) == ("answered", True)


async def test_steps_may_be_told_in_any_order(
    http: httpx.AsyncClient, asker: Headers, clock: FakeClock
) -> None:
    place = (await post(http, "reserve", wanted(), asker))["reservation"]
    clock.forward(minutes=9)
    told = await post(http, "answered", {"reservation": place, "at": "2026-11-22T12:08:00Z"}, asker)
    assert (told["outcome"], told["state"], told["sent_at"]) == ("done", "answered", "2026-11-22T12:08:00Z")
    told = await post(http, "confirm", {"reservation": place, "at": "2026-11-22T12:01:00Z"}, asker)
    assert (told["state"], told["sent_at"]) == ("answered", "2026-11-22T12:01:00Z")
    rows = [{"reservation": place, "at": "2026-11-22T12:04:00Z"}, {"reservation": "si_none"}]
    rows += [{"reservation": place, "at": "2026-11-22T13:00:00Z"}]
    told = await post(http, "seen", rows, asker)
    assert [one["outcome"] for one in told] == ["done", "unknown", "ahead"]


@pytest.mark.parametrize(
    ("act", "body", "status", "pointers"),
    [
        ("check", wanted(type="stars"), 422, ["/type"]),
        ("check", {"survey": "x"}, 422, ["/customer", "/type", "/channel"]),
        ("check", wanted(attributes={"Plan": "x"}), 422, ["/attributes/Plan/[key]"]),
        ("check", wanted(attributes={"customer.tier": "x"}), 422, ["/attributes/customer.tier/[key]"]),
        ("check", [wanted(), wanted(kind="nudge"), wanted(conversation={"spam": "maybe"})], 422,
         ["/1/kind", "/2/conversation/spam"]),
        ("check", [], 422, [""]),
        ("check", [wanted()] * 501, 413, [""]),
        ("check", wanted(conversation={"auto_resolved_at": "2026-11-22T10:00:00"}), 422,
         ["/conversation/auto_resolved_at"]),
        ("reserve", wanted(reservation_key=""), 422, ["/reservation_key"]),
        ("reserve", wanted(customer="a\x00"), 422, [""]),
        ("confirm", {"reservation": "si_none"}, 404, []),
        ("confirm", {}, 422, ["/reservation"]),
        ("check", 7, 422, [""]),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked_is_said_with_its_place(
    http: httpx.AsyncClient, asker: Headers, act: str, body: Any, status: int, pointers: list[str]
) -> None:
    answer = await http.post(f"/v1/survey-invitations:{act}", json=body, headers=asker)
    assert answer.status_code == status, answer.text
    assert [e["pointer"] for e in answer.json().get("errors", [])] == pointers


async def test_who_may_ask_and_who_may_look(http: httpx.AsyncClient, key: Key) -> None:
    looker = await key("customers:read")
    assert (await http.post("/v1/survey-invitations:check", json=wanted(), headers=looker)).status_code == 403
    page = await http.get("/v1/survey-invitations", params={"customer": "c-1"}, headers=looker)
    assert page.json() == {"decisions": [], "next_cursor": None}
    crisis = {"because": "flood", "ends_at": "2026-12-01T00:00:00Z"}
    asker = await key("surveys:write")
    assert (await http.put("/v1/survey-crisis", json=crisis, headers=asker)).status_code == 403


async def test_tenants_never_count_or_see_each_others(
    http: httpx.AsyncClient, asker: Headers, key: Key
) -> None:
    place = (await post(http, "reserve", wanted(reservation_key="k"), asker))["reservation"]
    other = await key("admin", tenant="other")
    await http.put("/v1/customers/c-1", json={"source": "crm", "tier": "key"}, headers=other)
    theirs = await post(http, "reserve", wanted(reservation_key="k"), other)
    assert (theirs["allowed"], theirs["reservation"] != place) == (True, True)
    answer = await http.post("/v1/survey-invitations:confirm", json={"reservation": place}, headers=other)
    assert answer.status_code == 404
    mine = (await http.get("/v1/survey-invitations", params={"customer": "c-1"}, headers=asker)).json()
    read = await http.get(f"/v1/survey-decisions/{mine['decisions'][0]['decision']}", headers=other)
    assert read.status_code == 404
