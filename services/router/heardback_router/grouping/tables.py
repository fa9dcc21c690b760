"""The tables of grouping. Embeddings are of pgvector's type halfvec and go in as bytes."""

from sqlalchemy import JSON, Boolean, Column, DateTime, Double, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_router.backlog.tables import metadata

open_feedback = Table(
    "open_feedback",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("entity", Text),
    Column("named", JSONB, nullable=False),
    Column("marks", JSONB, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("cause", Text),
    Column("model", Text),
    Column("dimension", Integer),
    Column("indexed", Boolean, nullable=False),
)
"""The feedback of unresolved items, as arrivals find it. It also has a column `embedding`."""

open_fingerprints = Table(
    "open_fingerprint",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("item_id", Text, nullable=False),
)

grouping_rules = Table(
    "grouping_rule",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("left_item", Text, nullable=False),
    Column("right_item", Text, nullable=False),
    Column("threshold", Double),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("sides", JSON, nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("ended_by", Text),
    Column("ended_because", Text),
)
"""What people decided; `sides` names the feedback that stands for each side. A rule that has ended stays."""

grouping_fingerprints = Table(
    "grouping_fingerprint",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("rule_id", Text, primary_key=True),
    Column("side", Text, primary_key=True),
)
