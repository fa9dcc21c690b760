"""Items with customers behind them, reviewed changes and campaigns, as the tests of campaigns use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from tests.support.clock import FakeClock
from tests.support.grouped import saying
from tests.support.router_http import Caller
from tests.support.scored import incoming, score

from heardback_router.main import Core
from heardback_shared.db.database import Database

TELL = "Every invoice now shows the right number of seats."
MORE = text("""
INSERT INTO router.item_feedback (tenant_id, feedback_id, item_id, customer_id, channel, revision,
    pass_number, severity, band, joined_because, accepted_at, scored_at, routed_at, content, score,
    decision, words)
SELECT tenant_id, feedback_id || '-' || n, item_id, 'x-' || lpad(n::text, 5, '0'), channel, revision,
    pass_number, severity, band, joined_because, accepted_at, scored_at, routed_at, content, score, decision,
    'nothing in common with anything else'
FROM router.item_feedback CROSS JOIN generate_series(1, :count) AS n WHERE item_id = :item
""")
END = text("""
UPDATE router.message SET state = :state, code = :code WHERE id IN (
    SELECT id FROM router.message WHERE state = 'waiting' ORDER BY id LIMIT :most)
""")


@dataclass
class Stage:
    """`ana` makes, `bo` reviews and approves; another key each."""

    core: Core
    clock: FakeClock
    database: Database
    ana: Caller
    bo: Caller
    numbers: int = 0

    async def item(
        self, *customers: str | None, direction: int = 0, resolved: bool = True, **more: Any
    ) -> str:
        """One item that these customers wrote about."""
        item_id = ""
        for customer in customers:
            self.numbers += 1
            at = self.clock.now()
            said = saying(self.numbers, direction, at=at, **more)
            accepted = said.accepted
            if customer is None:
                said = said.model_copy(update={"accepted": accepted.model_copy(update={"customer": None})})
            elif accepted.customer is not None:
                who = accepted.customer.model_copy(update={"id": customer})
                said = said.model_copy(update={"accepted": accepted.model_copy(update={"customer": who})})
            await self.core.route([incoming(said)])
            item_id = await self.scalar(
                "SELECT item_id FROM router.item_feedback WHERE feedback_id = :id", id=accepted.feedback_id
            )
        if resolved:
            await self.resolve(item_id)
        return item_id

    async def resolve(self, item_id: str) -> None:
        body = {
            "root_cause": "Ledger job counted closed seats",
            "action": "Job patched and the ledger rebuilt by night",
            "not_telling_because": "a campaign tells everybody",
        }
        answer = await self.ana.act(item_id, "resolve", body)
        assert answer.status_code == 200, answer.text

    async def more_customers(self, item_id: str, count: int) -> None:
        async with self.database.tenant("default") as connection:
            await connection.execute(MORE, {"item": item_id, "count": count})

    async def change(self, *items: str, review: bool = True, **fields: Any) -> str:
        body = {
            "result": "done",
            "what": "Ledger job patched",
            "tell": TELL,
            "on": "2026-11-20",
            "items": list(items),
        }
        made = await self.ana.post("/v1/changes", body | fields)
        assert made.status_code == 201, made.text
        change_id = str(made.json()["id"])
        if review:
            done = await self.bo.post(f"/v1/changes/{change_id}:review")
            assert done.status_code == 200, done.text
        return change_id

    async def campaign(self, items: Sequence[str], changes: Sequence[str], **fields: Any) -> str:
        body = {"name": "Seats", "items": list(items), "changes": list(changes)}
        made = await self.ana.post("/v1/campaigns", body | fields)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def do(self, campaign_id: str, deed: str, by: Caller | None = None, body: Any = None) -> Any:
        who = by or self.ana
        tag = (await who.get(f"/v1/campaigns/{campaign_id}")).headers["ETag"]
        return await who.post(f"/v1/campaigns/{campaign_id}:{deed}", body or {}, If_Match=tag)

    async def approved(self, items: Sequence[str], changes: Sequence[str]) -> str:
        campaign_id = await self.campaign(items, changes)
        for deed, by in (("submit", self.ana), ("approve", self.bo)):
            answer = await self.do(campaign_id, deed, by)
            assert answer.status_code == 200, answer.text
        return campaign_id

    async def show(self, campaign_id: str) -> Any:
        return (await self.ana.get(f"/v1/campaigns/{campaign_id}")).json()

    async def people(self, campaign_id: str) -> dict[str, Any]:
        """Everybody by person, read page by page."""
        found: dict[str, Any] = {}
        cursor: str | None = ""
        while cursor is not None:
            answer = await self.ana.get(f"/v1/campaigns/{campaign_id}/recipients", cursor=cursor, limit=100)
            assert answer.status_code == 200, answer.text
            found |= {one["person_id"]: one for one in answer.json()["recipients"]}
            cursor = answer.json()["next_cursor"]
        return found

    async def end(self, state: str = "sent", code: str | None = None, most: int = 10_000) -> int:
        """What waits has ended so, as if a channel had said it; how many that were."""
        async with self.database.tenant("default") as connection:
            done = await connection.execute(END, {"state": state, "code": code, "most": most})
            return done.rowcount

    async def messages(self, campaign_id: str) -> list[tuple[str, str, str]]:
        """(id, customer, state) of every message of the campaign."""
        query = "SELECT id, customer_id, state FROM router.message WHERE campaign_id = :id ORDER BY id"
        async with self.database.tenant("default") as connection:
            rows = await connection.execute(text(query), {"id": campaign_id})
            return [tuple(row) for row in rows]

    async def scalar(self, query: str, **values: Any) -> Any:
        async with self.database.tenant("default") as connection:
            return await connection.scalar(text(query), values)


def urgent(cue: str) -> Any:
    return score(60.0, "product/defect", cues=(cue,))
