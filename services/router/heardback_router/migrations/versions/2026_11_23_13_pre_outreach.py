"""Messages to customers on their way, what was decided about each and why, and what channels were given."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_23_13"
down_revision = "router_2026_11_23_12"


def upgrade() -> None:
    execute_script("""
CREATE TABLE router.message (
    tenant_id text NOT NULL,
    id text NOT NULL,
    customer_id text NOT NULL,
    step text NOT NULL,
    campaign_id text,
    draft jsonb NOT NULL,
    state text NOT NULL
        CHECK (state IN ('waiting', 'paused', 'handed', 'sent', 'failed', 'refused', 'cancelled')),
    sequence integer NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    tried jsonb NOT NULL,
    handover_id text,
    channel text,
    code text,
    reason text,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX message_due ON router.message (due_at) WHERE state = 'waiting';
CREATE INDEX message_customer ON router.message (tenant_id, customer_id, created_at, id);
CREATE INDEX message_newest ON router.message (tenant_id, created_at, id);
CREATE INDEX message_campaign ON router.message (tenant_id, campaign_id, state) WHERE campaign_id IS NOT NULL;
CREATE INDEX message_handover ON router.message (tenant_id, handover_id) WHERE handover_id IS NOT NULL;
CREATE TABLE router.message_event (
    tenant_id text NOT NULL,
    message_id text NOT NULL,
    sequence integer NOT NULL,
    state text NOT NULL,
    at timestamptz NOT NULL,
    due_at timestamptz,
    channel text,
    code text,
    reason text,
    basis jsonb NOT NULL,
    PRIMARY KEY (tenant_id, message_id, sequence)
);
CREATE TABLE router.message_loop (
    tenant_id text NOT NULL,
    loop_id text NOT NULL,
    message_id text NOT NULL,
    PRIMARY KEY (tenant_id, loop_id, message_id)
);
CREATE TABLE router.message_item (
    tenant_id text NOT NULL,
    item_id text NOT NULL,
    message_id text NOT NULL,
    PRIMARY KEY (tenant_id, item_id, message_id)
);
CREATE TABLE router.handover (
    tenant_id text NOT NULL,
    id text NOT NULL,
    customer_id text NOT NULL,
    touch_id text NOT NULL,
    channel text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'sent', 'failed')),
    content jsonb NOT NULL,
    because text,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE router.letter (
    tenant_id text NOT NULL,
    id text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    attempts integer NOT NULL,
    claims integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    leased_until timestamptz,
    code integer,
    because text,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX letter_due ON router.letter (next_attempt_at) WHERE state = 'pending';
CREATE TABLE router.details_fetch (
    tenant_id text NOT NULL,
    id text NOT NULL,
    handover_id text NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL,
    caller bytea NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX details_fetch_handover ON router.details_fetch (tenant_id, handover_id, at);
""")
    secure_tables(
        "router",
        [
            "message",
            "message_event",
            "message_loop",
            "message_item",
            "handover",
            "letter",
            "details_fetch",
        ],
    )
