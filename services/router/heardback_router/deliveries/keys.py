"""Signing keys of endpoints: made, sealed, replaced with an overlap, opened to sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.deliveries.endpoint import Signature
from heardback_router.deliveries.ports import Endpoints, NewKey
from heardback_router.deliveries.seal import SecretSeal
from heardback_router.deliveries.signing import new_private_key, new_secret, public_key
from heardback_shared.ids import new_id

OLD_KEY_HOURS = 24
Kind = Literal["v1", "v1a"]


@dataclass(frozen=True, slots=True)
class Issued:
    """`secret` is shown this once; the public key can be read at any time. Keys that were replaced sign too
    until `old_valid_until`."""

    secret: str | None
    public_key: str | None
    old_valid_until: datetime


class Keys:
    def __init__(self, endpoints: Endpoints, seal: SecretSeal) -> None:
        self._endpoints = endpoints
        self._seal = seal

    async def issue(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        kinds: Sequence[Kind],
        at: datetime,
    ) -> Issued:
        """A new key of each kind. At most two of a kind are live."""
        until = at + timedelta(hours=OLD_KEY_HOURS)
        secret = new_secret() if "v1" in kinds else None
        private = new_private_key() if "v1a" in kinds else None
        public = public_key(private) if private else None
        for key, shown in ((secret, None), (private, public)):
            if key is not None:
                key_id = new_id("sec")
                sealed = NewKey(key_id, self._seal.close(tenant_id, endpoint_id, key_id, key), shown)
                await self._endpoints.put_key(connection, tenant_id, endpoint_id, sealed, at, until)
        return Issued(secret, public, until)

    async def change(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        endpoint_id: str,
        signature: Signature,
        at: datetime,
    ) -> Issued:
        """Makes what this way of signing lacks; what it no longer needs signs for a day more."""
        live = await self._endpoints.live_keys(connection, tenant_id, endpoint_id, at)
        current = {"v1" if k.public_key is None else "v1a" for k in live if k.valid_until is None}
        wanted = kinds_of(signature)
        until = at + timedelta(hours=OLD_KEY_HOURS)
        for kind in current - set(wanted):
            await self._endpoints.end_keys(connection, tenant_id, endpoint_id, kind, until)
        missing: list[Kind] = [kind for kind in wanted if kind not in current]
        return await self.issue(connection, tenant_id, endpoint_id, missing, at)

    async def signing(
        self, connection: AsyncConnection, tenant_id: str, endpoint_id: str, at: datetime
    ) -> list[str]:
        """The live keys in the clear, newest first. Raises SealBrokenError."""
        live = await self._endpoints.live_keys(connection, tenant_id, endpoint_id, at)
        return [self._seal.open(tenant_id, endpoint_id, key.id, key.sealed) for key in live]


def kinds_of(signature: Signature) -> tuple[Kind, ...]:
    return ("v1", "v1a") if signature == "both" else (signature,)
