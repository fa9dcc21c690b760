"""Shadow readings on a real database: kept once, newest pass, per tenant, for a time; and their report."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.support.clock import NOON
from tests.support.router_http import RouterApp, router_app
from tests.support.scored import band_of

from heardback_shared.contracts.envelope import Envelope, to_bytes
from heardback_shared.contracts.events import FEEDBACK_SHADOWED, FeedbackShadowed, ShadowReading
from heardback_shared.contracts.score import ModelRef
from heardback_shared.contracts.topics import SHADOWED
from heardback_shared.db.database import Database
from heardback_shared.errors import PermanentError
from heardback_shared.stream.ports import Incoming, Record

OLD = ModelRef(name="old", revision="1", sha256="a" * 64)
NEW = ModelRef(name="new", revision="2", sha256="b" * 64)


@pytest.fixture
async def app(database: Database) -> AsyncIterator[RouterApp]:
    async with router_app(database) as opened:
        yield opened


def reading(model: ModelRef, score: float, severity: float, **fields: Any) -> ShadowReading:
    label = "negative" if score < -0.2 else "positive" if score > 0.2 else "neutral"
    given = {"status": "scored", "abstained": False, "cause": "operations/billing", **fields}
    return ShadowReading.model_validate(
        {"model": model, "label": label, "score": score, "severity": severity, "band": band_of(severity)}
        | given
    )


def shadowed(
    number: int,
    active: ShadowReading,
    candidate: ShadowReading,
    *,
    tenant: str | None = "default",
    pass_number: int = 1,
    source: str = "typeform",
) -> Incoming:
    read = FeedbackShadowed(
        feedback_id=f"fb_{number}",
        revision=1,
        pass_number=pass_number,
        source=source,
        language="en",
        accepted_at=NOON,
        active=active,
        candidate=candidate,
    )
    event = Envelope(
        id=f"ev_{number}",
        source="/heardback/scoring",
        type=FEEDBACK_SHADOWED,
        data=to_bytes(read),
        tenant_id=tenant,
        key=read.feedback_id,
    )
    return Incoming(Record(SHADOWED.name, 0, number, None, event.data), event)


AGREE = (reading(OLD, -0.9, 60), reading(NEW, -0.7, 55))
DIFFER = (
    reading(OLD, 0.1, 10, cues=("asks_for_human",)),
    reading(NEW, -0.8, 80, cues=("asks_for_human", "wants_to_leave"), cause=None, abstained=True),
)


async def rows(app: RouterApp, database: Database, tenant: str = "default") -> list[dict[str, Any]]:
    async with database.tenant(tenant) as connection:
        found = await connection.execute(text("SELECT * FROM router.shadow_reading ORDER BY feedback_id"))
        return [dict(row) for row in found.mappings()]


async def test_the_report_of_what_was_read(app: RouterApp) -> None:
    failed = (reading(OLD, -0.9, 60), reading(NEW, 0.0, 60, status="degraded"))
    await app.core.keep_readings(
        [shadowed(n, *AGREE) for n in range(3)]
        + [shadowed(3, *DIFFER, source="zendesk"), shadowed(4, *failed)]
    )
    answer = await (await app.caller()).get("/v1/models/shadow")
    assert answer.status_code == 200
    report = answer.json()
    assert (report["active"], report["candidate"]) == (OLD.model_dump(), NEW.model_dump())
    assert report["failed"] == 1
    overall = report["overall"]
    assert (overall["compared"], overall["label"]["count"], overall["label"]["share"]) == (4, 1, 0.25)
    assert overall["label"]["low"] == pytest.approx(0.0456, abs=1e-4)
    assert (overall["raised"], overall["lowered"], overall["cause"]["count"]) == (1, 0, 1)
    assert overall["abstained_candidate"]["count"] == 1
    assert overall["mean_distance"] == pytest.approx((3 * 0.2 + 0.9) / 4)
    assert overall["mean_difference"] == pytest.approx((3 * 0.2 - 0.9) / 4)
    assert report["labels"] == {"negative": {"negative": 3}, "neutral": {"negative": 1}}
    assert report["bands"] == {"P2": {"P2": 3}, "P4": {"P1": 1}}
    compared = [(s["name"], s["disagreement"]["compared"]) for s in report["sources"]]
    assert compared == [("typeform", 3), ("zendesk", 1)]
    assert report["languages"][0]["name"] == "en"
    assert report["cues"] == [
        {"cue": "asks_for_human", "active": 1, "candidate": 1, "both": 1},
        {"cue": "wants_to_leave", "active": 0, "candidate": 1, "both": 0},
    ]
    assert report["farthest"][0]["feedback_id"] == "fb_3"
    assert len(report["farthest"]) == 4


async def test_a_repeat_is_one_row_and_a_later_pass_takes_its_place(
    app: RouterApp, database: Database
) -> None:
    keep = app.core.keep_readings
    await keep([shadowed(1, *AGREE), shadowed(1, *AGREE)])
    before = await rows(app, database)
    await keep([shadowed(1, *AGREE)])
    assert await rows(app, database) == before
    await keep([shadowed(1, *DIFFER, pass_number=2), shadowed(1, *AGREE)])
    await keep([shadowed(1, *AGREE)])
    [row] = await rows(app, database)
    assert (row["pass_number"], row["candidate_score"]) == (2, -0.8)


async def test_pairs_of_models_are_apart_and_the_latest_is_shown(app: RouterApp) -> None:
    third = ModelRef(name="third", revision="1", sha256="c" * 64)
    await app.core.keep_readings([shadowed(1, *AGREE)])
    app.clock.forward(hours=1)
    await app.core.keep_readings([shadowed(1, AGREE[0], reading(third, 0.5, 0))])
    ana = await app.caller()
    latest = (await ana.get("/v1/models/shadow")).json()
    assert (latest["candidate"]["name"], latest["overall"]["compared"]) == ("third", 1)
    asked = (await ana.get("/v1/models/shadow", candidate=NEW.sha256, active=OLD.sha256)).json()
    assert asked["candidate"]["name"] == "new"


async def test_tenants_see_their_own_and_who_may_not_read_sees_nothing(
    app: RouterApp, database: Database
) -> None:
    await app.core.keep_readings([shadowed(1, *AGREE), shadowed(1, *DIFFER, tenant="acme")])
    assert len(await rows(app, database)) == len(await rows(app, database, "acme")) == 1
    zoe = await app.caller("acme", name="zoe")
    assert (await zoe.get("/v1/models/shadow")).json()["overall"]["label"]["count"] == 1
    bo = await app.caller("other", name="bo")
    answer = await bo.get("/v1/models/shadow")
    assert (answer.status_code, "no candidate read" in answer.json()["detail"]) == (404, True)
    writer = await app.caller("default", "feedback:write", name="form")
    assert (await writer.get("/v1/models/shadow")).status_code == 403


@pytest.mark.parametrize("asked", [{"days": 0}, {"days": 91}, {"candidate": "new"}])
async def test_what_cannot_be_asked_is_told(app: RouterApp, asked: dict[str, Any]) -> None:
    answer = await (await app.caller()).get("/v1/models/shadow", **asked)
    assert answer.status_code == 422
    assert next(iter(asked)) in answer.json()["errors"][0]["pointer"]


async def test_what_is_older_than_it_is_kept_is_forgotten(app: RouterApp, database: Database) -> None:
    await app.core.keep_readings([shadowed(1, *AGREE), shadowed(1, *AGREE, tenant="acme")])
    app.clock.forward(days=89)
    await app.core.keep_readings([shadowed(2, *AGREE)])
    await app.core.forget.forget()
    assert len(await rows(app, database)) == 2
    app.clock.at += timedelta(days=2)
    await app.core.forget.forget()
    assert [row["feedback_id"] for row in await rows(app, database)] == ["fb_2"]
    assert await rows(app, database, "acme") == []


@pytest.mark.parametrize(
    ("change", "says"),
    [({"data": b"{}"}, "wrong at"), ({"tenant_id": None}, "no tenant"), ({"type": "other"}, "is not")],
)
async def test_what_is_no_reading_is_refused(app: RouterApp, change: dict[str, Any], says: str) -> None:
    good = shadowed(1, *AGREE)
    with pytest.raises(PermanentError, match=says):
        await app.core.keep_readings([replace(good, event=replace(good.event, **change))])
