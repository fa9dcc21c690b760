"""A policy's life over HTTP: drafted, reviewed by somebody else, looked at, in force, rolled back."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from tests.support.clock import NOON
from tests.support.policies import GROUPING, ROUTING, House, billing_to_accounts, renamed
from tests.support.router_http import RouterApp, router_app
from tests.support.scored import incoming, scored

from heardback_router.configuration.kinds import ALL_KINDS
from heardback_router.configuration.tables import versions
from heardback_router.whatif.domain import REPLAYED
from heardback_shared.db.database import Database

VERSIONS = "/v1/policies/routing/versions"


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def house(app: RouterApp) -> House:
    return await House.of(app)


async def test_from_draft_to_force_and_back(app: RouterApp, house: House) -> None:
    await app.router.receive(incoming(scored(1, customer="c-1")))
    number = await house.draft("routing", billing_to_accounts())
    shown = (await house.ana.get(f"{VERSIONS}/{number}")).json()
    assert (shown["state"], shown["author"], shown["text"]) == ("draft", "ana", billing_to_accounts())
    await house.approve("routing", number)
    await house.looked_at("routing", number)
    app.clock.forward(minutes=1)
    await house.activate("routing", number)
    await app.router.receive(incoming(scored(2, customer="c-2")))
    (in_force,) = [
        line for line in (await house.ana.get("/v1/policies")).json()["policies"] if line["kind"] == "routing"
    ]
    assert (in_force["from"], in_force["number"], in_force["policy"]) == ("tenant", number, "ours@1")
    assert (in_force["since"], in_force["by"]) == ("2026-11-22T12:01:00Z", "bo")
    back = await house.bo.post("/v1/policies/routing:rollback", {"reason": "too many bills"})
    assert (back.status_code, back.json()["from"], back.json()["policy"]) == (200, "packaged", "default@3")
    await app.router.receive(incoming(scored(3, customer="c-3")))
    teams = {item.customers[0]: item.team for item in await app.router.items()}
    assert teams == {"c-1": "operations", "c-2": "account-management", "c-3": "operations"}
    history = (await house.ana.get("/v1/policies/routing/history")).json()["history"]
    assert [(d["deed"], d["actor"]) for d in history] == [
        ("rolled back", "bo"),
        ("activated", "bo"),
        ("approved", "bo"),
        ("made", "ana"),
    ]
    assert (history[0]["words"], history[0]["number"]) == ("too many bills", None)


async def test_rolling_back_restores_the_very_text_and_goes_one_further_each_time(house: House) -> None:
    texts = [renamed(GROUPING, f"ours@{n}").replace("14", str(n)) + f"\n# é {n}\r\n" for n in (1, 2, 3)]
    for one in texts:
        await house.put_in_force("grouping", one)
    for expected in (texts[1], texts[0]):
        assert (await house.bo.post("/v1/policies/grouping:rollback", {"reason": "x"})).status_code == 200
        assert (await house.ana.get("/v1/policies/grouping")).json()["text"] == expected
    assert (
        await house.bo.post("/v1/policies/grouping:rollback", {"to": 3, "reason": "x"})
    ).status_code == 200
    assert (await house.ana.get("/v1/policies/grouping")).json()["case_window_days"] == 3
    for _ in range(3):
        await house.bo.post("/v1/policies/grouping:rollback", {"reason": "x"})
    line = (await house.ana.get("/v1/policies/grouping")).json()
    assert (line["from"], line["text"]) == ("packaged", GROUPING)
    nothing = await house.bo.post("/v1/policies/grouping:rollback", {"reason": "x"})
    assert (nothing.status_code, nothing.json()["type"].rsplit("/", 1)[1]) == (409, "not-now")


async def test_nobody_reviews_what_they_wrote(app: RouterApp, house: House, database: Database) -> None:
    both = await app.caller("default", "admin", name="ana")
    number = await house.draft("routing", billing_to_accounts())
    path = f"{VERSIONS}/{number}:review"
    for actor in ("ana", " ANA "):
        own = await both.post(path, {"approve": True, "words": "fine"}, X_Heardback_Actor=actor)
        assert (own.status_code, own.json()["type"].rsplit("/", 1)[1]) == (403, "four-eyes")
    # Whoever changed a word of it wrote it, too.
    edit = {"text": billing_to_accounts("ours@2")}
    await both.put(f"{VERSIONS}/{number}", edit, If_Match='"1"', X_Heardback_Actor="bo")
    assert (await house.bo.post(path, {"approve": True, "words": "fine"})).status_code == 403
    assert (
        await both.post(path, {"approve": True, "words": "ok"}, X_Heardback_Actor="cy")
    ).status_code == 200
    with pytest.raises(IntegrityError, match="four_eyes"):
        async with database.tenant("default") as connection:
            await connection.execute(text("UPDATE router.policy_version SET reviewer = 'ana'"))


async def test_nothing_comes_into_force_without_review_and_what_if(house: House) -> None:
    number = await house.draft("routing", billing_to_accounts())
    path = f"{VERSIONS}/{number}:activate"
    early = await house.bo.post(path)
    assert early.status_code == 409
    assert "reviewed by somebody else first" in early.json()["detail"]
    await house.approve("routing", number)
    blind = await house.bo.post(path)
    assert (blind.status_code, blind.json()["type"].rsplit("/", 1)[1]) == (409, "what-if-required")
    assert '{"kind": "routing", "version": 1, "days": 30}' in blind.json()["detail"]
    await house.looked_at("routing", number)
    await house.activate("routing", number)
    assert (await house.bo.post(path)).status_code == 409
    # A report tells of a change from what was in force then, and no longer counts once that has changed.
    other = await house.draft("routing", billing_to_accounts("ours@2"))
    await house.approve("routing", other)
    await house.looked_at("routing", other)
    await house.bo.post("/v1/policies/routing:rollback", {"reason": "x"})
    assert (await house.bo.post(f"{VERSIONS}/{other}:activate")).status_code == 409


@pytest.mark.parametrize("kind", ALL_KINDS)
async def test_the_table_itself_refuses_what_was_not_tried(database: Database, kind: str) -> None:
    row = {
        "tenant_id": "default",
        "kind": kind,
        "number": 1,
        "state": "active",
        "policy": "ours@1",
        "text": "policy: ours@1",
        "digest": "d",
        "authors": ["ana"],
        "reason": "a trial",
        "created_at": NOON,
        "edited_at": NOON,
        "edition": 1,
        "approved": True,
        "reviewer": "bo",
        "activated_by": "bo",
        "activated_at": NOON,
    }

    async def store(**more: str) -> None:
        async with database.tenant("default") as connection:
            await connection.execute(insert(versions), {**row, **more})

    if kind in REPLAYED:
        with pytest.raises(IntegrityError, match="tried_first"):
            await store()
        await store(what_if="wi_1")
    else:
        await store()


async def test_a_draft_that_was_sent_back_is_mended_and_reviewed_again(house: House) -> None:
    number = await house.draft("routing", billing_to_accounts())
    path = f"{VERSIONS}/{number}"
    sent = await house.bo.post(f"{path}:review", {"approve": False, "words": "Say why, please."})
    assert (sent.json()["state"], sent.json()["review"]["words"]) == ("draft", "Say why, please.")
    body = {"text": billing_to_accounts("ours@2"), "reason": "now it says why"}
    assert (await house.ana.put(path, body)).status_code == 428
    stale = await house.ana.put(path, body, If_Match='"1"')
    assert (stale.status_code, stale.headers["ETag"]) == (412, '"2"')
    mended = await house.ana.put(path, body, If_Match=stale.headers["ETag"])
    assert (mended.status_code, mended.json()["review"], mended.json()["edition"]) == (200, None, 3)
    await house.approve("routing", number)
    late = await house.ana.put(path, body, If_Match="*")
    assert (late.status_code, "only a draft is edited" in late.json()["detail"]) == (409, True)


@pytest.mark.parametrize(
    ("broken", "pointer"),
    [
        (ROUTING.replace("default@3", "x@1").replace("catch_all: triage", "catch_all: nobody"), "/text"),
        (ROUTING.replace("default@3", "x@1") + "\nrulez: []\n", "/text/rulez"),
        (ROUTING.replace("default@3", "no version"), "/text/policy"),
        (ROUTING, None),
        (ROUTING + "# a comment\n", "/text/policy"),
        (ROUTING.replace("default@3", "x@1") + "\nrules: []\n", "/text"),
        ("policy: &a x@1\nteams: [*a]\n", "/text"),
        ("{" * 3000, "/text"),
        ("policy: x@1\x00", "/text"),
        ("- 1\n- 2\n", "/text"),
        ("", "/text"),
    ],
)
async def test_what_cannot_be_a_policy_is_told_with_its_place(
    house: House, broken: str, pointer: str | None
) -> None:
    answer = await house.ana.post(VERSIONS, {"text": broken, "reason": "a trial"})
    if pointer is None:
        assert answer.status_code == 201
        return
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer], answer.text
    assert (await house.ana.get(VERSIONS)).json()["versions"] == []


async def test_one_name_has_one_text(house: House) -> None:
    await house.draft("grouping", renamed(GROUPING, "ours@1"))
    other = renamed(GROUPING, "ours@1").replace("14", "7")
    refused = await house.ana.post("/v1/policies/grouping/versions", {"text": other, "reason": "again"})
    assert refused.status_code == 422
    assert "names version 1, which has another text" in refused.json()["errors"][0]["detail"]
    assert await house.draft("grouping", renamed(GROUPING, "ours@1")) == 2


async def test_the_difference_is_told_by_line_and_by_rule(house: House) -> None:
    number = await house.draft("routing", billing_to_accounts())
    told = (await house.ana.get(f"{VERSIONS}/{number}/diff")).json()
    assert [(c["pointer"], c["change"]) for c in told["changes"]] == [
        ("/policy", "changed"),
        ("/rules/billing-to-accounts", "added"),
        ("/tests", "removed"),
    ]
    assert "+  - name: billing-to-accounts" in told["unified"].splitlines()
    assert (await house.ana.get(f"{VERSIONS}/{number}/diff", against=number)).json()["changes"] == []
    for wrong, status in (("0", 422), ("x", 422), ("99999999999", 422), ("7", 404)):
        assert (await house.ana.get(f"{VERSIONS}/{number}/diff", against=wrong)).status_code == status


async def test_who_may_do_what(app: RouterApp, house: House) -> None:
    reader = await app.caller("default", "items:read", name="reader")
    assert (await reader.get("/v1/policies")).status_code == 200
    assert (await reader.get("/v1/policies/routing")).status_code == 200
    assert (await reader.get(VERSIONS)).status_code == 403
    assert (await house.bo.post(VERSIONS, {"text": ROUTING, "reason": "x"})).status_code == 403
    number = await house.draft("routing", billing_to_accounts())
    for deed in (f"versions/{number}:review", f"versions/{number}:activate"):
        assert (await house.ana.post(f"/v1/policies/routing/{deed}", {})).status_code == 403
    assert (await house.ana.post("/v1/policies/routing:rollback", {"reason": "x"})).status_code == 403


async def test_what_is_not_there_is_said(house: House) -> None:
    for path in ("/v1/policies/rooting", "/v1/policies/rooting/versions", f"{VERSIONS}/7"):
        assert (await house.ana.get(path)).status_code == 404
    assert (await house.bo.post(f"{VERSIONS}/7:activate")).status_code == 404
    assert (await house.bo.post("/v1/policies/routing:rollback", {"to": 7, "reason": "x"})).status_code == 404
    assert (await house.ana.get(f"{VERSIONS}/{2**40}")).status_code == 422
    number = await house.draft("routing", billing_to_accounts())
    wrong = await house.bo.post(f"{VERSIONS}/{number}:activate", {"apply_to": "open"})
    assert wrong.json()["errors"][0]["pointer"] == "/apply_to"


async def test_tenants_have_their_own_policies(app: RouterApp, house: House) -> None:
    other = await House.of(app, "other")
    await house.put_in_force("routing", billing_to_accounts())
    assert (await other.ana.get(VERSIONS)).json()["versions"] == []
    assert (await other.ana.get(f"{VERSIONS}/1")).status_code == 404
    assert (await other.ana.get("/v1/policies/routing")).json()["from"] == "packaged"
    await app.router.receive(incoming(scored(1)), incoming(scored(2), tenant="other"))
    ((ours,), (theirs,)) = await app.router.items(), await app.router.items("other")
    assert (ours.team, theirs.team) == ("account-management", "operations")
