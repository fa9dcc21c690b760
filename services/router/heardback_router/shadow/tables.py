"""The table of shadow readings, as the migration makes it."""

from sqlalchemy import Boolean, Column, DateTime, Double, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from heardback_router.backlog.tables import metadata

SIDES = ("active", "candidate")

shadow_readings = Table(
    "shadow_reading",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("feedback_id", Text, primary_key=True),
    Column("active_sha256", Text, primary_key=True),
    Column("candidate_sha256", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("pass_number", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    *(
        Column(f"{side}_{name}", kind, nullable=name == "cause")
        for side in SIDES
        for name, kind in (
            ("name", Text),
            ("revision", Text),
            ("status", Text),
            ("label", Text),
            ("score", Double),
            ("abstained", Boolean),
            ("severity", Double),
            ("band", Text),
            ("cause", Text),
            ("cues", JSONB),
        )
    ),
)
