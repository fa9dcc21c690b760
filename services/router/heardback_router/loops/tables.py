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
    Column("customer_id", Text),
    Column("round", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("code", Text),
    Column("reason", Text),
    Column("result", Text),
    Column("message", Text),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("merged_into", Text),
)
"""`round`, `state`, `sequence`, `since`, `code` and `reason` copy the fold of the loop's events. A loop that
is merged into another is only found through its links."""

loop_events = Table(
    "loop_event",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("loop_id", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("code", Text),
    Column("reason", Text),
)

loop_feedback = Table(
    "loop_feedback",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("loop_id", Text, nullable=False),
)

tellings = Table(
    "telling",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("loop_id", Text, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("step", Text, nullable=False),
    Column("occasion", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("inputs", JSONB, nullable=False),
    Column("review_id", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""Why each step was told to whom, or was not: enough to decide it again."""

reviews = Table(
    "review",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("occasion", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("author", Text, nullable=False),
    Column("drafts", JSONB, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("sends_at", DateTime(timezone=True)),
    Column("decided_by", Text),
    Column("decided_at", DateTime(timezone=True)),
    Column("reason", Text),
)

review_texts = Table(
    "review_text",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("review_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("text", Text),
    Column("author", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

contests = Table(
    "contest",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("loop_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("comment", Text),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("answered_by", Text),
    Column("answered_at", DateTime(timezone=True)),
    Column("answer", Text),
    Column("outcome", Text),
)
