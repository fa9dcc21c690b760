"""One-time codes of the customer's page, and requests to be erased."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_23_15"
down_revision = "router_2026_11_23_14"


def upgrade() -> None:
    execute_script("""
CREATE TABLE router.page_code (
    tenant_id text NOT NULL,
    id text NOT NULL,
    customer_id text NOT NULL,
    deed text NOT NULL CHECK (deed IN ('erase', 'address')),
    sealed bytea,
    digest bytea NOT NULL,
    wrong integer NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX page_code_by_customer ON router.page_code (tenant_id, customer_id, made_at);
CREATE TABLE router.erasure_request (
    tenant_id text NOT NULL,
    id text NOT NULL,
    customer_id text NOT NULL,
    made_at timestamptz NOT NULL,
    confirmed boolean NOT NULL,
    done_by text,
    done_at timestamptz,
    words text,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX erasure_request_open ON router.erasure_request (tenant_id, customer_id)
    WHERE done_at IS NULL;
CREATE INDEX erasure_request_by_age ON router.erasure_request (tenant_id, made_at, id);
""")
    secure_tables("router", ["page_code", "erasure_request"])
