"""The tables of policies' versions and of what was done to them, as the migration makes them."""

from sqlalchemy import Boolean, Column, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_router.backlog.tables import metadata

versions = Table(
    "policy_version",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("authors", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("edited_at", DateTime(timezone=True), nullable=False),
    Column("edition", Integer, nullable=False),
    Column("approved", Boolean),
    Column("reviewer", Text),
    Column("review_words", Text),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("activated_by", Text),
    Column("activated_at", DateTime(timezone=True)),
    Column("activated_because", Text),
    Column("apply_to", Text),
    Column("what_if", Text),
    Column("replaced", Integer),
)
"""At most one version of a kind is active; nobody reviews what they wrote: the table itself refuses it."""

deeds = Table(
    "policy_deed",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("number", Integer),
    Column("deed", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("words", Text),
    Column("data", JSONB, nullable=False),
    Column("to_apply", Boolean, nullable=False),
)
"""Added to only. `number` is None where the deployment's own came in force again. `to_apply`: what came in
force is to count for open items too, and does not for all of them yet."""
