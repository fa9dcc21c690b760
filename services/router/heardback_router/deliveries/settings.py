"""Settings of outgoing webhooks."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from heardback_router.deliveries.addresses import UrlRules


class WebhookSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HEARDBACK_WEBHOOK_", frozen=True)

    allow_loopback: bool = False
    """Lets endpoints on this machine through (http, any port). For trying things out; never in production."""
    ports: tuple[int, ...] = (443, 8443)
    """Ports an endpoint may have, as a JSON list."""
    timeout_seconds: float = Field(default=15, gt=0, le=30)
    """For one attempt as a whole: resolving, connecting, sending, reading the answer."""
    concurrency: int = Field(default=32, ge=1)
    """Attempts in flight per process."""
    concurrency_per_endpoint: int = Field(default=4, ge=1)
    lease_seconds: float = Field(default=60, gt=0)
    """How long a claimed delivery stays with its process; after a crash it is free again then."""
    poll_seconds: float = Field(default=0.25, gt=0)
    endpoints_per_tenant: int = Field(default=50, ge=1)
    origin: str | None = Field(default=None, pattern=r"^[a-z0-9]([a-z0-9.\-]{0,251}[a-z0-9])?$")
    """The DNS name we call ourselves by in a handshake; the host of the public URL, if not set."""
    proxy: str | None = None
    """`http://host:port` (with `user:password@` if it wants them) of a proxy that every request goes through
    by CONNECT. It is given the address that was checked here, never the name."""
    hold_hours: float = Field(default=24, gt=0)
    """How long deliveries wait for an endpoint that is disabled by hand or unproven before they fail."""
    care_seconds: float = Field(default=5, gt=0)
    """How often it is looked whether a disabled endpoint is due for a ping, or people for an e-mail."""
    replay_limit: int = Field(default=5_000, ge=1, le=50_000)
    """Deliveries that one replay sends again at most."""
    log_days: int = Field(default=90, ge=10)
    """How long deliveries are kept after their end, and can be sent again."""
    portal_per_minute: int = Field(default=120, ge=5)
    """Requests a minute by the portal links of one endpoint, per process."""
    portal_hours: float = Field(default=168, gt=0, le=2_160)
    """How long a portal link is good for at most."""

    @model_validator(mode="after")
    def _lease_outlives_attempt(self) -> Self:
        if self.lease_seconds < self.timeout_seconds * 2:
            raise ValueError("lease_seconds must be at least twice timeout_seconds")
        return self

    @property
    def url_rules(self) -> UrlRules:
        return UrlRules(ports=frozenset(self.ports), allow_loopback=self.allow_loopback)
