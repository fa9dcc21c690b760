"""Endpoints that are proven, filtered, spared when they fail, and replayed to; people who are told of it."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_23_12"
down_revision = "router_2026_11_23_11"


def upgrade() -> None:
    execute_script("""
ALTER TABLE router.endpoint
    ADD COLUMN tiers jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN segments jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN regions jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN fields jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN signature text NOT NULL DEFAULT 'v1' CHECK (signature IN ('v1', 'v1a', 'both')),
    ADD COLUMN proven boolean NOT NULL DEFAULT false,
    ADD COLUMN proven_at timestamptz,
    ADD COLUMN proof_method text CHECK (proof_method IN ('handshake', 'ping')),
    ADD COLUMN proof_because text,
    ADD COLUMN rate_per_minute integer CHECK (rate_per_minute > 0),
    ADD COLUMN disabled_by text CHECK (disabled_by IN ('person', 'failures', 'gone')),
    ADD COLUMN held_since timestamptz,
    ADD COLUMN probe_at timestamptz,
    ADD COLUMN probes integer NOT NULL DEFAULT 0,
    ADD COLUMN portal_generation integer NOT NULL DEFAULT 1,
    ADD COLUMN circuit text NOT NULL DEFAULT 'closed' CHECK (circuit IN ('closed', 'open', 'half_open')),
    ADD COLUMN circuit_until timestamptz,
    ADD COLUMN circuit_opened integer NOT NULL DEFAULT 0,
    ADD COLUMN failures integer NOT NULL DEFAULT 0,
    ADD COLUMN failing_since timestamptz,
    ADD COLUMN window_started timestamptz,
    ADD COLUMN window_made integer NOT NULL DEFAULT 0,
    ADD COLUMN window_failed integer NOT NULL DEFAULT 0;
ALTER TABLE router.endpoint_secret ADD COLUMN public_key text;
ALTER TABLE router.delivery RENAME COLUMN loop_id TO message_id;
ALTER INDEX router.delivery_loop RENAME TO delivery_message;
ALTER TABLE router.delivery ADD COLUMN replay_id text;
CREATE INDEX delivery_endpoint ON router.delivery (tenant_id, endpoint_id, created_at, id);
CREATE INDEX delivery_replay ON router.delivery (tenant_id, replay_id) WHERE replay_id IS NOT NULL;
CREATE TABLE router.endpoint_event (
    tenant_id text NOT NULL,
    endpoint_id text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    because text,
    actor text NOT NULL,
    PRIMARY KEY (tenant_id, endpoint_id, number)
);
CREATE TABLE router.endpoint_replay (
    tenant_id text NOT NULL,
    id text NOT NULL,
    endpoint_id text NOT NULL,
    which text NOT NULL CHECK (which IN ('missing', 'all')),
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    matched integer NOT NULL,
    queued integer NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE router.alert_addresses (
    tenant_id text NOT NULL PRIMARY KEY,
    addresses jsonb NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE TABLE router.alert_mail (
    tenant_id text NOT NULL,
    id text NOT NULL,
    endpoint_id text NOT NULL,
    address text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    attempts integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    because text,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX alert_mail_due ON router.alert_mail (next_attempt_at) WHERE state = 'pending';
CREATE INDEX alert_mail_endpoint ON router.alert_mail (tenant_id, endpoint_id, created_at);
""")
    secure_tables("router", ["endpoint_event", "endpoint_replay", "alert_addresses", "alert_mail"])
