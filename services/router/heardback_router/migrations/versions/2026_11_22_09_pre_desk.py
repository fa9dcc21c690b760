"""What is owed on items, views of the backlog, recurring requests, customers' standing."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_22_09"
down_revision = "router_2026_11_22_06"


def upgrade() -> None:
    execute_script("""
ALTER TABLE router.item
    ADD COLUMN request text,
    ADD COLUMN criterion jsonb,
    ADD COLUMN promises jsonb,
    ADD COLUMN steps jsonb;
CREATE INDEX item_by_request ON router.item (tenant_id, request) WHERE request IS NOT NULL;
CREATE TABLE router.view (
    tenant_id text NOT NULL,
    id text NOT NULL,
    owner text NOT NULL,
    name text NOT NULL,
    shared boolean NOT NULL,
    filters jsonb NOT NULL,
    columns jsonb NOT NULL,
    sort text NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE router.option_decision (
    tenant_id text NOT NULL,
    request text NOT NULL,
    number integer NOT NULL,
    decision text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    evidence jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, request, number)
);
CREATE TABLE router.standing_change (
    tenant_id text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    item_id text NOT NULL,
    customer_id text,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX standing_change_in_order ON router.standing_change (id);
CREATE TABLE router.standing (
    tenant_id text NOT NULL,
    customer_id text NOT NULL,
    counter bigint NOT NULL,
    figures jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, customer_id)
);
CREATE INDEX standing_by_time ON router.standing (at);
""")
    secure_tables("router", ["view", "option_decision", "standing_change", "standing"])
