"""Tables of contacts, in schema `platform`, as far as bulk writes need their column types."""

from sqlalchemy import Boolean, Column, DateTime, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="platform")

wishes = Table(
    "contact_wish",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("provenance", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("value", JSONB),
    Column("owner", Text),
    Column("confirmed_at", DateTime(timezone=True)),
    Column("refresh_by", DateTime(timezone=True)),
)
consents = Table(
    "contact_consent",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("customer_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("scope", Text),
    Column("item_id", Text),
    Column("given", Boolean),
    Column("provenance", Text),
    Column("source", Text),
    Column("channel", Text),
    Column("text_version", Text),
    Column("proved", Boolean),
    Column("proof", LargeBinary),
    Column("recorded_by", Text),
    Column("at", DateTime(timezone=True)),
    Column("recorded_at", DateTime(timezone=True)),
)
touches = Table(
    "contact_touch",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("person_id", Text),
    Column("purpose", Text),
    Column("channel", Text),
    Column("automatic", Boolean),
    Column("at", DateTime(timezone=True)),
)
