"""How customers stand with us, as router announced it last."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "ingest_2026_11_22_02"
down_revision = "ingest_2026_11_22"


def upgrade() -> None:
    execute_script("""
CREATE TABLE ingest.standing (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    counter bigint NOT NULL,
    figures jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id)
);
""")
    secure_tables("ingest", ["standing"])
