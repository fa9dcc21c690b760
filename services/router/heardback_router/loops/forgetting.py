"""What of telling customers is old enough to go."""

from heardback_shared.db.forgetting import forgetting

forget_tellings = forgetting("""
WITH old AS (
    SELECT t.tenant_id, t.message_id, t.loop_id FROM router.telling t
    WHERE t.at < :before AND NOT EXISTS (
        SELECT FROM router.message m WHERE m.tenant_id = t.tenant_id AND m.id = t.message_id
    ) AND NOT EXISTS (
        SELECT FROM router.review r
        WHERE r.tenant_id = t.tenant_id AND r.id = t.review_id AND r.state IN ('waiting', 'sending')
    )
    LIMIT :some FOR UPDATE OF t SKIP LOCKED
)
DELETE FROM router.telling t USING old
WHERE t.tenant_id = old.tenant_id AND t.message_id = old.message_id AND t.loop_id = old.loop_id RETURNING 1
""")
"""Never before the message itself, whose end is understood by it, or while a person has yet to decide."""

forget_reviews = forgetting("""
WITH old AS (
    SELECT tenant_id, id FROM router.review WHERE decided_at < :before AND state NOT IN ('waiting', 'sending')
    ORDER BY decided_at LIMIT :some FOR UPDATE SKIP LOCKED
), texts AS (
    DELETE FROM router.review_text t USING old WHERE t.tenant_id = old.tenant_id AND t.review_id = old.id
)
DELETE FROM router.review r USING old WHERE r.tenant_id = old.tenant_id AND r.id = old.id RETURNING 1
""")
