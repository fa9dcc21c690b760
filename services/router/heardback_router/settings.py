"""Settings of the router, from the environment, read once at start."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class RouterSettings(BaseSettings):
    """`HEARDBACK_ROUTER_…`"""

    model_config = SettingsConfigDict(env_prefix="HEARDBACK_ROUTER_", frozen=True, extra="ignore")

    port: int = Field(default=8703, ge=0, le=65535)
    policies: Path | None = None
    """A folder whose policy files (routing.yaml, grouping.yaml, …) take the place of those that come with
    heardback."""
    scoring_url: str | None = None
    """Where scoring answers HTTP: its policies are checked and tried there, and it knows the root causes."""
    ingest_url: str | None = None
    """Where ingest answers HTTP: the policies it reads are checked there."""
    batch_records: int = Field(default=500, ge=1, le=5000)
    """Events routed in one transaction at most."""
    timers_share: float = Field(default=0.3, gt=0, le=1)
    """How much of the time timers may take while many are due; routing has the rest."""
    shadow_days: int = Field(default=90, ge=1)
    """How long what candidate models made of feedback is kept."""
    message_days: int = Field(default=730, ge=366)
    """How long messages to customers are kept after their end, with what was decided about them and what the
    customer was given to read. Under its id a message that was forgotten could go out once more, so it is to
    be far longer than anything is handed in again; links in messages are good for 366 days at most."""
    touch_days: int = Field(default=400, ge=30)
    """How long it is kept when somebody was written to; caps look back a week."""
    max_body_bytes: int = Field(default=100_000, ge=1_000)
