"""The service with one key that may do everything, and a policy put in force as router does it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from tests.support.clock import NOON, FakeClock
from tests.support.surveys import contact_text, wanted

from heardback_ingest.main import Ingest
from heardback_shared.policies.in_force import put_in_force


@dataclass
class House:
    http: httpx.AsyncClient
    headers: dict[str, str]
    ingest: Ingest
    clock: FakeClock

    async def call(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        answer = await self.http.request(method, path, json=body, headers=self.headers)
        assert status == answer.status_code if status else answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def act(self, act: str, body: Any) -> Any:
        return await self.call("POST", f"/v1/survey-invitations:{act}", body)

    async def check(self, customer: str = "c-1", **fields: Any) -> Any:
        return await self.act("check", wanted(customer, **fields))

    async def codes(self, customer: str = "c-1", **fields: Any) -> list[str]:
        return [reason["code"] for reason in (await self.check(customer, **fields))["reasons"]]

    async def send(self, customer: str = "c-1", **fields: Any) -> str:
        """Reserved and confirmed; its id."""
        granted = await self.act("reserve", wanted(customer, **fields))
        assert granted["allowed"], granted
        place: str = granted["reservation"]
        await self.act("confirm", {"reservation": place})
        return place

    async def know(self, *customers: str) -> None:
        for customer in customers:
            await self.call("PUT", f"/v1/customers/{customer}", {"source": "crm", "tier": "key"})

    async def post_survey(self, number: int, customer: str = "c-1", **fields: Any) -> str:
        metric = {"kind": "nps", "value": 9, "min": 0, "max": 10, "direction": "higher_is_better"}
        body = {"source": "f", "external_id": f"r-{number}", "customer": {"id": customer}, "metric": metric}
        given: str = (await self.call("POST", "/v1/surveys", body | fields))["id"]
        return given

    async def works_by(self, text: str, kind: str = "surveys") -> None:
        async with self.ingest.database.tenant("default") as c:
            await put_in_force(c, "default", kind, "test@1", text, str(hash(text)), NOON)

    async def writes_at_most(self, day: int, week: int, quiet: Mapping[str, str] | None = None) -> None:
        await self.works_by(contact_text(day, week, quiet), "contact")
