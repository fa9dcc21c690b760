"""The tables of the backlog and of its announcements, as the migrations make them."""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

from heardback_shared.db.outbox import outbox_table

metadata = MetaData(schema="router")


class JsonText(UserDefinedType[str]):
    """json written from, and read as, JSON text: serialised once, passed through, kept byte for byte."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "JSON"


items = Table(
    "item",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("assignee", Text),
    Column("state", Text, nullable=False),
    Column("severity", Double, nullable=False),
    Column("band", Text, nullable=False),
    Column("domain", Text),
    Column("category", Text),
    Column("matter_key", Text),
    Column("entity", Text),
    Column("feedback_count", Integer, nullable=False),
    Column("customers", JSONB, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("last_feedback_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("version", Integer, nullable=False),
    Column("touched", Boolean, nullable=False),
    Column("resolution", JSONB),
    Column("resolutions", Integer, nullable=False),
    Column("worst_severity", Double, nullable=False),
    Column("worst_band", Text, nullable=False),
    Column("contributions", JSONB, nullable=False),
    Column("arrivals", JSONB, nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("parent_id", Text),
    Column("case_id", Text),
    Column("merged_into", Text),
    Column("assigned_by", Text),
    Column("waiting_for", Text),
    Column("responded_at", DateTime(timezone=True)),
    Column("sla", Text),
    Column("flag", Text),
    Column("tier", Text),
    Column("owner", Text),
    Column("children", JSONB, nullable=False),
    Column("request", Text),
    Column("criterion", JSONB),
    Column("promises", JSONB),
    Column("steps", JSONB),
    Column("timer_at", DateTime(timezone=True)),
    Column("clocks", JSONB, nullable=False),
    Column("due_at", DateTime(timezone=True)),
)
"""`timer_at`: from then on somebody must look at the item's clocks again; at once after every change.
`due_at`: when the next of its running clocks runs out, as of the last look. `criterion`, `promises` and
`steps` are NULL where there are none."""

item_events = Table(
    "item_event",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("reason", Text),
    Column("data", JSON, nullable=False),
)

links = Table(
    "item_feedback",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("channel", Text),
    Column("revision", Integer, nullable=False),
    Column("pass_number", Integer, nullable=False),
    Column("severity", Double, nullable=False),
    Column("band", Text, nullable=False),
    Column("joined_because", Text, nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Column("scored_at", DateTime(timezone=True), nullable=False),
    Column("routed_at", DateTime(timezone=True), nullable=False),
    Column("content", JsonText, nullable=False),
    Column("customer", JsonText),
    Column("embedding", LargeBinary),
    Column("embedding_model", Text),
    Column("score", JsonText, nullable=False),
    Column("decision", JSON, nullable=False),
    Column("words", Text, nullable=False),
)
"""`customer` is the snapshot the score was made with; `embedding` little-endian float16 values, as the model
of that name gave them. `words` is what the customer said, redacted, and so holds every title; `search` is
generated from it."""

outbox = outbox_table(metadata)
