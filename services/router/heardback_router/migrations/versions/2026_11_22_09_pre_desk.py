"""What is owed on items, when they are due, views of the backlog, recurring requests, customers' standing."""

from heardback_shared.db.migrate import execute_script, secure_tables

revision = "router_2026_11_22_09"
down_revision = "router_2026_11_22_08"


def upgrade() -> None:
    # Every due_at in clocks names its offset, so reading it depends on no setting: immutable in fact.
    execute_script("""
CREATE FUNCTION router.due_of(clocks jsonb) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS 'SELECT min((c ->> ''due_at'')::timestamptz) FROM jsonb_array_elements(clocks) c
    WHERE c ->> ''state'' IN (''running'', ''breached'')';
ALTER TABLE router.item
    ADD COLUMN request text,
    ADD COLUMN criterion jsonb,
    ADD COLUMN promises jsonb,
    ADD COLUMN steps jsonb,
    ADD COLUMN due_at timestamptz GENERATED ALWAYS AS (router.due_of(clocks)) STORED;
CREATE INDEX item_by_due ON router.item (tenant_id, due_at) WHERE due_at IS NOT NULL;
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
