"""Settings of the ingest service. Environment variables with the prefix HEARDBACK_INGEST_."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HEARDBACK_INGEST_", frozen=True)

    port: int = Field(default=8701, ge=0, le=65_535)
    policies: Path | None = None
    """A folder whose files (surveys.yaml, classes.yaml) take the place of those that come with heardback."""

    router_url: str | None = None
    """Where router answers HTTP: suggested policies are proposed there as drafts."""

    # Sizes; beyond them a request is answered 413
    max_text_chars: int = Field(default=20_000, ge=1)
    """Of one comment or one turn."""
    max_turns: int = Field(default=500, ge=1)
    max_context_entries: int = Field(default=50, ge=0)
    max_context_value_chars: int = Field(default=1_000, ge=1)
    max_batch_rows: int = Field(default=1_000, ge=1)
    max_import_rows: int = Field(default=10_000, ge=1)
    """Of one part of an import of customers."""
    max_batch_bytes: int = Field(default=5_000_000, ge=1)
    max_event_bytes: int = Field(default=1_000_000, ge=1)
    """One event once accepted. Brokers refuse records much larger than this."""

    # Gathering of single posts
    gather_seconds: float = Field(default=0.003, ge=0)
    gather_rows: int = Field(default=200, ge=1)
    gather_waiting: int = Field(default=4_000, ge=1)
    """Posts that may wait at once; more are answered 503 with Retry-After."""
    gather_batches: int = Field(default=4, ge=1)
    """Batches written at the same time."""

    idempotency_hours: float = Field(default=24, gt=0)
    """How long an Idempotency-Key is remembered."""
    idempotency_lease_seconds: float = Field(default=30, gt=0)
    """After this a request that never answered (its process died) may be tried again with the same key."""

    kafka_door_tenant: str = Field(default="default", min_length=1)
    """The tenant of records on `feedback.submitted` that name none."""
    kafka_group: str = Field(default="heardback-ingest", min_length=1)

    # What is not settled in time is sent again
    redrive_after_seconds: float = Field(default=30, gt=0)
    """The first wait; it doubles with each time the same feedback is sent again."""
    redrive_limit: int = Field(default=8, ge=1)
    """After so many the feedback is dead, with its reason, and can be replayed."""
    redrive_outbox_limit: int = Field(default=2_000, ge=1)
    """Nothing is sent again while more than this waits in the outbox."""
    rescore_after_seconds: float = Field(default=300, gt=0)
    """A degraded score is asked for again after this, and later each time."""
    rescore_limit: int = Field(default=12, ge=0)
    sweep_seconds: float = Field(default=5, gt=0)
    gauge_seconds: float = Field(default=5, gt=0)

    survey_sweep_seconds: float = Field(default=30, gt=0)
    """How often places that ran out are given back to what counts messages; deciding does not wait for it."""
    survey_log_days: float = Field(default=400, gt=0)
    """How long it can be told why somebody was not asked."""
