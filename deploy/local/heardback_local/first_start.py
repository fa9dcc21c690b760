"""What must be there before the services start: the tables, the topics, and one admin key."""

from collections.abc import Mapping
from pathlib import Path

TENANT = "default"
_MARK = "admin-key.made"


async def migrate(database_url: str) -> None:
    """Brings the database to the newest schema. Does nothing where it is already there."""
    from heardback_shared.migrate import migrate as run

    await run(database_url)


async def make_topics(bootstrap_servers: str) -> None:
    """Every topic of the contracts exists and can be used when this returns."""
    from heardback_shared.settings import KafkaSettings
    from heardback_shared.stream.topics import create_topics

    await create_topics(KafkaSettings(bootstrap_servers=bootstrap_servers))


async def admin_key_once(folder: Path, environment: Mapping[str, str]) -> str | None:
    """A key with every scope at the first start of this folder, None after that."""
    mark = folder / _MARK
    if mark.exists():
        return None
    key = await create_key(environment, name="first admin", scopes=("admin",))
    mark.write_text("The first admin key was made; it was shown once. More: heardback keys create\n")
    return key


async def create_key(environment: Mapping[str, str], *, name: str, scopes: tuple[str, ...]) -> str:
    """A new API key of the default tenant, in plain text for the only time."""
    raise NotImplementedError
