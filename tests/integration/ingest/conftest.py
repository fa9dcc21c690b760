"""The ingest service, wired on a real database, without a broker."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from tests.integration.ingest.survey_house import House
from tests.support.clock import FakeClock

from heardback_ingest.main import Ingest, build
from heardback_ingest.settings import IngestSettings
from heardback_shared.access.store import ApiKeys
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.settings import ServiceSettings

SECRET = base64.b64encode(bytes(range(32))).decode()

Key = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service_settings() -> ServiceSettings:
    return ServiceSettings.model_validate({"secret_key": SECRET})


@pytest.fixture
def settings() -> IngestSettings:
    return IngestSettings()


@pytest.fixture
def ingest(
    database: Database, clock: FakeClock, settings: IngestSettings, service_settings: ServiceSettings
) -> Ingest:
    return build(settings, service_settings, database, clock, Metrics(), Readiness(running=True))


@pytest.fixture
async def http(ingest: Ingest) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(ingest.http, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        yield client


@pytest.fixture
def key(database: Database, service_settings: ServiceSettings, clock: FakeClock) -> Key:
    """Makes a key and gives the headers that carry it."""
    keys = ApiKeys(database, Keyring(service_settings.master_key), clock)

    async def make(*scopes: str, tenant: str = "default") -> dict[str, str]:
        _, spelled = await keys.create(tenant, "test", scopes or ("admin",))
        return {"Authorization": f"Bearer {spelled}"}

    return make


@pytest.fixture
async def house(http: httpx.AsyncClient, key: Key, ingest: Ingest, clock: FakeClock) -> House:
    made = House(http, await key(), ingest, clock)
    await made.know("c-1", "c-2")
    return made
