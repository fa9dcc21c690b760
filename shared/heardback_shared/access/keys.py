"""API keys: `hb_<key id>_<secret>`. Only an HMAC of the secret is stored; the key is shown once."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from heardback_shared.keyring import Keyring

SCOPES = (
    "feedback:write",
    "feedback:read",
    "customers:read",
    "customers:write",
    "surveys:write",
    "score:write",
    "items:read",
    "items:write",
    "endpoints:write",
    "policies:read",
    "policies:write",
    "policies:approve",
    "admin",
)
PURPOSE = "api-keys"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, by key. `admin` includes every other scope within the tenant."""

    tenant_id: str
    key_id: str
    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    tenant_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None


def new_secret() -> tuple[str, str]:
    """(key id, secret), neither containing an underscore."""
    return secrets.token_hex(8), secrets.token_hex(24)


def spell(key_id: str, secret: str) -> str:
    return f"hb_{key_id}_{secret}"


def parse(token: str) -> tuple[str, str] | None:
    """(key id, secret) of a well-formed key."""
    parts = token.split("_")
    if len(parts) != 3 or parts[0] != "hb" or not parts[1] or not parts[2]:
        return None
    return parts[1], parts[2]


def matches(keyring: Keyring, secret: str, stored: bytes) -> bool:
    return hmac.compare_digest(keyring.digest(PURPOSE, secret), stored)
