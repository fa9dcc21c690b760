"""What-if runs and what each would change, as the migration makes them."""

from sqlalchemy import Column, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_router.backlog.tables import JsonText, metadata

what_ifs = Table(
    "what_if",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("base", JSONB, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("limit", Integer),
    Column("made_by", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("progress", JSONB, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("runner", Text),
    Column("lease_until", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("problem", Text),
    Column("report", JSONB),
    Column("report_digest", Text),
)
"""`base` is what was in force when it was asked for: kind → digest. `progress` is where it stands and what
was counted so far, so that any process can go on from there."""

changes = Table(
    "what_if_change",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("what_if_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("change", JsonText, nullable=False),
)
"""In the order of the run, from 1. Labels, figures and ids; nothing that a customer said."""
