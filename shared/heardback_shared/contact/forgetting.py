"""What of contacts is old enough to go."""

from heardback_shared.db.forgetting import forgetting

forget_touches = forgetting("""
WITH old AS (
    SELECT tenant_id, id FROM platform.contact_touch WHERE at < :before LIMIT :some FOR UPDATE SKIP LOCKED
)
DELETE FROM platform.contact_touch t USING old WHERE t.tenant_id = old.tenant_id AND t.id = old.id RETURNING 1
""")
"""Caps look back a week; what is older only tells how often somebody was written to."""
