"""Row-level security, keys and bulk writes on a real PostgreSQL."""

import pytest
from sqlalchemy import Column, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from tests.support.clock import NOON, FakeClock

from heardback_shared.access.store import ApiKeys
from heardback_shared.db.bulk import MANY, insert_rows
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.migrate import migrate, pending
from heardback_shared.keyring import Keyring
from heardback_shared.settings import DatabaseSettings

KEYRING = Keyring(b"k" * 32)
NOTES = Table(
    "note", MetaData(schema="platform"), Column("tenant_id", Text), Column("id", Text), Column("body", JSONB)
)
COUNT = text("SELECT count(*) FROM platform.api_key")


async def test_a_tenant_sees_and_writes_only_its_own_rows(database: Database) -> None:
    keys = ApiKeys(database, KEYRING, FakeClock())
    for tenant in ("a", "b", "b"):
        await keys.create(tenant, "k", ["items:read"])
    async with database.tenant("a") as connection:
        assert await connection.scalar(COUNT) == 1
    async with database.tenant("b") as connection:
        assert await connection.scalar(COUNT) == 2
        changed = await connection.execute(
            text("UPDATE platform.api_key SET name = 'x' WHERE tenant_id = 'a'")
        )
        assert changed.rowcount == 0
    async with database.worker() as connection:
        assert await connection.scalar(COUNT) == 3


async def test_a_row_for_another_tenant_is_refused(database: Database) -> None:
    async def smuggle() -> None:
        async with database.tenant("default") as connection:
            await connection.execute(
                text(
                    "INSERT INTO platform.api_key "
                    "VALUES ('x', 'other', 'n', ''::bytea, '[]'::jsonb, now(), null)"
                )
            )

    with pytest.raises(DBAPIError, match="row-level security"):
        await smuggle()


async def test_a_connection_given_back_forgets_its_tenant(database: Database) -> None:
    async with database.tenant("a"):
        pass
    async with database.engine.connect() as connection:
        assert not await connection.scalar(text("SELECT current_setting('heardback.tenant_id', true)"))
        assert await connection.scalar(text("SELECT current_user")) == "postgres"


async def test_keys_are_found_revoked_and_never_stored_in_clear(database: Database) -> None:
    clock = FakeClock()
    keys = ApiKeys(database, KEYRING, clock)
    key, token = await keys.create("default", "platform", ["feedback:write"])
    holder = await keys.verify(token)
    assert holder is not None
    assert (holder.tenant_id, holder.scopes) == ("default", frozenset({"feedback:write"}))
    assert await keys.verify(token[:-1] + ("0" if token[-1] != "0" else "1")) is None
    async with database.worker() as connection:
        stored = (
            await connection.execute(text("SELECT api_key::text AS t FROM platform.api_key"))
        ).scalar_one()
    assert token.split("_")[2] not in stored
    assert await keys.revoke(key.id)
    assert not await keys.revoke(key.id)
    assert await keys.verify(token) is None
    other = ApiKeys(database, KEYRING, clock)
    assert await other.verify(token) is None
    [listed] = await keys.list("default")
    assert listed.revoked_at == NOON


async def test_bulk_rows_keep_nulls_json_and_order_and_say_what_was_new(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(
            text("CREATE TABLE platform.note (tenant_id text, id text UNIQUE, body jsonb)")
        )
        rows = [
            {"tenant_id": "a", "id": str(n), "body": {"n": n, "quote": 'it\'s "so"'} if n else None}
            for n in range(3)
        ]
        first = await insert_rows(connection, NOTES, rows[:2], returning=("id",))
        again = await insert_rows(
            connection, NOTES, rows, on_conflict="ON CONFLICT DO NOTHING", returning=("id",)
        )
        body = await connection.scalar(text("SELECT body FROM platform.note WHERE id = '1'"))
    assert [r.id for r in first] == ["0", "1"]
    assert [r.id for r in again] == ["2"]
    assert body == {"n": 1, "quote": 'it\'s "so"'}


async def test_bulk_rows_that_say_much_the_same_are_all_stored(database: Database) -> None:
    same = {"tenant_id": "a", "id": None, "body": None}
    many = [{"tenant_id": "a", "id": str(n), "body": {"n": n}} for n in range(MANY)]
    async with database.engine.begin() as connection:
        await connection.execute(
            text("CREATE TABLE platform.note (tenant_id text, id text UNIQUE, body jsonb)")
        )
        await insert_rows(connection, NOTES, many)
        stored = await insert_rows(connection, NOTES, [same] * MANY, returning=("id",))
        rows = await connection.execute(text("SELECT tenant_id, id, body FROM platform.note"))
        kept = [row._asdict() for row in rows]
    assert len(stored) == MANY
    assert kept == [*many, *[same] * MANY]


async def test_migrating_again_changes_nothing(database_settings: DatabaseSettings) -> None:
    first = await migrate(database_settings)
    assert first == await migrate(database_settings)
    assert await pending(database_settings) == {}


async def test_a_broken_statement_is_not_an_outage_and_a_lost_connection_is(database: Database) -> None:
    with pytest.raises(DBAPIError) as wrong:
        async with database.worker() as connection:
            await connection.execute(text("SELECT nonsense"))
    assert not is_unavailable(wrong.value)
    with pytest.raises(DBAPIError) as lost:
        async with database.engine.begin() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_unavailable(lost.value)
