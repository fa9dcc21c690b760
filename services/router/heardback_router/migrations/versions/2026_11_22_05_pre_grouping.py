"""Feedback of unresolved items by fingerprint and by words; why each stands where it does; people's rules."""

from alembic import op

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_22_05"
down_revision = "router_2026_11_22_04"


def upgrade() -> None:
    # Where we may not make it, an administrator has: making what is there asks for no right.
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    execute_script("""
ALTER TABLE router.item ADD COLUMN alarmed jsonb NOT NULL DEFAULT '[]';
ALTER TABLE router.item_feedback
    ADD COLUMN grouping json,
    ADD COLUMN place json,
    ADD COLUMN moved json;
CREATE TABLE router.open_feedback (
    tenant_id text NOT NULL,
    feedback_id text NOT NULL,
    item_id text NOT NULL,
    at timestamptz NOT NULL,
    entity text,
    named jsonb NOT NULL,
    marks jsonb NOT NULL,
    placed_by text NOT NULL CHECK (placed_by IN ('machine', 'person')),
    cause text,
    model text,
    dimension integer,
    embedding halfvec,
    PRIMARY KEY (tenant_id, feedback_id)
);
CREATE INDEX open_feedback_by_item ON router.open_feedback (tenant_id, item_id);
CREATE INDEX open_feedback_by_cause ON router.open_feedback (tenant_id, cause, model, at)
    WHERE embedding IS NOT NULL;
CREATE INDEX open_feedback_by_words ON router.open_feedback
    USING hnsw ((embedding::halfvec(384)) halfvec_ip_ops) WHERE dimension = 384;
CREATE TABLE router.open_fingerprint (
    tenant_id text NOT NULL,
    fingerprint text NOT NULL,
    at timestamptz NOT NULL,
    feedback_id text NOT NULL,
    item_id text NOT NULL,
    PRIMARY KEY (tenant_id, fingerprint, at, feedback_id)
);
CREATE INDEX open_fingerprint_by_item ON router.open_fingerprint (tenant_id, item_id);
CREATE TABLE router.grouping_rule (
    tenant_id text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('together', 'apart')),
    left_item text NOT NULL,
    right_item text NOT NULL,
    threshold double precision,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    sides json NOT NULL,
    ended_at timestamptz,
    ended_by text,
    ended_because text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX grouping_rule_newest ON router.grouping_rule (tenant_id, at DESC, id);
CREATE TABLE router.grouping_exemplar (
    tenant_id text NOT NULL,
    rule_id text NOT NULL,
    side text NOT NULL CHECK (side IN ('left', 'right')),
    feedback_id text NOT NULL,
    cause text NOT NULL,
    model text NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (tenant_id, rule_id, side, feedback_id)
);
CREATE INDEX grouping_exemplar_by_cause ON router.grouping_exemplar (tenant_id, cause, model);
CREATE TABLE router.grouping_fingerprint (
    tenant_id text NOT NULL,
    fingerprint text NOT NULL,
    rule_id text NOT NULL,
    side text NOT NULL CHECK (side IN ('left', 'right')),
    PRIMARY KEY (tenant_id, fingerprint, rule_id, side)
);
CREATE INDEX grouping_fingerprint_by_rule ON router.grouping_fingerprint (tenant_id, rule_id);
""")
    secure_tables(
        "router",
        ["open_feedback", "open_fingerprint", "grouping_rule", "grouping_exemplar", "grouping_fingerprint"],
    )
