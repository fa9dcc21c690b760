"""The table of corrections, as the migration makes it."""

from sqlalchemy import Boolean, Column, DateTime, Double, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_router.backlog.tables import JsonText, metadata

corrections = Table(
    "correction",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("in_force", Boolean, nullable=False),
    Column("right_causes", JSONB),
    Column("wrong_causes", JSONB, nullable=False),
    Column("sentiment", Text),
    Column("severity", Double),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("ended_by", Text),
    Column("said", JSONB, nullable=False),
    Column("machine", JsonText, nullable=False),
    Column("embedding", LargeBinary),
    Column("embedding_model", Text),
)
"""`machine` is the score as the machine last made it, without the correction; `embedding` that of the
feedback when it was corrected. At most one row of a feedback is `in_force`."""
