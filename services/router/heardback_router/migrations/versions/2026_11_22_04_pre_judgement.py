"""What items weigh and why, parents and cases, pauses and timers; snapshots and embeddings of feedback."""

from heardback_shared.db.migrate import execute_script

revision = "router_2026_11_22_04"
down_revision = "router_2026_11_22_03"


def upgrade() -> None:
    execute_script("""
ALTER TABLE router.item
    DROP CONSTRAINT item_state_check,
    ADD CONSTRAINT item_state_check CHECK (state IN ('open', 'in_progress', 'resolved', 'closed', 'merged')),
    ADD COLUMN worst_severity double precision NOT NULL DEFAULT 0,
    ADD COLUMN worst_band text NOT NULL DEFAULT 'P4',
    ADD COLUMN contributions jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN arrivals jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN counts jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN parent_id text,
    ADD COLUMN case_id text,
    ADD COLUMN merged_into text,
    ADD COLUMN assigned_by text,
    ADD COLUMN waiting_for text,
    ADD COLUMN responded_at timestamptz,
    ADD COLUMN sla text,
    ADD COLUMN flag text,
    ADD COLUMN timer_at timestamptz,
    ADD COLUMN clocks jsonb NOT NULL DEFAULT '[]';
UPDATE router.item SET worst_severity = severity, worst_band = band;
CREATE INDEX item_by_timer ON router.item (timer_at) WHERE timer_at IS NOT NULL;
CREATE INDEX item_by_parent ON router.item (tenant_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX item_by_case ON router.item (tenant_id, case_id) WHERE case_id IS NOT NULL;
CREATE INDEX item_by_assignee ON router.item (tenant_id, assignee)
    WHERE assignee IS NOT NULL AND state IN ('open', 'in_progress');
ALTER TABLE router.item_feedback
    ADD COLUMN customer json,
    ADD COLUMN embedding bytea,
    ADD COLUMN embedding_model text;
""")
