"""Settings every service shares. Environment variables, read once at start, validated as a whole."""

import base64
import binascii
from functools import cached_property
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HEARDBACK_DATABASE_", frozen=True)

    url: str
    """`postgresql+asyncpg://user:password@host/database`, or without `+asyncpg`."""
    pool_size: int = Field(default=10, ge=2)

    @field_validator("url")
    @classmethod
    def _asyncpg(cls, url: str) -> str:
        for scheme in ("postgresql://", "postgres://"):
            if url.startswith(scheme):
                return "postgresql+asyncpg://" + url.removeprefix(scheme)
        if not url.startswith("postgresql+asyncpg://"):
            raise ValueError("must be a postgresql:// URL")
        return url


class KafkaSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HEARDBACK_KAFKA_", frozen=True)

    bootstrap_servers: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: str | None = None
    ssl_certfile: str | None = None
    ssl_keyfile: str | None = None
    replication_factor: int = Field(default=1, ge=1)
    fetch_max_wait_ms: int = Field(default=100, ge=1)
    """How long the broker may hold a fetch. The embedded broker answers late: 10 there."""
    unhurried_fetch_max_wait_ms: int = Field(default=200, ge=1)
    """The same where nobody waits for the result: settling the ledger, collecting dead letters."""
    enable_idempotence: bool = False
    """Broker-side producer deduplication. Off by default: every effect is idempotent by event id anyway."""
    session_timeout_ms: int = Field(default=10_000, ge=1_000)
    rebalance_timeout_ms: int = Field(default=60_000, ge=5_000)
    max_poll_interval_ms: int = Field(default=300_000, ge=10_000)


class ServiceSettings(BaseSettings):
    """What every service process needs besides its own settings."""

    model_config = SettingsConfigDict(env_prefix="HEARDBACK_", frozen=True)

    host: str = "127.0.0.1"
    secret_key: SecretStr
    """Base64 of at least 32 random bytes. Every key is derived from it; losing it loses what is sealed."""
    drain_seconds: float = Field(default=20, gt=0)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    rate_limit_per_minute: int = Field(default=0, ge=0)
    """Requests per API key and minute, per process; 0 is unlimited."""

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        try:
            raw = base64.b64decode(value.get_secret_value(), validate=True)
        except binascii.Error as error:
            raise ValueError("must be base64") from error
        if len(raw) < 32:
            raise ValueError("must hold at least 32 bytes; make one with `openssl rand -base64 32`")
        return value

    @cached_property
    def master_key(self) -> bytes:
        return base64.b64decode(self.secret_key.get_secret_value())
