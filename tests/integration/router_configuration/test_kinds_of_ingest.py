"""Policies that ingest reads, with the real ingest at the other end: checked and in force there."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text as sql
from tests.integration.router_configuration.test_both_sides import nowhere
from tests.support.policies import House, renamed
from tests.support.router_http import RouterApp, router_app
from tests.support.serving import served

from heardback_ingest.app.policies import policies_in_force
from heardback_ingest.main import Ingest, build
from heardback_ingest.settings import IngestSettings
from heardback_router.configuration.kinds import SHARED_KINDS, TOLD_INGEST
from heardback_shared.clock import SystemClock
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.metrics import Metrics
from heardback_shared.policies.in_force import put_in_force
from heardback_shared.policies.reading import shipped
from heardback_shared.settings import ServiceSettings

SECRET = base64.b64encode(b"k" * 32).decode()


def own(kind: str, name: str) -> str:
    package = "heardback_shared" if kind in SHARED_KINDS else "heardback_ingest"
    return renamed(shipped(package, f"{kind}.yaml"), name)


@dataclass
class Sides:
    app: RouterApp
    ingest: Ingest
    house: House

    async def decides(self, kind: str, tenant: str = "default") -> tuple[str, str]:
        """(name, where it comes from) of what ingest's next transaction works by."""
        async with self.ingest.database.tenant(tenant) as connection:
            found = await self.ingest.policies.deciding(connection, tenant, kind)
            assert await self.ingest.policies.of(connection, tenant, kind) == found.policy
        return found.name, found.origin


@pytest.fixture
async def sides(database: Database) -> AsyncIterator[Sides]:
    ingest = build(
        IngestSettings(),
        ServiceSettings(secret_key=SECRET),
        database,
        SystemClock(),
        Metrics(),
        Readiness(running=True),
    )
    async with served(ingest.http) as url, router_app(database, ingest_url=url) as app:
        yield Sides(app, ingest, await House.of(app))


@pytest.mark.parametrize("kind", TOLD_INGEST)
async def test_from_draft_to_the_next_transaction_of_ingest_and_back(sides: Sides, kind: str) -> None:
    assert await sides.decides(kind) == ("default@1", "packaged")
    number = await sides.house.draft(kind, own(kind, "ours@1"))
    assert await sides.decides(kind) == ("default@1", "packaged")
    await sides.house.approve(kind, number)
    assert await sides.decides(kind) == ("default@1", "packaged")
    await sides.house.activate(kind, number)
    assert await sides.decides(kind) == ("ours@1", "tenant")
    await sides.house.put_in_force(kind, own(kind, "ours@2"))
    assert await sides.decides(kind) == ("ours@2", "tenant")
    assert await sides.decides(kind, "other") == ("default@1", "packaged")
    for expected in (("ours@1", "tenant"), ("default@1", "packaged")):
        back = await sides.house.bo.post(f"/v1/policies/{kind}:rollback", {"reason": "not as meant"})
        assert back.status_code == 200, back.text
        assert await sides.decides(kind) == expected


async def test_routers_page_tells_who_reads_a_kind(sides: Sides) -> None:
    line = (await sides.house.ana.get("/v1/policies/surveys")).json()
    assert (line["from"], line["policy"], line["text"]) == ("ingest", None, None)
    await sides.house.put_in_force("surveys", own("surveys", "ours@1"))
    line = (await sides.house.ana.get("/v1/policies/surveys")).json()
    assert (line["from"], line["policy"], line["by"]) == ("tenant", "ours@1", "bo")


async def test_what_ingest_refuses_is_told_with_its_place_and_nothing_is_kept(sides: Sides) -> None:
    body = {"text": own("surveys", "ours@1") + "misspelt: 1\n", "reason": "x"}
    answer = await sides.house.ana.post("/v1/policies/surveys/versions", body)
    assert answer.status_code == 422
    assert "/text/misspelt" in [fault["pointer"] for fault in answer.json()["errors"]]
    kept = await sides.house.ana.get("/v1/policies/surveys/versions")
    assert kept.json()["versions"] == []


async def test_what_is_strange_about_a_draft_is_told_with_it(sides: Sides) -> None:
    """A cap that the weekly gap before it never lets anybody reach."""
    idle = "  - {name: idle, most: 9, window: {rolling: 30d}}\nsuppress:"
    text = own("surveys", "ours@1").replace("suppress:", idle, 1)
    answer = await sides.house.ana.post("/v1/policies/surveys/versions", {"text": text, "reason": "x"})
    assert answer.status_code == 201, answer.text
    (warning,) = answer.json()["warnings"]
    assert "never decides: week-between is always as strict" in warning


async def test_an_activation_that_is_not_committed_tells_ingest_nothing(
    sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await sides.house.draft("surveys", own("surveys", "ours@1"))
    await sides.house.approve("surveys", number)
    whole = put_in_force

    async def killed(*told: object) -> None:
        await whole(*told)  # type: ignore[arg-type]
        raise RuntimeError("killed after the row was written")

    monkeypatch.setattr("heardback_router.configuration.app.put_in_force", killed)
    with pytest.raises(RuntimeError, match="killed"):
        await sides.house.bo.post(f"/v1/policies/surveys/versions/{number}:activate")
    assert await sides.decides("surveys") == ("default@1", "packaged")
    monkeypatch.undo()
    await sides.house.activate("surveys", number)
    assert await sides.decides("surveys") == ("ours@1", "tenant")


async def test_what_this_release_cannot_read_leaves_the_deployments_own_and_says_so(sides: Sides) -> None:
    await sides.house.put_in_force("surveys", own("surveys", "ours@1"))
    asked = "UPDATE platform.policy_in_force SET text = 'policy: ours@1\nold: 1\n', digest = 'other'"
    async with sides.app.database.tenant("default") as connection:
        await connection.execute(sql(asked))
    assert await sides.decides("surveys") == ("default@1", "packaged")
    token = await sides.app.key("default", "policies:read", name="eve")
    transport = httpx.ASGITransport(sides.ingest.http)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as client:
        line = (await client.get("/v1/policies/surveys")).json()
        unknown = await client.get("/v1/policies/routing")
    assert (line["policy"], line["from"]) == ("default@1", "packaged")
    assert line["problem"].startswith("ours@1 should be in force, but this release cannot read it")
    assert "old" in line["problem"]
    assert (unknown.status_code, "surveys, classes" in unknown.json()["detail"]) == (404, True)


async def test_without_ingest_its_policies_wait_and_the_others_do_not(database: Database) -> None:
    for url, named_setting in ((None, "Set HEARDBACK_ROUTER_INGEST_URL"), (nowhere(), "does not answer at")):
        async with router_app(database, ingest_url=url) as app:
            house = await House.of(app)
            body = {"text": own("surveys", "ours@1"), "reason": "x"}
            answer = await house.ana.post("/v1/policies/surveys/versions", body)
            assert (answer.status_code, named_setting in answer.json()["detail"]) == (503, True)
            assert answer.json()["title"] == "Ingest cannot be asked just now"


async def test_a_deployment_brings_its_own_files(sides: Sides, tmp_path: Path) -> None:
    (tmp_path / "surveys.yaml").write_text(own("surveys", "house@7"))
    policies = policies_in_force(tmp_path)
    async with sides.app.database.tenant("default") as connection:
        found = await policies.deciding(connection, "default", "surveys")
    assert (found.name, found.origin) == ("house@7", "deployment")
