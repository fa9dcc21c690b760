"""API keys in Postgres, verified with a short cache: a revoked key stops working within its lifetime."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Column, DateTime, LargeBinary, MetaData, Table, Text, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from heardback_shared.access.keys import PURPOSE, ApiKey, Principal, matches, new_secret, parse, spell
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring

CACHE_SECONDS = 5.0
CACHE_SIZE = 10_000

metadata = MetaData(schema="platform")
tenants = Table(
    "tenant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
api_keys = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hmac", LargeBinary, nullable=False),
    Column("scopes", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)


class ApiKeys:
    def __init__(self, database: Database, keyring: Keyring, clock: Clock) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock
        self._cache: dict[str, tuple[float, Principal]] = {}

    async def verify(self, token: str) -> Principal | None:
        """Who holds this key; None if it is malformed, unknown or revoked."""
        now = self._clock.now().timestamp()
        cached = self._cache.get(token)
        if cached and now - cached[0] < CACHE_SECONDS:
            return cached[1]
        parsed = parse(token)
        if parsed is None:
            return None
        async with self._database.worker() as connection:
            row = (
                (await connection.execute(select(api_keys).where(api_keys.c.id == parsed[0])))
                .mappings()
                .first()
            )
        if row is None or row["revoked_at"] is not None:
            return None
        if not matches(self._keyring, parsed[1], row["secret_hmac"]):
            return None
        principal = Principal(row["tenant_id"], row["id"], row["name"], frozenset(row["scopes"]))
        if len(self._cache) >= CACHE_SIZE:
            self._cache.clear()
        self._cache[token] = (now, principal)
        return principal

    async def create(self, tenant_id: str, name: str, scopes: Sequence[str]) -> tuple[ApiKey, str]:
        """The key's record, and the key itself, never to be shown again. Makes the tenant if it is new."""
        key_id, secret = new_secret()
        key = ApiKey(key_id, tenant_id, name, tuple(scopes), self._clock.now())
        async with self._database.worker() as connection:
            await connection.execute(
                insert(tenants).values(id=tenant_id, created_at=key.created_at).on_conflict_do_nothing()
            )
            await connection.execute(
                insert(api_keys).values(
                    id=key_id,
                    tenant_id=tenant_id,
                    name=name,
                    secret_hmac=self._keyring.digest(PURPOSE, secret),
                    scopes=list(scopes),
                    created_at=key.created_at,
                )
            )
        return key, spell(key_id, secret)

    async def list(self, tenant_id: str | None = None) -> list[ApiKey]:
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        if tenant_id is not None:
            query = query.where(api_keys.c.tenant_id == tenant_id)
        async with self._database.worker() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [
            ApiKey(r["id"], r["tenant_id"], r["name"], tuple(r["scopes"]), r["created_at"], r["revoked_at"])
            for r in rows
        ]

    async def revoke(self, key_id: str) -> bool:
        """False if there is no such key. Takes effect everywhere within CACHE_SECONDS."""
        async with self._database.worker() as connection:
            result = await connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=self._clock.now())
                .returning(api_keys.c.id)
            )
            found = result.first() is not None
        for token in [t for t, (_, p) in self._cache.items() if p.key_id == key_id]:
            del self._cache[token]
        return found


REVOCATION_DELAY = timedelta(seconds=CACHE_SECONDS)
