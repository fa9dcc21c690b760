"""The inbox: which events have had their effect."""

from sqlalchemy import Column, DateTime, Table, Text

from heardback_router.backlog.tables import metadata

inbox = Table(
    "inbox",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
)
