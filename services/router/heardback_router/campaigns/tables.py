"""Tables of change records and campaigns, in schema `router`."""

from sqlalchemy import Column, Date, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="router")

changes = Table(
    "change",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("result", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("tell", Text, nullable=False),
    Column("translations", JSONB, nullable=False),
    Column("on_date", Date, nullable=False),
    Column("reference", Text),
    Column("item_ids", JSONB, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("reviewed_by", Text),
    Column("reviewed_at", DateTime(timezone=True)),
)
"""The table itself refuses a reviewer who recorded it."""

change_items = Table(
    "change_item",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("change_id", Text, primary_key=True),
)
"""Finds the changes of an item."""

campaigns = Table(
    "campaign",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("picked", JSONB, nullable=False),
    Column("item_ids", JSONB, nullable=False),
    Column("change_ids", JSONB, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("submitted_by", Text),
    Column("submitted_at", DateTime(timezone=True)),
    Column("approved_by", Text),
    Column("approved_at", DateTime(timezone=True)),
    Column("decision", JSONB(none_as_null=True)),
    Column("recipients", Integer, nullable=False),
    Column("fed", Integer, nullable=False),
    Column("paused_at", DateTime(timezone=True)),
    Column("paused_seconds", Integer, nullable=False),
    Column("ended_at", DateTime(timezone=True)),
)
"""`picked` is how its items were chosen, `item_ids` what that came to when it was made. `recipients` counts
the rows of campaign_recipient with a number, `fed` how many of those have been handed on. `decision` is what
the approval rests on."""

campaign_events = Table(
    "campaign_event",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("campaign_id", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("reason", Text),
)

campaign_recipients = Table(
    "campaign_recipient",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("campaign_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("number", Integer),
    Column("customer_id", Text),
    Column("stakes", JSONB, nullable=False),
    Column("change_ids", JSONB, nullable=False),
    Column("left_out", JSONB, nullable=False),
    Column("code", Text),
    Column("because", Text),
    Column("message_id", Text),
)
"""Everybody a campaign concerns, as it was when it was approved. Without `number` they are not told, and
`code` and `because` say why. `stakes` are items with their loops and feedback; `left_out` those items of the
person that the message leaves out, with why."""

change_told = Table(
    "change_told",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("change_id", Text, primary_key=True),
    Column("person_id", Text, primary_key=True),
    Column("message_id", Text, nullable=False),
)
"""The key keeps anybody from being told one change by two campaigns."""
