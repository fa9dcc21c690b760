"""The tables of the customer master, as far as bulk writes need their column types."""

from sqlalchemy import BigInteger, Column, DateTime, Float, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_ingest.adapters.tables import metadata

customer = Table(
    "customer",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("fields", JSONB),
    Column("personal", LargeBinary),
    Column("class", JSONB),
    Column("updated_at", DateTime(timezone=True)),
)
class_change = Table(
    "class_change",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("record", JSONB),
)
external_id = Table(
    "external_id",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("customer_id", Text),
)
likeness = Table(
    "likeness",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("customer_id", Text, primary_key=True),
)
customer_source = Table(
    "customer_source",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("last_seen", DateTime(timezone=True)),
    Column("newest_at", DateTime(timezone=True)),
    Column("last_lag_seconds", Float(53)),
    Column("tellings", BigInteger),
    Column("late", BigInteger),
)
customer_event = Table(
    "customer_event",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("at", DateTime(timezone=True)),
)
