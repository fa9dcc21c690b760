"""What of asking customers is old enough to go."""

from heardback_shared.db.forgetting import forgetting

forget_choices = forgetting("""
WITH old AS (
    SELECT tenant_id, slot FROM ingest.survey_choice WHERE at < :before LIMIT :some FOR UPDATE SKIP LOCKED
)
DELETE FROM ingest.survey_choice c USING old
WHERE c.tenant_id = old.tenant_id AND c.slot = old.slot RETURNING 1
""")

forget_arms = forgetting("""
WITH old AS (
    SELECT a.tenant_id, a.experiment_id, a.person_id FROM ingest.fatigue_experiment e
    JOIN ingest.fatigue_arm a ON a.tenant_id = e.tenant_id AND a.experiment_id = e.id
    WHERE e.ended_at < :before LIMIT :some FOR UPDATE OF a SKIP LOCKED
)
DELETE FROM ingest.fatigue_arm a USING old
WHERE a.tenant_id = old.tenant_id AND a.experiment_id = old.experiment_id AND a.person_id = old.person_id
RETURNING 1
""")
"""Who was in which arm of an experiment that ended so long ago; what it showed stays with the suggestion."""
