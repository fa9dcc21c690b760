"""Proposing policies to router over HTTP. The caller's own key is passed on."""

import httpx
import orjson

from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid

SETTING = "HEARDBACK_INGEST_ROUTER_URL"
PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 5


class RouterDrafts:
    """`url` is where router answers HTTP; None where nobody said."""

    def __init__(self, url: str | None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url.rstrip("/") if url else None
        self._transport = transport

    async def propose(self, kind: str, text: str, reason: str, bearer: str) -> int:
        if self._url is None:
            raise _unavailable(f"Ingest does not know where router is. Set {SETTING} to its address.")
        headers = {"Authorization": bearer, "Content-Type": "application/json"}
        try:
            async with httpx.AsyncClient(
                base_url=self._url, timeout=PATIENCE_SECONDS, trust_env=False, transport=self._transport
            ) as client:
                content = orjson.dumps({"text": text, "reason": reason[:1_000]})
                answer = await client.post(f"/v1/policies/{kind}/versions", content=content, headers=headers)
                said = orjson.loads(answer.content)
            if answer.status_code == 201:
                return int(said["number"])
            raise _refusal(answer.status_code, str(said.get("detail") or said["title"]))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            where = f"Router does not answer at {self._url} ({type(error).__name__})."
            raise _unavailable(f"{where} Start it, or mend {SETTING}.") from error
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise _unavailable(f"What answers at {self._url} is not router; mend {SETTING}.") from error


def _refusal(status: int, detail: str) -> ProblemError:
    if status == 422:
        return invalid((("/text", detail),), f"Router refuses the draft: {detail}")
    if status in (401, 403):
        return ProblemError(403, "forbidden", "Router refuses the key", f"Router says: {detail}")
    return _unavailable(f"Router cannot answer: {detail}")


def _unavailable(why: str) -> ProblemError:
    return ProblemError(
        503,
        "unavailable",
        "Router cannot be asked just now",
        f"{why} Nothing was changed.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )
