"""What must be there before the services start: the tables, the topics, and one admin key."""

from collections.abc import Mapping
from pathlib import Path

from heardback_shared.access.store import ApiKeys
from heardback_shared.clock import SystemClock
from heardback_shared.db.database import Database
from heardback_shared.db.migrate import migrate as bring_up_to_date
from heardback_shared.keyring import Keyring
from heardback_shared.settings import DatabaseSettings, KafkaSettings, ServiceSettings
from heardback_shared.stream.topics import create_topics

TENANT = "default"
_MARK = "admin-key.made"


async def migrate(database_url: str) -> None:
    """Brings the database to the newest schema. Does nothing where it is already there."""
    await bring_up_to_date(DatabaseSettings(url=database_url))


async def make_topics(bootstrap_servers: str) -> None:
    """Every topic of the contracts exists and can be used when this returns."""
    await create_topics(KafkaSettings(bootstrap_servers=bootstrap_servers, security_protocol="PLAINTEXT"))


async def admin_key_once(folder: Path, environment: Mapping[str, str]) -> str | None:
    """A key with every scope at the first start of this folder, None after that."""
    mark = folder / _MARK
    if mark.exists():
        return None
    key = await create_key(
        environment["HEARDBACK_DATABASE_URL"],
        environment["HEARDBACK_SECRET_KEY"],
        name="first admin",
        scopes=("admin",),
    )
    mark.write_text("The first admin key was made and shown once. More: heardback keys create\n")
    return key


async def create_key(database_url: str, secret_key: str, *, name: str, scopes: tuple[str, ...]) -> str:
    """A new API key of the default tenant, in plain text for the only time."""
    database = Database(DatabaseSettings(url=database_url))
    try:
        keyring = Keyring(ServiceSettings.model_validate({"secret_key": secret_key}).master_key)
        _, key = await ApiKeys(database, keyring, SystemClock()).create(TENANT, name, scopes)
        return key
    finally:
        await database.close()
