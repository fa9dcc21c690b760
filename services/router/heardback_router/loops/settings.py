"""Settings of loops."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class LoopSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HEARDBACK_ROUTER_", frozen=True, extra="ignore")

    public_url: str = "http://127.0.0.1:8703"
    """Where customers reach this service: the beginning of every link they are sent."""
    loop_link_days: float = Field(default=30, gt=0, le=366)
    """How long a customer may confirm or dispute."""

    page_per_minute: int = Field(default=60, ge=5)
    """Requests a minute by the links of one customer, per process."""

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or any(c in url for c in " ?#"):
            raise ValueError("must be an absolute http(s) URL without query or fragment")
        return url.rstrip("/")
