"""Tables of loops, in schema `router`."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="router")

loops = Table(
    "loop",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("resolution_number", Integer, nullable=False),
    Column("customer_id", Text),
    Column("feedback_ids", JSONB, nullable=False),
    Column("message", Text),
    Column("state", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("reason", Text),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
"""`state`, `sequence`, `since` and `reason` copy the fold of the loop's events."""

loop_events = Table(
    "loop_event",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("loop_id", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text),
)

loop_feedback = Table(
    "loop_feedback",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("loop_id", Text, primary_key=True),
)
