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

    @model_validator(mode="after")
    def _lease_outlives_attempt(self) -> Self:
        if self.lease_seconds < self.timeout_seconds * 2:
            raise ValueError("lease_seconds must be at least twice timeout_seconds")
        return self

    @property
    def url_rules(self) -> UrlRules:
        return UrlRules(ports=frozenset(self.ports), allow_loopback=self.allow_loopback)
