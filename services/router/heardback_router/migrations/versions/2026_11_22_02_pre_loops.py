"""Loops, webhook endpoints and deliveries."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_22_02"
down_revision = "router_2026_11_22_01"


def upgrade() -> None:
    execute_script("""
CREATE TABLE router.loop (
    tenant_id text NOT NULL,
    id text NOT NULL,
    item_id text NOT NULL,
    resolution_number integer NOT NULL,
    customer_id text,
    feedback_ids jsonb NOT NULL,
    message text,
    state text NOT NULL CHECK (state IN ('pending', 'told', 'failed', 'not_told', 'confirmed', 'disputed')),
    sequence integer NOT NULL,
    since timestamptz NOT NULL,
    reason text,
    opened_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX loop_item ON router.loop (tenant_id, item_id);
CREATE TABLE router.loop_event (
    tenant_id text NOT NULL,
    loop_id text NOT NULL,
    sequence integer NOT NULL,
    state text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text,
    PRIMARY KEY (tenant_id, loop_id, sequence)
);
CREATE TABLE router.loop_feedback (
    tenant_id text NOT NULL,
    feedback_id text NOT NULL,
    loop_id text NOT NULL,
    PRIMARY KEY (tenant_id, feedback_id, loop_id)
);
CREATE TABLE router.endpoint (
    tenant_id text NOT NULL,
    id text NOT NULL,
    url text NOT NULL,
    description text,
    event_types jsonb NOT NULL,
    enabled boolean NOT NULL,
    disabled_because text,
    throttled_until timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE router.endpoint_secret (
    tenant_id text NOT NULL,
    endpoint_id text NOT NULL,
    id text NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    valid_until timestamptz,
    PRIMARY KEY (tenant_id, endpoint_id, id)
);
CREATE TABLE router.delivery (
    tenant_id text NOT NULL,
    id text NOT NULL,
    endpoint_id text NOT NULL,
    loop_id text,
    event_type text NOT NULL,
    body bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL,
    claims integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    leased_until timestamptz,
    because text,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX delivery_due ON router.delivery (tenant_id, endpoint_id, next_attempt_at)
    WHERE state = 'pending';
CREATE INDEX delivery_loop ON router.delivery (tenant_id, loop_id);
CREATE INDEX delivery_newest ON router.delivery (tenant_id, created_at, id);
CREATE TABLE router.delivery_attempt (
    tenant_id text NOT NULL,
    delivery_id text NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL,
    status integer,
    response text NOT NULL,
    error text,
    duration_ms integer NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id, number)
);
""")
    secure_tables(
        "router",
        [
            "loop",
            "loop_event",
            "loop_feedback",
            "endpoint",
            "endpoint_secret",
            "delivery",
            "delivery_attempt",
        ],
    )
