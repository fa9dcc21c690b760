"""`heardback keys`: API keys of a tenant."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from heardback_local.cli_options import DataDir
from heardback_local.target import DEFAULT_FOLDER, adopt
from heardback_shared.access.keys import SCOPES, ApiKey
from heardback_shared.access.store import ApiKeys
from heardback_shared.clock import SystemClock
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.settings import DatabaseSettings, ServiceSettings

app = typer.Typer(help="API keys: make, list, revoke.", no_args_is_help=True)
Answer = TypeVar("Answer")
Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
KeyId = Annotated[str, typer.Argument(help="The id, as `keys list` shows it.")]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What it is for; shown in lists and histories.")],
    scope: Annotated[list[str], typer.Option(help=f"May be given several times: {', '.join(SCOPES)}.")],
    tenant: Annotated[str, typer.Option(help="Whose data it opens; made if new.")] = "default",
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Makes a key and prints it. It cannot be shown again."""
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        known = ", ".join(SCOPES)
        raise typer.BadParameter(f"unknown: {', '.join(unknown)}. Known: {known}", param_hint="--scope")
    adopt(data_dir)
    record, key = _with_keys(lambda keys: keys.create(tenant, name, scope))
    Console(stderr=True).print(f"Key {record.id} of tenant {tenant}. It is shown this once:")
    typer.echo(key)


@app.command("list")
def list_keys(
    tenant: Tenant = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Every key, without its secret."""
    adopt(data_dir)
    table = Table(Column("id", no_wrap=True), "tenant", "name", "scopes", "made", "revoked")
    for key in _with_keys(lambda keys: keys.list(tenant)):
        table.add_row(*_row(key))
    Console().print(table)


@app.command()
def revoke(
    key_id: KeyId,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Ends a key for good; every service refuses it within seconds."""
    adopt(data_dir)
    if not _with_keys(lambda keys: keys.revoke(key_id)):
        typer.echo(f"there is no live key {key_id}; `heardback keys list` shows all", err=True)
        raise typer.Exit(1)
    typer.echo(f"revoked {key_id}")


def _row(key: ApiKey) -> tuple[str, ...]:
    ended = key.revoked_at.isoformat(timespec="seconds") if key.revoked_at else ""
    made = key.created_at.isoformat(timespec="seconds")
    return key.id, key.tenant_id, key.name, ", ".join(key.scopes), made, ended


def _with_keys(use: Callable[[ApiKeys], Awaitable[Answer]]) -> Answer:
    async def work() -> Answer:
        database = Database(DatabaseSettings())
        try:
            keyring = Keyring(ServiceSettings().master_key)
            return await use(ApiKeys(database, keyring, SystemClock()))
        finally:
            await database.close()

    return asyncio.run(work())
