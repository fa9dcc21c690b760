"""What was composed about a customer can be erased, and is forgotten after a time."""

from heardback_shared.db.migrate import execute_script

revision = "router_2026_11_23_18"
down_revision = "router_2026_11_23_17"


def upgrade() -> None:
    execute_script("""
ALTER TABLE router.message ADD COLUMN erased_at timestamptz;
ALTER TABLE router.handover ADD COLUMN erased_at timestamptz;
ALTER TABLE router.delivery ADD COLUMN erased_at timestamptz;
CREATE INDEX handover_customer ON router.handover (tenant_id, customer_id, created_at);
CREATE INDEX loop_customer ON router.loop (tenant_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX contest_loop ON router.contest (tenant_id, loop_id);
CREATE INDEX message_ended ON router.message (changed_at)
    WHERE state IN ('sent', 'failed', 'refused', 'cancelled');
CREATE INDEX handover_done ON router.handover (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX delivery_done ON router.delivery (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX alert_mail_done ON router.alert_mail (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX review_decided ON router.review (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX telling_by_age ON router.telling USING brin (at);
CREATE INDEX endpoint_replay_by_age ON router.endpoint_replay USING brin (at);
""")
