"""The index of words holds only topics that are too large to be compared one by one."""

from heardback_shared.db.migrate import execute_script

revision = "router_2026_11_23_16"
down_revision = "router_2026_11_23_15"


def upgrade() -> None:
    execute_script("""
DROP INDEX router.open_feedback_by_words;
ALTER TABLE router.open_feedback ADD COLUMN indexed boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT open_feedback_indexed CHECK (NOT indexed OR dimension = 384);
CREATE INDEX open_feedback_by_words ON router.open_feedback
    USING hnsw ((embedding::halfvec(384)) halfvec_ip_ops) WHERE indexed;
CREATE INDEX open_feedback_to_index ON router.open_feedback (tenant_id, cause, model)
    WHERE NOT indexed AND dimension = 384;
""")
