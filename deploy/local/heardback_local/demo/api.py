"""The calls of the story, over HTTP, as any client would make them."""

from typing import Any

import httpx

from heardback_local.failures import MendableError


class UnexpectedAnswerError(MendableError):
    """A service answered what the story cannot go on with."""


class Api:
    """One service with one key."""

    def __init__(self, base_url: str, key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def try_post(self, path: str, body: Any) -> httpx.Response:
        """Whatever the answer is."""
        return await self._client.post(path, json=body)

    async def post(
        self, path: str, body: Any = None, *, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        return _expect(await self._client.post(path, json=body, headers=headers))

    async def put(self, path: str, body: Any) -> dict[str, Any]:
        return _expect(await self._client.put(path, json=body))

    async def get(self, path: str, **params: str | int) -> dict[str, Any]:
        return _expect(await self._client.get(path, params=params))

    async def get_with_etag(self, path: str) -> tuple[dict[str, Any], str]:
        answer = await self._client.get(path)
        return _expect(answer), answer.headers.get("etag", "")


async def follow_link(url: str, body: Any = None) -> None:
    """As a customer does, who has no key: the link itself is the right to answer."""
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        _expect(await client.post(url, json=body))


async def open_page(url: str) -> str:
    """What a customer's browser is given."""
    async with httpx.AsyncClient(timeout=30, trust_env=False, follow_redirects=True) as client:
        answer = await client.get(url)
    return answer.text if answer.is_success else f"{answer.status_code}"


def _expect(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        request = answer.request
        raise UnexpectedAnswerError(
            f"{request.method} {request.url} answered {answer.status_code}: {answer.text[:800]}"
        )
    body: dict[str, Any] = answer.json() if answer.content else {}
    return body
