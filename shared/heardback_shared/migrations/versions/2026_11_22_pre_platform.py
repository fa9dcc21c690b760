"""Roles, tenants and API keys."""

from alembic import op

from heardback_shared.db.database import TENANT_ROLE, WORKER_ROLE
from heardback_shared.db.migrate import execute_script, secure_tables

revision = "platform_2026_11_22"
down_revision = None


def upgrade() -> None:
    for role in (TENANT_ROLE, WORKER_ROLE):
        op.execute(f"""
            DO $$ BEGIN
              IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} NOLOGIN NOBYPASSRLS;
              END IF;
            END $$
        """)
        op.execute(f"GRANT {role} TO CURRENT_USER")
    execute_script("""
CREATE TABLE platform.tenant (
    id text PRIMARY KEY,
    created_at timestamptz NOT NULL
);
CREATE TABLE platform.api_key (
    id text PRIMARY KEY,
    tenant_id text NOT NULL REFERENCES platform.tenant (id),
    name text NOT NULL,
    secret_hmac bytea NOT NULL,
    scopes jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
INSERT INTO platform.tenant (id, created_at) VALUES ('default', now());
GRANT SELECT, INSERT ON platform.tenant TO heardback_worker;
""")
    secure_tables("platform", ["api_key"])
