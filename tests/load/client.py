"""A load client over the public API, and a look at what is committed."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
import httpx

BATCH = 500
AT_ONCE = 3


def survey(external_id: str, comment: str, customer: str) -> dict[str, Any]:
    return {
        "type": "survey",
        "source": "bench",
        "external_id": external_id,
        "customer": {"id": customer},
        "channel": "email",
        "touchpoint": "delivery",
        "metric": {"kind": "csat", "value": 2, "min": 1, "max": 5, "direction": "higher_is_better"},
        "comment": comment,
        "context": {"order": f"A-{external_id}"},
    }


class Client:
    def __init__(self, ingest_url: str, key: str, database_url: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self.http = httpx.AsyncClient(base_url=ingest_url, headers=headers, timeout=120)
        self._dsn = database_url.replace("postgresql+asyncpg://", "postgresql://")
        self._database: asyncpg.Connection[Any] | None = None

    async def __aenter__(self) -> "Client":
        self._database = await asyncpg.connect(self._dsn)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        if self._database is not None:
            await self._database.close()

    async def post_all(self, rows: Sequence[dict[str, Any]]) -> list[str]:
        """Posts everything by the batch door, a few requests at once; returns the ids in order."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def post(batch: Sequence[dict[str, Any]]) -> list[str]:
            async with gate:
                answer = await self.http.post("/v1/feedback:batch", json=list(batch))
            answer.raise_for_status()
            results = answer.json()
            if any(r["status"] != "accepted" for r in results):
                raise RuntimeError(f"not accepted: {next(r for r in results if r['status'] != 'accepted')}")
            return [r["id"] for r in results]

        batches = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
        return [id_ for ids in await asyncio.gather(*(post(b) for b in batches)) for id_ in ids]

    async def linked(self) -> int:
        """Feedbacks linked to a committed item."""
        if self._database is None:
            raise RuntimeError("the client is not open")
        return int(await self._database.fetchval("SELECT count(*) FROM router.item_feedback"))

    async def wait_linked(self, count: int, seconds: float = 540) -> None:
        async with asyncio.timeout(seconds):
            while await self.linked() < count:
                await asyncio.sleep(0.25)

    async def post_and_wait(self, row: dict[str, Any]) -> float:
        """Seconds from sending one survey to its committed item."""
        body = {k: v for k, v in row.items() if k != "type"}
        started = time.perf_counter()
        answer = await self.http.post("/v1/surveys", json=body)
        answer.raise_for_status()
        feedback = answer.json()["id"]
        if self._database is None:
            raise RuntimeError("the client is not open")
        while not await self._database.fetchval(
            "SELECT 1 FROM router.item_feedback WHERE feedback_id = $1", feedback
        ):
            await asyncio.sleep(0.002)
        return time.perf_counter() - started
