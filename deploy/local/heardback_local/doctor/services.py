"""The three services: does each answer that it is ready."""

import os

import httpx

from heardback_local.addresses import HOST, SERVICES, Ports
from heardback_local.doctor.findings import Finding


async def look_at_services() -> list[Finding]:
    """On this machine, at the ports of the environment. A service elsewhere is for its own probe to watch."""
    async with httpx.AsyncClient(timeout=3, trust_env=False) as client:
        return [await _look(client, name) for name in SERVICES]


async def _look(client: httpx.AsyncClient, name: str) -> Finding:
    port = os.environ.get(f"HEARDBACK_{name.upper()}_PORT", str(Ports().of(name)))
    url = f"http://{HOST}:{port}"
    try:
        answer = await client.get(f"{url}/readyz")
    except httpx.HTTPError:
        mend = f"heardback {name}, if it belongs on this machine"
        return Finding(name, "warn", f"does not answer at {url}", mend)
    if answer.status_code == httpx.codes.OK:
        return Finding(name, "ok", f"ready at {url}")
    return Finding(name, "fail", f"{url} says: {answer.text[:300]}", "see its log")
