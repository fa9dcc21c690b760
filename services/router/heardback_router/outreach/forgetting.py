"""What of messages to customers is old enough to go."""

from heardback_shared.db.forgetting import forgetting

forget_messages = forgetting("""
WITH old AS (
    SELECT m.tenant_id, m.id FROM router.message m
    WHERE m.changed_at < :before AND m.state IN ('sent', 'failed', 'refused', 'cancelled')
        AND (m.campaign_id IS NULL OR EXISTS (
            SELECT FROM router.campaign c
            WHERE c.tenant_id = m.tenant_id AND c.id = m.campaign_id AND c.ended_at < :before
        ))
    ORDER BY m.changed_at LIMIT :some FOR UPDATE OF m SKIP LOCKED
), history AS (
    DELETE FROM router.message_event e USING old WHERE e.tenant_id = old.tenant_id AND e.message_id = old.id
), loops AS (
    DELETE FROM router.message_loop l USING old WHERE l.tenant_id = old.tenant_id AND l.message_id = old.id
), items AS (
    DELETE FROM router.message_item i USING old WHERE i.tenant_id = old.tenant_id AND i.message_id = old.id
)
DELETE FROM router.message m USING old WHERE m.tenant_id = old.tenant_id AND m.id = old.id RETURNING 1
""")
"""Those that have ended, with their history; those of a campaign not before it has ended as long ago."""

forget_handovers = forgetting("""
WITH old AS (
    SELECT tenant_id, id FROM router.handover
    WHERE done_at < :before AND state <> 'open'
    ORDER BY done_at LIMIT :some FOR UPDATE SKIP LOCKED
), letters AS (
    DELETE FROM router.letter l USING old WHERE l.tenant_id = old.tenant_id AND l.id = old.id
), fetches AS (
    DELETE FROM router.details_fetch f USING old WHERE f.tenant_id = old.tenant_id AND f.handover_id = old.id
)
DELETE FROM router.handover h USING old WHERE h.tenant_id = old.tenant_id AND h.id = old.id RETURNING 1
""")
"""What was given to channels, with the record of who fetched it."""
