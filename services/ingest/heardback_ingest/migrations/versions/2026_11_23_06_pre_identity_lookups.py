"""Events of identity are found by whom and what they name: undoing one reads only what hangs together."""

from heardback_shared.db.migrate import execute_script

revision = "ingest_2026_11_23_06"
down_revision = "ingest_2026_11_23_05"


def upgrade() -> None:
    execute_script("""
CREATE INDEX identity_event_by_customer ON ingest.identity_event (tenant_id, customer_id);
CREATE INDEX identity_event_by_person ON ingest.identity_event (tenant_id, into_id);
CREATE INDEX identity_event_undone ON ingest.identity_event (tenant_id, undoes) WHERE undoes IS NOT NULL;
""")
