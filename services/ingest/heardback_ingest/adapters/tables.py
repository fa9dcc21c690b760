"""The tables of schema `ingest`, as far as bulk writes need their column types."""

from sqlalchemy import BigInteger, Column, DateTime, Float, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_shared.db.outbox import outbox_table

metadata = MetaData(schema="ingest")

feedback = Table(
    "feedback",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("source", Text),
    Column("external_id", Text),
    Column("kind", Text),
    Column("customer_id", Text),
    Column("metric_value", Float(53)),
    Column("content_hmac", LargeBinary),
    Column("event", LargeBinary),
    Column("traceparent", Text),
    Column("accepted_at", DateTime(timezone=True)),
    Column("state", Text),
    Column("reason", Text),
    Column("sent_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
)
stage = Table(
    "stage",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("loop_id", Text),
    Column("state", Text),
    Column("reason", Text),
    Column("at", DateTime(timezone=True)),
)
item_change = Table(
    "item_change",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("change", Text),
    Column("state", Text),
    Column("team", Text),
    Column("at", DateTime(timezone=True)),
)
standing = Table(
    "standing",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("counter", BigInteger),
    Column("figures", JSONB),
    Column("at", DateTime(timezone=True)),
)
data_key = Table(
    "data_key",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("sealed_key", LargeBinary),
    Column("created_at", DateTime(timezone=True)),
)
original = Table(
    "original",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("subject", Text),
    Column("sealed", LargeBinary),
)
dead_letter = Table(
    "dead_letter",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("service", Text),
    Column("version", Text),
    Column("topic", Text),
    Column("partition", Integer),
    Column("record_offset", BigInteger),
    Column("record_key", LargeBinary),
    Column("headers", JSONB),
    Column("sealed_value", LargeBinary),
    Column("error", Text),
    Column("reason", Text),
    Column("attempts", Integer),
    Column("failed_at", DateTime(timezone=True)),
    Column("feedback_id", Text),
    Column("revision", Integer),
    Column("pass_number", Integer),
)
outbox = outbox_table(metadata)
