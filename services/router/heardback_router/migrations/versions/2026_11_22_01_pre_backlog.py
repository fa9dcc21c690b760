"""Items with their event logs, the links to feedback, the inbox and the outbox."""

from alembic import op

from heardback_shared.db.migrate import execute_script, secure_tables
from heardback_shared.db.outbox import OUTBOX_DDL

revision = "router_2026_11_22_01"
down_revision = None


def upgrade() -> None:
    # No foreign key from a link to its item: both are written in one transaction and items are never deleted,
    # while the check, row by row under row-level security, takes nearly half of the time of the insert.
    execute_script("""
CREATE TABLE router.inbox (
    tenant_id text NOT NULL,
    event_id text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX inbox_by_age ON router.inbox USING brin (received_at);
CREATE TABLE router.item (
    tenant_id text NOT NULL,
    id text NOT NULL,
    title text NOT NULL,
    team text NOT NULL CHECK (team <> ''),
    assignee text,
    state text NOT NULL CHECK (state IN ('open', 'in_progress', 'resolved', 'closed')),
    severity double precision NOT NULL,
    band text NOT NULL,
    domain text,
    category text,
    matter_key text,
    entity text,
    feedback_count integer NOT NULL,
    customers jsonb NOT NULL,
    opened_at timestamptz NOT NULL,
    last_feedback_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version integer NOT NULL,
    touched boolean NOT NULL,
    resolution jsonb,
    resolutions integer NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX item_by_severity ON router.item (tenant_id, severity DESC, opened_at, id);
CREATE INDEX item_by_team ON router.item (tenant_id, team, severity DESC, opened_at, id);
CREATE INDEX item_by_matter ON router.item (tenant_id, matter_key)
    WHERE state IN ('open', 'in_progress') AND matter_key IS NOT NULL;
CREATE TABLE router.item_event (
    tenant_id text NOT NULL,
    item_id text NOT NULL,
    sequence integer NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    reason text,
    data json NOT NULL,
    PRIMARY KEY (tenant_id, item_id, sequence)
);
CREATE TABLE router.item_feedback (
    tenant_id text NOT NULL,
    feedback_id text NOT NULL,
    item_id text NOT NULL,
    customer_id text,
    channel text,
    revision integer NOT NULL,
    pass_number integer NOT NULL,
    severity double precision NOT NULL,
    band text NOT NULL,
    joined_because text NOT NULL,
    accepted_at timestamptz NOT NULL,
    scored_at timestamptz NOT NULL,
    routed_at timestamptz NOT NULL,
    content json NOT NULL,
    score json NOT NULL,
    decision json NOT NULL,
    words text NOT NULL,
    search tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED,
    PRIMARY KEY (tenant_id, feedback_id)
) WITH (toast_tuple_target = 8160);
CREATE INDEX item_feedback_by_item ON router.item_feedback (tenant_id, item_id);
CREATE INDEX item_feedback_by_customer ON router.item_feedback (tenant_id, customer_id)
    WHERE customer_id IS NOT NULL;
""")
    # Documents of a few kB each: lz4 takes a fraction of the time of the default, where the server has it.
    op.execute("""
        DO $$ BEGIN
          ALTER TABLE router.item_feedback
            ALTER COLUMN content SET COMPRESSION lz4,
            ALTER COLUMN score SET COMPRESSION lz4,
            ALTER COLUMN decision SET COMPRESSION lz4;
        EXCEPTION WHEN feature_not_supported THEN NULL;
        END $$
    """)
    execute_script(OUTBOX_DDL.format(schema="router") + ";\n")
    secure_tables("router", ["inbox", "item", "item_event", "item_feedback", "outbox"])
