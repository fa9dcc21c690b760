"""Asking scoring over HTTP what it makes of policies. The caller's own key is passed on."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from heardback_router.configuration.ports import Checked
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid

SETTING = "HEARDBACK_ROUTER_SCORING_URL"
RETRY_SECONDS = 5
CHECK_SECONDS = 60.0
"""A taxonomy's examples are embedded to check it."""
JUDGE_SECONDS = 120.0
MOST_ROWS = 500


class ScoringClient:
    """`url` is where scoring answers HTTP; None where nobody said."""

    def __init__(self, url: str | None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url.rstrip("/") if url else None
        self._transport = transport

    async def check(self, kind: str, text: str, bearer: str) -> Checked:
        body = await self._post(f"/v1/policies/{kind}:check", {"text": text}, bearer, CHECK_SECONDS)
        try:
            return Checked(str(body["policy"]), tuple(str(w) for w in body.get("warnings", ())))
        except (KeyError, TypeError) as error:
            raise _strange(self._url) from error

    async def judge(
        self, texts: Mapping[str, str | None], feedback: Sequence[Mapping[str, Any]], bearer: str
    ) -> Sequence[Mapping[str, Any]]:
        if len(feedback) > MOST_ROWS:
            raise ValueError(f"scoring judges at most {MOST_ROWS} rows at once")
        if not feedback:
            return ()
        asked = {"severity": texts.get("severity"), "taxonomy": texts.get("taxonomy"), "feedback": feedback}
        body = await self._post("/v1/judge", asked, bearer, JUDGE_SECONDS)
        judged = body.get("judged")
        if not isinstance(judged, list) or len(judged) != len(feedback):
            raise _strange(self._url)
        return judged

    async def _post(self, path: str, body: Mapping[str, Any], bearer: str, seconds: float) -> dict[str, Any]:
        if self._url is None:
            raise unavailable(f"Router does not know where scoring is. Set {SETTING} to its address.")
        headers = {"Authorization": bearer, "Content-Type": "application/json"}
        try:
            async with httpx.AsyncClient(
                base_url=self._url, timeout=seconds, trust_env=False, transport=self._transport
            ) as client:
                answer = await client.post(path, content=orjson.dumps(body), headers=headers)
                said = orjson.loads(answer.content) if answer.content else {}
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unavailable(
                f"Scoring does not answer at {self._url} ({type(error).__name__}). "
                f"Start it, or mend {SETTING}."
            ) from error
        except orjson.JSONDecodeError as error:
            raise _strange(self._url) from error
        if not isinstance(said, dict):
            raise _strange(self._url)
        if answer.is_success:
            return said
        raise self._refusal(answer.status_code, said)

    def _refusal(self, status: int, said: Mapping[str, Any]) -> ProblemError:
        detail = str(said.get("detail") or said.get("title") or f"it answered {status}")
        if status == 422:
            faults = tuple((str(e["pointer"]), str(e["detail"])) for e in said.get("errors", ()))
            return invalid(faults or (("/text", detail),), detail)
        if status in (401, 403):
            return ProblemError(403, "forbidden", "Scoring refuses the key", f"Scoring says: {detail}")
        return unavailable(f"Scoring at {self._url} cannot answer: {detail}")


def unavailable(why: str) -> ProblemError:
    return ProblemError(
        503,
        "unavailable",
        "Scoring cannot be asked just now",
        f"{why} Nothing was changed.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def _strange(url: str | None) -> ProblemError:
    return unavailable(f"What answers at {url} is not scoring of this release; mend {SETTING}.")
