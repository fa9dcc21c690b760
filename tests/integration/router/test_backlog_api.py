"""People work the backlog over HTTP: lists, one item whole, commands, and problems they can mend."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import NOON
from tests.support.router_http import Caller, RouterApp, router_app
from tests.support.scored import incoming, score, scored

from heardback_router.backlog.fold import fold
from heardback_shared.contracts.topics import BACKLOG
from heardback_shared.db.database import Database

SOLVED = {
    "root_cause": "The rate table was old",
    "action": "Loaded the new one",
    "tell_customer": {"text": "Your invoice is corrected."},
}
QUIETLY = {
    "root_cause": "A test order",
    "action": "None needed",
    "not_telling_because": "It was our own test",
}


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


@pytest.fixture
async def ana(app: RouterApp) -> Caller:
    return await app.caller()


async def only_item(app: RouterApp) -> str:
    await app.router.receive(incoming(scored(1)))
    (item,) = await app.router.items()
    return item.id


async def test_an_item_is_shown_whole_with_timeline_content_and_decision(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app)
    answer = await ana.get(f"/v1/items/{item_id}")
    body = answer.json()
    assert (answer.status_code, answer.headers["ETag"], body["version"]) == (200, '"1"', 1)
    assert (body["severity"]["score"], body["severity"]["band"]) == (60.0, "P2")
    assert [part["points"] for part in body["severity"]["contributions"]] == [60.0]
    assert [entry["kind"] for entry in body["timeline"]] == ["opened"]
    (linked,) = body["feedback"]
    assert linked["content"]["comment"] == "The invoice is wrong again and nobody answers me"
    assert linked["score"]["severity"]["contributions"][0]["because"] == "it is angry"
    assert linked["joined_because"].endswith("there is no embedding to compare it by (grouping default@2)")
    assert linked["decision"]["winner"]["rule"] == "operations-domain"
    assert "Goes to operations." in linked["decision"]["reason"]
    assert [(loop["customer_id"], loop["state"]) for loop in body["loops"]] == [("c-1", "acknowledged")]


async def test_an_item_goes_through_its_life_and_stays_the_fold_of_its_log(
    app: RouterApp, ana: Caller
) -> None:
    item_id = await only_item(app)
    for command, body in (
        ("claim", {}),
        ("start", {}),
        ("comment", {"text": "looking into it"}),
        ("reassign", {"team": "product", "reason": "it is the rate table"}),
        ("claim", {"assignee": "ben"}),
        ("resolve", SOLVED),
        ("reopen", {"reason": "the second invoice is wrong too"}),
        ("resolve", QUIETLY),
        ("close", {"reason": "nobody to wait for"}),
    ):
        app.clock.forward(minutes=1)
        answer = await ana.act(item_id, command, body)
        assert answer.status_code == 200, (command, answer.text)
    (item,) = await app.router.items()
    log = await app.router.log(item_id)
    assert item == fold(log)
    assert (item.state, item.team, item.assignee, item.resolutions) == ("closed", "product", "ben", 2)
    assert {event.actor for event in log} == {"router", "ana"}
    changes = [c for c in await app.router.sent(BACKLOG.name) if "change" in c]
    assert [c["sequence"] for c in changes] == list(range(1, 11))
    assert changes[3]["change"] == "commented"
    assert "reason" not in changes[3]
    shown = (await ana.get(f"/v1/items/{item_id}")).json()
    assert shown["resolution"]["not_telling_because"] == "It was our own test"


async def test_resolving_moves_the_one_loop_of_each_customer(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app)
    assert (await ana.act(item_id, "resolve", SOLVED)).status_code == 200
    (loop,) = (await ana.get(f"/v1/items/{item_id}")).json()["loops"]
    assert (loop["customer_id"], loop["round"], loop["state"]) == ("c-1", 1, "changed")


async def test_a_write_names_the_version_it_was_made_on(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app)
    path = f"/v1/items/{item_id}:claim"
    missing = await ana.post(path, {})
    assert (missing.status_code, missing.json()["type"].rsplit("/", 1)[1]) == (428, "if-match-required")
    for tag in ('"2"', 'W/"1"', "nonsense", '"01x"'):
        stale = await ana.post(path, {}, If_Match=tag)
        assert (stale.status_code, stale.headers["ETag"]) == (412, '"1"'), tag
    assert (await ana.post(path, {}, If_Match='"7", "1"')).status_code == 200
    assert (await ana.post(path, {}, If_Match="*")).headers["ETag"] == '"3"'
    assert (await ana.post(f"/v1/items/{item_id}:comment", {"text": "hm"})).status_code == 200


async def test_the_actor_is_the_key_or_whom_it_speaks_for(app: RouterApp, ana: Caller) -> None:
    item_id = await only_item(app)
    await ana.post(f"/v1/items/{item_id}:claim", {}, If_Match="*", X_Heardback_Actor="Cleo")
    (item,) = await app.router.items()
    assert item.assignee == "Cleo"
    for name in ("x" * 201, "router", "customer"):
        refused = await ana.post(f"/v1/items/{item_id}:claim", {}, If_Match="*", X_Heardback_Actor=name)
        assert refused.json()["errors"][0]["pointer"] == "header:X-Heardback-Actor"
    poser = await app.caller(name="router")
    await poser.post(f"/v1/items/{item_id}:start", If_Match="*")
    assert (await app.router.log(item_id))[-1].actor == "key router"


async def test_the_routes_describe_themselves(app: RouterApp, ana: Caller) -> None:
    paths = (await ana.get("/openapi.json")).json()["paths"]
    commands = ("claim", "start", "comment", "resolve", "reopen", "reassign", "close")
    assert {f"/v1/items/{{item_id}}:{command}" for command in commands} <= set(paths)
    assert {"/v1/items", "/v1/items/{item_id}", "/v1/backlog", "/v1/policies/{kind}"} <= set(paths)


@pytest.mark.parametrize(
    ("command", "body", "status", "pointer"),
    [
        ("resolve", {"root_cause": "a", "action": "b"}, 422, ""),
        ("resolve", {**SOLVED, "not_telling_because": "both"}, 422, ""),
        ("resolve", {**SOLVED, "tell_customer": {"text": " "}}, 422, "/tell_customer/text"),
        ("reassign", {"team": "nowhere", "reason": "why not"}, 422, "/team"),
        ("reassign", {"team": "product"}, 422, "/reason"),
        ("reassign", {"team": "operations", "reason": "again"}, 409, None),
        ("reopen", {"reason": "it is open"}, 409, None),
        ("close", {"reason": "too early"}, 409, None),
        ("claim", {"asignee": "ben"}, 422, "/asignee"),
        ("comment", {"text": "a\x00b"}, 422, "/text"),
        ("explode", {}, 405, None),
    ],
)
async def test_what_cannot_be_done_is_said_with_the_field_and_changes_nothing(
    app: RouterApp, ana: Caller, command: str, body: Any, status: int, pointer: str | None
) -> None:
    item_id = await only_item(app)
    answer = await ana.act(item_id, command, body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    if pointer is not None:
        assert pointer in {error["pointer"] for error in answer.json()["errors"]}
    (item,) = await app.router.items()
    assert item.version == 1


async def test_reading_and_writing_need_their_scopes(app: RouterApp) -> None:
    item_id = await only_item(app)
    reader = await app.caller("default", "items:read", name="reader")
    writer = await app.caller("default", "items:write", name="writer")
    assert (await reader.post(f"/v1/items/{item_id}:claim", {}, If_Match="*")).status_code == 403
    assert (await writer.get("/v1/items")).status_code == 403
    assert (await app.client.get("/v1/items")).status_code == 401


async def fill(app: RouterApp) -> None:
    causes = ["operations/billing", "product/defect", None]
    await app.router.receive(
        *(
            incoming(
                scored(
                    n,
                    customer=f"c-{n}",
                    reading=score(float(n * 10 % 40), causes[n % 3]),
                    accepted_at=NOON - timedelta(hours=n % 4),
                    comment=f"The parcel number {n} is late",
                )
            )
            for n in range(30)
        )
    )


async def test_pages_follow_each_other_heaviest_and_oldest_first(app: RouterApp, ana: Caller) -> None:
    await fill(app)
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = (await ana.get("/v1/items", limit=7, **({"cursor": cursor} if cursor else {}))).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    order = [(-i["severity"]["score"], i["opened_at"], i["id"]) for i in seen]
    assert order == sorted(order)
    assert len({i["id"] for i in seen}) == 30


async def test_filters_narrow_the_list(app: RouterApp, ana: Caller) -> None:
    await fill(app)
    (first,) = (await ana.get("/v1/items", customer="c-4")).json()["items"]
    await ana.act(first["id"], "claim", {"assignee": "ben"})

    async def count(**params: Any) -> int:
        return len((await ana.get("/v1/items", limit=200, **params)).json()["items"])

    assert await count() == 30
    assert await count(team="triage") == await count(domain="operations") == 10
    assert await count(assignee="ben") == await count(customer="c-4") == 1
    assert await count(state="resolved") == 0
    assert await count(state=["open", "resolved"]) == 30
    assert await count(band="P3") + await count(band="P4") == 30
    assert await count(q="parcel 17") == 1
    assert await count(q="number") == 30
    assert await count(q="nowhere") == 0


async def test_a_cursor_belongs_to_its_question(app: RouterApp, ana: Caller) -> None:
    await fill(app)
    cursor = (await ana.get("/v1/items", limit=1)).json()["next_cursor"]
    for params in ({"cursor": cursor, "team": "triage"}, {"cursor": "abc"}, {"cursor": cursor[:-4]}):
        answer = await ana.get("/v1/items", **params)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "query:cursor"
    for wrong in ({"limit": 0}, {"limit": 201}, {"state": "lost"}, {"band": "P9"}, {"q": "a\x00"}):
        assert (await ana.get("/v1/items", **wrong)).status_code == 422


async def test_the_overview_counts_every_team(app: RouterApp, ana: Caller) -> None:
    await fill(app)
    teams = {t["team"]: t for t in (await ana.get("/v1/backlog")).json()["teams"]}
    assert teams["account-management"]["unresolved"] == 0
    assert teams["triage"]["states"] == {"open": 10}
    assert sum(sum(t["bands"].values()) for t in teams.values()) == 30


async def test_the_active_policies_can_be_read(ana: Caller) -> None:
    routing = (await ana.get("/v1/policies/routing")).json()
    assert (routing["policy"], routing["catch_all"]) == ("default@3", "triage")
    assert routing["rules"][0]["name"] == "unscored-to-triage"
    assert (await ana.get("/v1/policies/grouping")).json()["rules"][1]["name"] == "repeat-contact"
