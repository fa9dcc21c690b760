"""Tables of messages on their way, in schema `router`."""

from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="router")

messages = Table(
    "message",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("campaign_id", Text),
    Column("draft", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True)),
    Column("tried", JSONB, nullable=False),
    Column("if_returned", Text),
    Column("handover_id", Text),
    Column("channel", Text),
    Column("code", Text),
    Column("reason", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)
"""`state`, `sequence`, `code`, `reason` and `changed_at` copy the last of its events; `tried` are channels
that could not take it. `if_returned` is what becomes of it if the channel that has it gives it back:
`cancelled` where it was taken back meanwhile, `paused` where its campaign was paused."""

events = Table(
    "message_event",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("channel", Text),
    Column("code", Text),
    Column("reason", Text),
    Column("basis", JSONB, nullable=False),
)
"""`basis` is what the decision was made from, so that it can be made again."""

of_loops = Table(
    "message_loop",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("loop_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
)

of_items = Table(
    "message_item",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
)

handovers = Table(
    "handover",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("touch_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("because", Text),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
)
"""One message, or several as a digest, given to one channel. `content` is what the customer reads."""

letters = Table(
    "letter",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claims", Integer, nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True)),
    Column("code", Integer),
    Column("because", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
)
"""A hand-over by e-mail, under the hand-over's id. The address is not kept here."""

fetches = Table(
    "details_fetch",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("handover_id", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("caller", LargeBinary, nullable=False),
)
"""Every read of a message behind its link; `caller` is a keyed hash of the network address."""
