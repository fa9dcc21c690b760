"""Tables of customers' standing, in schema `router`."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_router.backlog.tables import metadata

changes = Table(
    "standing_change",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("customer_id", Text),
)
standings = Table(
    "standing",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("figures", JSONB, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""What was announced last. `counter` grows by one with every announcement."""
