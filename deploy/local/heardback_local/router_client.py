"""Router as commands talk to it: one key, one problem in plain words where it refuses."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from heardback_local.failures import MendableError
from heardback_local.target import NoTargetError, adopt, router_url


class RefusedError(MendableError):
    """Router did not do it. The message is its own, with every fault."""


class RouterClient:
    """Router's API with one key: that named by the environment, or the embedded one of a data folder."""

    def __init__(self, key: str, folder: Path) -> None:
        if not (os.environ.get("HEARDBACK_ROUTER_URL") or os.environ.get("HEARDBACK_ROUTER_PORT")):
            adopt(folder)
        self._url = router_url()
        self._headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str) -> dict[str, Any]:
        return self._call("GET", path, None)

    def post(self, path: str, body: Any, *, version: int | None = None) -> dict[str, Any]:
        """`version` is what the caller has seen of what the deed is about."""
        return self._call("POST", path, body, {} if version is None else {"If-Match": f'"{version}"'})

    def _call(
        self, method: str, path: str, body: Any, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            answer = httpx.request(
                method,
                self._url + path,
                json=body,
                headers={**self._headers, **(headers or {})},
                timeout=120,
                trust_env=False,
            )
        except httpx.TransportError as error:
            where = f"router does not answer at {self._url} ({error}); set HEARDBACK_ROUTER_URL"
            raise NoTargetError(where) from error
        said: dict[str, Any] = answer.json() if answer.content else {}
        if answer.is_error:
            faults = [f"{e['pointer']} {e['detail']}" for e in said.get("errors", ())]
            told = said.get("detail") or said.get("title") or answer.text
            raise RefusedError("; ".join([f"{answer.status_code}: {told}", *faults]))
        return said
