"""What people correct, and what the machine answered about each feedback's causes, and by which policies."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_22_07"
down_revision = "router_2026_11_22_06"


def upgrade() -> None:
    execute_script("""
CREATE TABLE router.correction (
    tenant_id text NOT NULL,
    feedback_id text NOT NULL,
    number integer NOT NULL,
    in_force boolean NOT NULL,
    right_causes jsonb,
    wrong_causes jsonb NOT NULL,
    sentiment text,
    severity double precision,
    actor text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text,
    said jsonb NOT NULL,
    machine json NOT NULL,
    embedding bytea,
    embedding_model text,
    PRIMARY KEY (tenant_id, feedback_id, number),
    CHECK (in_force = (ended_at IS NULL))
);
CREATE UNIQUE INDEX correction_in_force ON router.correction (tenant_id, feedback_id) WHERE in_force;
CREATE INDEX correction_newest ON router.correction (tenant_id, at) WHERE in_force;
ALTER TABLE router.item_feedback
    ADD COLUMN answered jsonb,
    ADD COLUMN answered_by text;
UPDATE router.item_feedback SET
    answered = CASE WHEN json_array_length(score -> 'models') > 0 THEN (
        SELECT coalesce(jsonb_agg((cause ->> 'domain') || '/' || (cause ->> 'category')), '[]')
        FROM json_array_elements(score -> 'root_causes') AS cause) END,
    answered_by = split_part(score ->> 'taxonomy', '+', 1) || coalesce(
        ' ' || (score #>> '{models,0,name}') || '@' || (score #>> '{models,0,revision}'), '');
CREATE INDEX item_feedback_answered ON router.item_feedback (tenant_id, accepted_at)
    INCLUDE (answered, answered_by);
""")
    secure_tables("router", ["correction"])
