"""What of the delivery log is old enough to go."""

from heardback_shared.db.forgetting import forgetting

forget_deliveries = forgetting("""
WITH old AS (
    SELECT tenant_id, id FROM router.delivery WHERE done_at < :before AND state <> 'pending'
    ORDER BY done_at LIMIT :some FOR UPDATE SKIP LOCKED
), attempts AS (
    DELETE FROM router.delivery_attempt a USING old
    WHERE a.tenant_id = old.tenant_id AND a.delivery_id = old.id
)
DELETE FROM router.delivery d USING old WHERE d.tenant_id = old.tenant_id AND d.id = old.id RETURNING 1
""")
"""With their attempts. What waits is never forgotten, however long it does."""

forget_replays = forgetting("""
WITH old AS (
    SELECT tenant_id, id FROM router.endpoint_replay WHERE at < :before LIMIT :some FOR UPDATE SKIP LOCKED
)
DELETE FROM router.endpoint_replay r USING old WHERE r.tenant_id = old.tenant_id AND r.id = old.id RETURNING 1
""")

forget_alert_mails = forgetting("""
WITH old AS (
    SELECT tenant_id, id FROM router.alert_mail WHERE done_at < :before
    ORDER BY done_at LIMIT :some FOR UPDATE SKIP LOCKED
)
DELETE FROM router.alert_mail m USING old WHERE m.tenant_id = old.tenant_id AND m.id = old.id RETURNING 1
""")
