"""Versions of policies per tenant, what was done to them, and what-if runs with what they would change."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_22_08"
down_revision = "router_2026_11_22_07"


def upgrade() -> None:
    execute_script("""
CREATE TABLE router.policy_version (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    state text NOT NULL CHECK (state IN ('draft', 'reviewed', 'active', 'retired')),
    policy text NOT NULL,
    text text NOT NULL,
    digest text NOT NULL,
    authors jsonb NOT NULL CHECK (jsonb_array_length(authors) > 0),
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    edited_at timestamptz NOT NULL,
    edition integer NOT NULL,
    approved boolean,
    reviewer text,
    review_words text,
    reviewed_at timestamptz,
    activated_by text,
    activated_at timestamptz,
    activated_because text,
    apply_to text CHECK (apply_to IN ('new', 'open')),
    what_if text,
    replaced integer,
    PRIMARY KEY (tenant_id, kind, number),
    CONSTRAINT four_eyes CHECK (reviewer IS NULL OR NOT jsonb_exists(authors, reviewer)),
    CONSTRAINT approved_first CHECK (state = 'draft' OR (COALESCE(approved, false) AND reviewer IS NOT NULL)),
    CONSTRAINT tried_first CHECK (state IN ('draft', 'reviewed') OR what_if IS NOT NULL
        OR kind NOT IN ('severity', 'taxonomy', 'routing', 'weighing', 'sla')),
    CONSTRAINT activation_told CHECK
        (state IN ('draft', 'reviewed') OR (activated_by IS NOT NULL AND activated_at IS NOT NULL))
);
CREATE UNIQUE INDEX policy_in_force ON router.policy_version (tenant_id, kind) WHERE state = 'active';
CREATE INDEX policy_by_name ON router.policy_version (tenant_id, kind, policy);
CREATE TABLE router.policy_deed (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    sequence integer NOT NULL,
    number integer,
    deed text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    words text,
    data jsonb NOT NULL,
    to_apply boolean NOT NULL,
    PRIMARY KEY (tenant_id, kind, sequence)
);
CREATE INDEX policy_deed_to_apply ON router.policy_deed (tenant_id, kind, sequence) WHERE to_apply;
CREATE TABLE router.what_if (
    tenant_id text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL,
    policy text NOT NULL,
    text text NOT NULL,
    digest text NOT NULL,
    base jsonb NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    "limit" integer,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'failed')),
    total integer NOT NULL,
    progress jsonb NOT NULL,
    changes integer NOT NULL,
    runner text,
    lease_until timestamptz,
    ended_at timestamptz,
    problem text,
    report jsonb,
    report_digest text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX what_if_to_do ON router.what_if (made_at) WHERE state IN ('waiting', 'running');
CREATE INDEX what_if_of_text ON router.what_if (tenant_id, kind, digest, made_at DESC);
CREATE TABLE router.what_if_change (
    tenant_id text NOT NULL,
    what_if_id text NOT NULL,
    number integer NOT NULL,
    change json NOT NULL,
    PRIMARY KEY (tenant_id, what_if_id, number)
);
CREATE INDEX item_feedback_by_time ON router.item_feedback (tenant_id, accepted_at, feedback_id);
""")
    secure_tables("router", ["policy_version", "policy_deed", "what_if", "what_if_change"])
