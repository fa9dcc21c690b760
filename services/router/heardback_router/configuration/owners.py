"""Asking the services that read a kind of policy, over HTTP. The caller's own key is passed on."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from heardback_router.configuration.kinds import INGEST_KINDS, SCORING_KINDS
from heardback_router.configuration.ports import Checked
from heardback_shared.errors import ProblemError
from heardback_shared.http.problems import invalid

SCORING_URL = "HEARDBACK_ROUTER_SCORING_URL"
INGEST_URL = "HEARDBACK_ROUTER_INGEST_URL"
RETRY_SECONDS = 5
CHECK_SECONDS = 60.0
"""A taxonomy's examples are embedded to check it."""
JUDGE_SECONDS = 120.0
MOST_ROWS = 500


class Owner:
    """The service that reads kinds of policy. `url` is where it answers HTTP; None where nobody said, then
    `setting` is what is to be set."""

    def __init__(
        self, name: str, setting: str, url: str | None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.name = name
        self._setting = setting
        self._url = url.rstrip("/") if url else None
        self._transport = transport

    async def check(self, kind: str, text: str, bearer: str) -> Checked:
        body = await self.post(f"/v1/policies/{kind}:check", {"text": text}, bearer, CHECK_SECONDS)
        try:
            return Checked(str(body["policy"]), tuple(str(w) for w in body.get("warnings", ())))
        except (KeyError, TypeError) as error:
            raise self.strange() from error

    async def get(self, path: str, bearer: str, seconds: float) -> dict[str, Any]:
        return await self._ask("GET", path, None, bearer, seconds)

    async def post(self, path: str, body: Mapping[str, Any], bearer: str, seconds: float) -> dict[str, Any]:
        return await self._ask("POST", path, orjson.dumps(body), bearer, seconds)

    async def _ask(
        self, method: str, path: str, body: bytes | None, bearer: str, seconds: float
    ) -> dict[str, Any]:
        if self._url is None:
            raise self._unavailable(
                f"Router does not know where {self.name} is. Set {self._setting} to its address."
            )
        headers = {"Authorization": bearer, "Content-Type": "application/json"}
        try:
            async with httpx.AsyncClient(
                base_url=self._url, timeout=seconds, trust_env=False, transport=self._transport
            ) as client:
                answer = await client.request(method, path, content=body, headers=headers)
                said = orjson.loads(answer.content) if answer.content else {}
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(
                f"{self._title} does not answer at {self._url} ({type(error).__name__}). "
                f"Start it, or mend {self._setting}."
            ) from error
        except orjson.JSONDecodeError as error:
            raise self.strange() from error
        if not isinstance(said, dict):
            raise self.strange()
        if answer.is_success:
            return said
        raise self._refusal(answer.status_code, said)

    def _refusal(self, status: int, said: Mapping[str, Any]) -> ProblemError:
        detail = str(said.get("detail") or said.get("title") or f"it answered {status}")
        if status == 422:
            faults = tuple((str(e["pointer"]), str(e["detail"])) for e in said.get("errors", ()))
            return invalid(faults or (("/text", detail),), detail)
        if status in (401, 403):
            return ProblemError(
                403, "forbidden", f"{self._title} refuses the key", f"{self._title} says: {detail}"
            )
        return self._unavailable(f"{self._title} at {self._url} cannot answer: {detail}")

    def strange(self) -> ProblemError:
        """What answered is not what it should be."""
        return self._unavailable(
            f"What answers at {self._url} is not {self.name} of this release; mend {self._setting}."
        )

    def _unavailable(self, why: str) -> ProblemError:
        return ProblemError(
            503,
            "unavailable",
            f"{self._title} cannot be asked just now",
            f"{why} Nothing was changed.",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )

    @property
    def _title(self) -> str:
        return self.name.capitalize()


class ScoringClient(Owner):
    """Scoring also says what it would make of feedback under other policies."""

    def __init__(self, url: str | None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__("scoring", SCORING_URL, url, transport)

    async def judge(
        self, texts: Mapping[str, str | None], feedback: Sequence[Mapping[str, Any]], bearer: str
    ) -> Sequence[Mapping[str, Any]]:
        if len(feedback) > MOST_ROWS:
            raise ValueError(f"scoring judges at most {MOST_ROWS} rows at once")
        if not feedback:
            return ()
        asked = {"severity": texts.get("severity"), "taxonomy": texts.get("taxonomy"), "feedback": feedback}
        body = await self.post("/v1/judge", asked, bearer, JUDGE_SECONDS)
        judged = body.get("judged")
        if not isinstance(judged, list) or len(judged) != len(feedback):
            raise self.strange()
        return judged


class Owners:
    """A Readers: each kind is asked of the service that reads it."""

    def __init__(self, scoring: Owner, ingest: Owner) -> None:
        self._by_kind = {
            **dict.fromkeys(SCORING_KINDS, scoring),
            **dict.fromkeys(INGEST_KINDS, ingest),
        }

    async def check(self, kind: str, text: str, bearer: str) -> Checked:
        return await self._by_kind[kind].check(kind, text, bearer)
