"""Who works for which team, what each tier has coming, and what was given out from what."""

from sqlalchemy import JSON, Column, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_router.backlog.tables import metadata

members = Table(
    "team_member",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("cap", Integer),
    Column("tiers", JSONB, nullable=False),
    Column("skills", JSONB, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("away_until", DateTime(timezone=True)),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", Text, nullable=False),
)

turns = Table(
    "team_turns",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("owed", JSONB, nullable=False),
)
"""Locked by whoever gives out a team's queue, so that no two do so at once."""

allocations = Table(
    "allocation",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("outcome", JSON, nullable=False),
)
