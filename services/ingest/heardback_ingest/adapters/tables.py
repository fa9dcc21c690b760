"""The tables of schema `ingest`, as far as bulk writes need their column types."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, Integer, LargeBinary, MetaData, Table, Text
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
survey_invitation = Table(
    "survey_invitation",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("customer_id", Text),
    Column("person_id", Text),
    Column("account_id", Text),
    Column("survey", Text),
    Column("type", Text),
    Column("channel", Text),
    Column("touchpoint", Text),
    Column("kind", Text),
    Column("state", Text),
    Column("late", Boolean),
    Column("reserved_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("seen_at", DateTime(timezone=True)),
    Column("answered_at", DateTime(timezone=True)),
    Column("last_at", DateTime(timezone=True)),
    Column("feedback_id", Text),
    Column("decision_id", Text),
    Column("policy", Text),
)
survey_decision = Table(
    "survey_decision",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("at", DateTime(timezone=True)),
    Column("act", Text),
    Column("customer_id", Text),
    Column("survey", Text),
    Column("channel", Text),
    Column("kind", Text),
    Column("allowed", Boolean),
    Column("answer", JSONB),
    Column("policy", Text),
    Column("digest", Text),
    Column("inputs", JSONB),
    Column("invitation_id", Text),
    Column("asked_by", Text),
)
