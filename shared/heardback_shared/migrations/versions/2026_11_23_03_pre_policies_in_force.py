"""Policies in force that another service than router reads."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "platform_2026_11_23_03"
down_revision = "platform_2026_11_23_02"


def upgrade() -> None:
    execute_script("""
CREATE TABLE platform.policy_in_force (
    tenant_id text NOT NULL,
    kind text NOT NULL,
    policy text NOT NULL,
    text text NOT NULL,
    digest text NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, kind)
);
""")
    secure_tables("platform", ["policy_in_force"])
