"""Tables of webhooks, in schema `router`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="router")

endpoints = Table(
    "endpoint",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", Text),
    Column("event_types", JSONB, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("disabled_because", Text),
    Column("throttled_until", DateTime(timezone=True)),
    Column("tiers", JSONB, nullable=False),
    Column("segments", JSONB, nullable=False),
    Column("regions", JSONB, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("signature", Text, nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("proven_at", DateTime(timezone=True)),
    Column("proof_method", Text),
    Column("proof_because", Text),
    Column("rate_per_minute", Integer),
    Column("disabled_by", Text),
    Column("held_since", DateTime(timezone=True)),
    Column("probe_at", DateTime(timezone=True)),
    Column("probes", Integer, nullable=False),
    Column("portal_generation", Integer, nullable=False),
    Column("circuit", Text, nullable=False),
    Column("circuit_until", DateTime(timezone=True)),
    Column("circuit_opened", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", DateTime(timezone=True)),
    Column("window_started", DateTime(timezone=True)),
    Column("window_made", Integer, nullable=False),
    Column("window_failed", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

secrets = Table(
    "endpoint_secret",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("endpoint_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    Column("public_key", Text),
)

deliveries = Table(
    "delivery",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("endpoint_id", Text, nullable=False),
    Column("message_id", Text),
    Column("event_type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claims", Integer, nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True)),
    Column("because", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("replay_id", Text),
    Column("erased_at", DateTime(timezone=True)),
)

attempts = Table(
    "delivery_attempt",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("delivery_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("response", Text, nullable=False),
    Column("error", Text),
    Column("duration_ms", Integer, nullable=False),
)

endpoint_events = Table(
    "endpoint_event",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("endpoint_id", Text, primary_key=True),
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("because", Text),
    Column("actor", Text, nullable=False),
)

replays = Table(
    "endpoint_replay",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("endpoint_id", Text, nullable=False),
    Column("which", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("matched", Integer, nullable=False),
    Column("queued", Integer, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

alert_addresses = Table(
    "alert_addresses",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("addresses", JSONB, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

alert_mails = Table(
    "alert_mail",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("endpoint_id", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("because", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
)
