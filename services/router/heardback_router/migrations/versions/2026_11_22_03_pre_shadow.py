"""What candidate models made of feedback: numbers beside those of the model in force, and no text."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_22_03"
down_revision = "router_2026_11_22_02"


def upgrade() -> None:
    execute_script("""
CREATE TABLE router.shadow_reading (
    tenant_id text NOT NULL,
    feedback_id text NOT NULL,
    active_sha256 text NOT NULL,
    candidate_sha256 text NOT NULL,
    revision integer NOT NULL,
    pass_number integer NOT NULL,
    source text NOT NULL,
    language text NOT NULL,
    received_at timestamptz NOT NULL,
    active_name text NOT NULL,
    active_revision text NOT NULL,
    active_status text NOT NULL,
    active_label text NOT NULL,
    active_score double precision NOT NULL,
    active_abstained boolean NOT NULL,
    active_severity double precision NOT NULL,
    active_band text NOT NULL,
    active_cause text,
    active_cues jsonb NOT NULL,
    candidate_name text NOT NULL,
    candidate_revision text NOT NULL,
    candidate_status text NOT NULL,
    candidate_label text NOT NULL,
    candidate_score double precision NOT NULL,
    candidate_abstained boolean NOT NULL,
    candidate_severity double precision NOT NULL,
    candidate_band text NOT NULL,
    candidate_cause text,
    candidate_cues jsonb NOT NULL,
    PRIMARY KEY (tenant_id, feedback_id, active_sha256, candidate_sha256)
);
CREATE INDEX shadow_reading_newest ON router.shadow_reading (tenant_id, received_at);
CREATE INDEX shadow_reading_by_age ON router.shadow_reading USING brin (received_at);
""")
    secure_tables("router", ["shadow_reading"])
